/** Questions about the order of things, which the host answers. */
import type { AgentMatch, Waiting } from "../core/scheduling/why.ts";
import type { Connection } from "./connection.ts";
import type { Runtime } from "./runtime.ts";

type Asker = Pick<Connection, "ask">;

/** @throws RuntimeError `task/unknown` */
export async function whyWaiting({ ask }: Asker, id: string): Promise<Waiting> {
  return (await ask({ type: "why", id })) as Waiting;
}

/** @throws RuntimeError `command/invalid` */
export async function explain(
  { ask }: Asker,
  requirement: Parameters<Runtime["explain"]>[0],
): Promise<readonly AgentMatch[]> {
  return (await ask({ type: "explain", requirement })) as readonly AgentMatch[];
}
