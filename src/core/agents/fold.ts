import type { Fold, Table } from "../kernel.ts";
import type { HostingEvents } from "../hosting/hosting.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { TaskEvents } from "../tasks/task.ts";
import { holdingId, type Agent, type AgentEvents, type Holding, type Link } from "./agent.ts";

export interface AgentsState {
  readonly agents: Table<Agent>;
  readonly links: Table<Link>;
  readonly holdings: Table<Holding>;
}

/** idle: a worker has a free slot · busy: every slot is taken · offline: no worker serves it · error: its last worker didn't come up. */
export type AgentStatus = "idle" | "busy" | "offline" | "error";

export const agentsFold: Fold<AgentsState, AgentEvents & TaskEvents & HostingEvents> = {
  create: (kit) => ({
    agents: kit.table<Agent>(),
    links: kit.table<Link>(),
    holdings: kit.table<Holding>(),
  }),
  apply: {
    "host.started": ({ links, holdings }) => {
      for (const key of [...links.entries()].map(([id]) => id)) links.delete(key);
      for (const key of [...holdings.entries()].map(([id]) => id)) holdings.delete(key);
    },
    "agent.registered": ({ agents }, manifest, at) => {
      const registeredAt = agents.get(manifest.name)?.registeredAt ?? at;
      agents.set(manifest.name, { ...copyJson(manifest), id: manifest.name, registeredAt });
    },
    "agent.unregistered": ({ agents }, { id }) => {
      agents.delete(id);
    },
    "agent.faulted": ({ agents }, { id, error }) => {
      const agent = agents.get(id);
      if (agent) agents.set(id, { ...agent, fault: copyJson(error) });
    },
    "link.joined": ({ agents, links }, { link, agent, session, slots }, at) => {
      links.set(link, { id: link, agent, session, slots, held: 0, joinedAt: at });
      const served = agents.get(agent);
      if (served?.fault) agents.set(agent, { ...served, fault: undefined });
    },
    "link.left": ({ links, holdings }, { link, holdings: held }) => {
      links.delete(link);
      for (const [task, attempt] of held) holdings.delete(holdingId(task, attempt));
    },
    "slot.released": (state, { task, attempt }) => {
      release(state, task, attempt);
    },
    "task.assigned": ({ links, holdings }, { id, attempt, link }) => {
      const served = links.get(link);
      if (!served) return;
      const key = holdingId(id, attempt);
      holdings.set(key, { id: key, task: id, attempt, link });
      links.set(link, { ...served, held: served.held + 1 });
    },
    "task.completed": (state, { id, attempt }) => {
      release(state, id, attempt);
    },
    "task.failed": (state, { id, attempt, link, held }) => {
      if (link !== undefined && !held) release(state, id, attempt);
    },
    "task.interrupted": (state, { id, attempt }) => {
      release(state, id, attempt);
    },
    // task.cancelled keeps the slot: the worker still runs until it answers or is killed.
  },
  save: ({ agents, links, holdings }) => ({
    agents: saveTable(agents),
    links: saveTable(links),
    holdings: saveTable(holdings),
  }),
  restore(state, saved) {
    const { agents, links, holdings } = saved as {
      agents: Agent[];
      links: Link[];
      holdings: Holding[];
    };
    restoreTable(state.agents, agents);
    restoreTable(state.links, links);
    restoreTable(state.holdings, holdings);
  },
};

function release({ links, holdings }: AgentsState, task: string, attempt: number): void {
  const key = holdingId(task, attempt);
  const holding = holdings.get(key);
  if (!holding) return;
  holdings.delete(key);
  const link = links.get(holding.link);
  if (link) links.set(link.id, { ...link, held: link.held - 1 });
}

/** The status follows from the facts; nobody sets it. */
export function agentStatus({ agents, links }: AgentsState, id: string): AgentStatus {
  let served = false;
  for (const { agent, held, slots } of links.values()) {
    if (agent !== id) continue;
    if (held < slots) return "idle";
    served = true;
  }
  if (served) return "busy";
  return agents.get(id)?.fault ? "error" : "offline";
}
