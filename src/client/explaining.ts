/** Questions about the order of things, which the host answers. */
import type { AgentMatch, Waiting } from "../core/scheduling/why.ts";
import type { Connection } from "./connection.ts";
import type { Runtime } from "./runtime.ts";

export function createExplaining(connection: Connection): Pick<Runtime, "whyWaiting" | "explain"> {
  return {
    async whyWaiting(id) {
      return (await connection.ask({ type: "why", id })) as Waiting;
    },
    async explain(requirement) {
      return (await connection.ask({ type: "explain", requirement })) as readonly AgentMatch[];
    },
  };
}
