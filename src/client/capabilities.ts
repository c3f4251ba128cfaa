/** Registering capabilities. The host reads the schemas: a mistake in one is told with its place. */
import { encodeJson } from "../core/json.ts";
import type { PageRequest } from "../core/protocol.ts";
import type { Connection } from "./connection.ts";
import type { CapabilityOptions } from "./runtime.ts";

type Asker = Pick<Connection, "command" | "outbox">;

/** @throws RuntimeError `capability/invalid`, `capability/duplicate`, `command/invalid`, `runtime/limit` */
export function registerCapability(connection: Asker, { input, output, ...rest }: CapabilityOptions): Promise<void> {
  const data = {
    ...rest,
    ...(input !== undefined && { input: encodeJson(input, "input") }),
    ...(output !== undefined && { output: encodeJson(output, "output") }),
  };
  return settle(connection, rest.name, { type: "capability.register", data: data });
}

/** @throws RuntimeError `capability/unknown` */
export function unregisterCapability(connection: Asker, name: string, version?: string): Promise<void> {
  const data = { name, ...(version !== undefined && { version }) };
  return settle(connection, name, { type: "capability.unregister", data });
}

function settle({ command, outbox }: Asker, name: string, request: PageRequest): Promise<void> {
  const id = `capability ${name}`; // a limit may have the same name
  command(id, request);
  return outbox.settled(id);
}
