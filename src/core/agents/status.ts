/** What an agent can do now: it follows from the facts of the journal, and nobody sets it. */
import type { Table } from "../kernel.ts";
import { capacityOf, type Agent, type Load } from "./agent.ts";

/**
 * idle: it can take work, though a page may have to start a worker first · busy: it runs as many attempts as it may ·
 * offline: nobody serves it, its workers don't answer, somebody has taken it off, or it is being unregistered ·
 * error: its last worker didn't come up.
 */
export type AgentStatus = "idle" | "busy" | "offline" | "error";

export const NO_LOAD = { links: 0, held: 0, silent: 0, offers: 0 } as const;

/** As much of the state as an agent's status is read from. */
export interface Serving {
  readonly agents: Pick<Table<Agent>, "get">;
  readonly loads: Pick<Table<Load>, "get">;
}

/** The status follows from the facts of the journal; nobody sets it. */
export function agentStatus({ agents, loads }: Serving, id: string): AgentStatus {
  const agent = agents.get(id);
  if (!agent || agent.offline || agent.draining) return "offline";
  const { links, held, silent, offers } = loads.get(id) ?? NO_LOAD;
  if (links > silent) return held < capacityOf(agent) ? "idle" : "busy";
  if (links > 0) return "offline";
  if (agent.fault) return "error";
  return offers > 0 ? "idle" : "offline";
}

/** The agent's links, taken slots and offers. */
export function loadOf({ loads }: Serving, id: string): Omit<Load, "id"> {
  return loads.get(id) ?? NO_LOAD;
}
