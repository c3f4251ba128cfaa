import type { Fold, Table } from "../kernel.ts";
import type { HostingEvents } from "../hosting/hosting.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { TaskEvents } from "../tasks/task.ts";
import {
  agentId,
  holdingId,
  type Agent,
  type AgentEvents,
  type Former,
  type Holding,
  type Link,
  type Load,
  type Offer,
} from "./agent.ts";
import { NO_STATISTICS } from "./statistics.ts";
import { NO_LOAD } from "./status.ts";

export interface AgentsState {
  readonly agents: Table<Agent>;
  readonly links: Table<Link>;
  readonly holdings: Table<Holding>;
  /** The sums of links and offers, by agent; they follow from these, and are not saved. */
  readonly loads: Table<Load>;
  readonly offers: Table<Offer>;
  readonly former: Table<Former>;
}

export const agentsFold: Fold<AgentsState, AgentEvents & TaskEvents & HostingEvents> = {
  create: (kit) => ({
    agents: kit.table<Agent>(),
    links: kit.table<Link>(),
    holdings: kit.table<Holding>(),
    loads: kit.table<Load>(),
    offers: kit.table<Offer>(),
    former: kit.table<Former>(),
  }),
  apply: {
    "host.started": ({ links, holdings, loads, offers }) => {
      for (const table of [links, holdings, loads, offers])
        for (const key of [...table.entries()].map(([id]) => id)) table.delete(key);
    },
    "agent.registered": ({ agents, former }, manifest, at) => {
      const id = agentId(manifest);
      const { registeredAt = at, statistics = NO_STATISTICS } = agents.get(id) ?? former.get(id) ?? {};
      const { fault, offline } = agents.get(id) ?? {};
      former.delete(id);
      const record = { ...copyJson(manifest), id, registeredAt, statistics };
      agents.set(id, { ...record, draining: undefined, offline, fault });
    },
    "agent.withdrawn": (state, { id }) => {
      change(state, id, { draining: true });
    },
    "agent.unregistered": ({ agents, former }, { id, forgotten }) => {
      const agent = agents.get(id);
      if (!agent) return;
      const { registeredAt, statistics } = agent;
      agents.delete(id);
      if (forgotten !== undefined) former.delete(forgotten);
      former.set(id, { id, registeredAt, statistics });
    },
    "agent.switched": (state, { id, offline }) => {
      change(state, id, { offline: offline || undefined });
    },
    "agent.faulted": (state, { id, error }) => {
      change(state, id, { fault: copyJson(error) });
    },
    "page.offered": (state, { session, agents }) => {
      for (const id of state.offers.get(session)?.agents ?? []) add(state, id, { offers: -1 });
      for (const id of agents) add(state, id, { offers: 1 });
      if (agents.length === 0) state.offers.delete(session);
      else state.offers.set(session, { id: session, agents: [...agents] });
    },
    "link.joined": (state, { link, agent, session, slots }, at) => {
      const record = { id: link, agent, session, slots, held: 0, joinedAt: at };
      state.links.set(link, { ...record, given: undefined, silent: undefined });
      add(state, agent, { links: 1 });
      if (state.agents.get(agent)?.fault) change(state, agent, { fault: undefined });
    },
    "link.left": (state, { link: id, agent, cause, holdings: held }, at) => {
      const link = state.links.get(id);
      if (!link) return;
      state.links.delete(id);
      add(state, agent, { links: -1, held: -link.held, silent: link.silent ? -1 : 0 });
      for (const [task, attempt] of held) {
        const key = holdingId(task, attempt);
        const holding = state.holdings.get(key);
        state.holdings.delete(key);
        if (cause === "crashed" && holding && !holding.over) count(state, agent, holding, at, "failed");
      }
    },
    "link.silenced": (state, { link }) => {
      setSilent(state, link, true);
    },
    "link.heard": (state, { link }) => {
      setSilent(state, link, undefined);
    },
    "slot.released": (state, { task, attempt }) => {
      release(state, task, attempt);
    },
    "task.assigned": (state, { id, attempt, link, agent }, at) => {
      const served = state.links.get(link);
      if (!served) return;
      const key = holdingId(id, attempt);
      state.holdings.set(key, { id: key, task: id, attempt, link, since: at });
      const known = state.agents.get(agent);
      const given = known?.recycleAfter === undefined ? {} : { given: (served.given ?? 0) + 1 };
      state.links.set(link, { ...served, held: served.held + 1, ...given });
      add(state, agent, { held: 1 });
      if (known) state.agents.set(agent, { ...known, statistics: { ...known.statistics, lastActiveAt: at } });
    },
    "task.completed": (state, { id, attempt }, at) => {
      end(state, id, attempt, at, "completed");
      release(state, id, attempt);
    },
    "task.failed": (state, { id, attempt, link, held }, at) => {
      if (link === undefined) return; // no attempt was active
      end(state, id, attempt, at, "failed");
      if (!held) release(state, id, attempt);
    },
    "task.interrupted": (state, { id, attempt, held }) => {
      if (held) keep(state, id, attempt);
      else release(state, id, attempt);
    },
    "task.cancelled": (state, { id, attempt }) => {
      keep(state, id, attempt);
    },
  },
  save: ({ agents, links, holdings, offers, former }) => ({
    agents: saveTable(agents),
    links: saveTable(links),
    holdings: saveTable(holdings),
    offers: saveTable(offers),
    former: saveTable(former),
  }),
  restore(state, saved) {
    const { agents, links, holdings, offers = [], former = [] } = saved as Saved;
    restoreTable(
      state.agents,
      agents.map(({ statistics = NO_STATISTICS, draining, offline, fault, ...agent }) => {
        const record = { ...agent, id: agentId(agent), statistics };
        return { ...record, draining, offline, fault };
      }),
    );
    restoreTable(
      state.links,
      links.map(({ given, silent, ...link }) => ({ ...link, given, silent })),
    );
    restoreTable(state.holdings, holdings);
    restoreTable(state.offers, offers);
    restoreTable(state.former, former);
    for (const { agent, held, silent } of links) add(state, agent, { links: 1, held, silent: silent ? 1 : 0 });
    for (const { agents: ids } of offers) for (const id of ids) add(state, id, { offers: 1 });
  },
};

