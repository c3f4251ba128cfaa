/** Registering capabilities. The host reads the schemas: a mistake in one is told with its place. */
import { encodeJson } from "../core/json.ts";
import type { PageRequest } from "../core/protocol.ts";
import type { Connection } from "./connection.ts";
import type { CapabilityOptions } from "./capability-types.ts";

type Asker = Pick<Connection, "command" | "outbox">;

/** @throws RuntimeError `capability/invalid`, `capability/duplicate`, `command/invalid`, `runtime/limit` */
export function registerCapability(connection: Asker, { input, output, ...rest }: CapabilityOptions): Promise<void> {
  const data = {
    ...rest,
    ...(input !== undefined && { input: encodeJson(input, "input") }),
    ...(output !== undefined && { output: encodeJson(output, "output") }),
  };
  return settle(connection, { type: "capability.register", data });
}

/** @throws RuntimeError `capability/unknown` */
export function unregisterCapability(connection: Asker, name: string, version?: string): Promise<void> {
  const data = { name, ...(version !== undefined && { version }) };
  return settle(connection, { type: "capability.unregister", data });
}

type Change = Extract<PageRequest, { type: `capability.${string}` }>;

function settle({ command, outbox }: Asker, change: Change): Promise<void> {
  const { name, version = "" } = change.data;
  const id = `capability ${name}@${version}`; // not the bare name, which a limit may have too
  command(id, change);
  return outbox.settled(id);
}