/**
 * Fields that may be undefined are dropped by JSON; they come last, in a fixed order, so that a restored record is byte
 * by byte what it was. Snapshots of the first hosts knew agents by their name alone, and counted nothing.
 */
interface Saved {
  readonly agents: readonly (Omit<Agent, "statistics"> & Partial<Pick<Agent, "statistics">>)[];
  readonly links: readonly Link[];
  readonly holdings: readonly Holding[];
  readonly offers?: readonly Offer[];
  readonly former?: readonly Former[];
}

function change(state: AgentsState, id: string, changes: Partial<Agent>): void {
  const agent = state.agents.get(id);
  if (agent) state.agents.set(id, { ...agent, ...changes });
}

function add({ loads }: AgentsState, id: string, more: Partial<Omit<Load, "id">>): void {
  const { links, held, silent, offers } = loads.get(id) ?? NO_LOAD;
  const sums = {
    links: links + (more.links ?? 0),
    held: held + (more.held ?? 0),
    silent: silent + (more.silent ?? 0),
    offers: offers + (more.offers ?? 0),
  };
  if (sums.links === 0 && sums.offers === 0) loads.delete(id);
  else loads.set(id, { id, ...sums });
}

function setSilent(state: AgentsState, id: string, silent: true | undefined): void {
  const link = state.links.get(id);
  if (!link || link.silent === silent) return;
  state.links.set(id, { ...link, silent });
  add(state, link.agent, { silent: silent ? 1 : -1 });
}

/** The attempt has ended by the agent's own doing; only its slot may still be taken. */
function end(state: AgentsState, task: string, attempt: number, at: number, how: "completed" | "failed"): void {
  const key = holdingId(task, attempt);
  const holding = state.holdings.get(key);
  if (!holding || holding.over) return;
  state.holdings.set(key, { ...holding, over: true });
  const agent = state.links.get(holding.link)?.agent;
  if (agent !== undefined) count(state, agent, holding, at, how);
}

function count(state: AgentsState, id: string, { since }: Holding, at: number, how: "completed" | "failed"): void {
  const agent = state.agents.get(id);
  if (!agent) return;
  const { completed, failed, time } = agent.statistics;
  const statistics = {
    completed: completed + (how === "completed" ? 1 : 0),
    failed: failed + (how === "failed" ? 1 : 0),
    time: time + Math.max(0, at - since), // a clock that was set back
    lastActiveAt: at,
  };
  state.agents.set(id, { ...agent, statistics });
}

/** The slot stays taken: the worker still runs until it answers or is killed. */
function keep(state: AgentsState, id: string, attempt: number): void {
  const key = holdingId(id, attempt);
  const holding = state.holdings.get(key);
  if (holding) state.holdings.set(key, { ...holding, over: true });
}

function release(state: AgentsState, task: string, attempt: number): void {
  const key = holdingId(task, attempt);
  const holding = state.holdings.get(key);
  if (!holding) return;
  state.holdings.delete(key);
  const link = state.links.get(holding.link);
  if (!link) return;
  state.links.set(link.id, { ...link, held: link.held - 1 });
  add(state, link.agent, { held: -1 });
}

/** Whether the agent may run another attempt, if a worker of it has a free slot. */
export function hasRoom({ agents, loads }: AgentsState, id: string): boolean {
  const agent = agents.get(id);
  return agent !== undefined && (loads.get(id)?.held ?? 0) < (agent.maxConcurrentTasks ?? Infinity);
}

/** Whether the worker may be given an attempt now. */
export function isOpen(state: AgentsState, link: Link): boolean {
  const { agent, held, slots, silent } = link;
  return held < slots && !silent && !isSpent(state, link) && hasRoom(state, agent);
}

/** Whether the worker was given as many attempts as it may be, and is to be ended after them. */
export function isSpent({ agents }: AgentsState, { agent, given = 0 }: Link): boolean {
  return given >= (agents.get(agent)?.recycleAfter ?? Infinity);
}
