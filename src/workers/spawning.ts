/** Orders pages to start workers for agents that have work waiting. */
import { agentId, capacityOf } from "../core/agents/agent.ts";
import type { Engine } from "../core/engine.ts";
import type { ErrorData } from "../core/errors.ts";
import type { CoreEvent } from "../core/runtime.ts";
import type { Links } from "./links.ts";

/** A page that can spawn. */
export interface Spawner {
  readonly session: string;
  readonly offers: ReadonlySet<string>;
  /** The page's processors, as far as it says. */
  readonly cores: number;
  readonly spawn: (link: string, agent: string) => void;
}

export interface Spawning {
  /** Follows durable events. */
  follow(events: readonly CoreEvent[]): void;
  /** Orders what is needed now. */
  consider(): void;
  /** Whether the page may host another worker of the agent. */
  hasRoom(page: Spawner, agent: string): boolean;
  /** True when the link was ordered and is welcome. */
  arrived(link: string): boolean;
  /** A worker that was ordered didn't come up. */
  failed(link: string, error: ErrorData | undefined): void;
  /** Orders that the page hasn't answered, said again: they may be lost with the wire before. */
  remind(page: Spawner): void;
  /** Orders to the page are void: it is gone. */
  forget(session: string): void;
  stop(): void;
}

interface Order {
  readonly agent: string;
  readonly session: string;
  readonly patience: ReturnType<typeof setTimeout>;
}

/** A page that neither brings the worker nor says why not in so many milliseconds is frozen; others get their turn. */
const PATIENCE = 30_000;

/** So many workers per processor a page hosts at most, and this many in any case; the first of an agent is always let in. */
const PER_CORE = 2;
const LEAST = 2;

/** After a failed start the next one waits, twice as long each time, up to half a minute. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

export interface SpawningOptions {
  readonly engine: Engine;
  readonly links: Links;
  readonly pages: () => Iterable<Spawner>;
  readonly ids: () => string;
  /** In milliseconds. Default 30,000. */
  readonly patience?: number | undefined;
}

interface State extends SpawningOptions {
  readonly patience: number;
  /** Ordered and not yet there, by link. */
  readonly orders: Map<string, Order>;
  /** Failed starts in a row, by agent; and the timers that hold the next one back. */
  readonly failures: Map<string, number>;
  readonly waits: Map<string, ReturnType<typeof setTimeout>>;
  /** When pages last failed an agent, counted: they come last, and take turns. */
  readonly flops: Map<string, number>;
  flopCount: number;
  /** Agents that keep some workers up. */
  readonly keeping: Set<string>;
}

export function createSpawning(options: SpawningOptions): Spawning {
  const state: State = {
    ...options,
    patience: options.patience ?? PATIENCE,
    orders: new Map(),
    failures: new Map(),
    waits: new Map(),
    flops: new Map(),
    flopCount: 0,
    keeping: new Set(),
  };
  for (const { id, minWorkers } of options.engine.state.agents.agents.values()) keep(state, id, minWorkers);
  return {
    follow(events) {
      for (const { type, data } of events) if (type === "agent.registered") keep(state, agentId(data), data.minWorkers);
    },
    hasRoom: (page, agent) => hasRoom(state, page, agent),
    consider() {
      consider(state);
    },
    arrived(link) {
      const order = state.orders.get(link);
      if (!order) return false;
      drop(state, link);
      state.failures.delete(order.agent);
      state.flops.delete(flopKey(order.session, order.agent));
      return true;
    },
    failed(link, error) {
      failed(state, link, error);
    },
    remind({ session, spawn }) {
      for (const [link, order] of state.orders) if (order.session === session) spawn(link, order.agent);
    },
    forget(session) {
      for (const [link, order] of state.orders) if (order.session === session) drop(state, link);
      for (const key of state.flops.keys()) if (key.startsWith(flopKey(session, ""))) state.flops.delete(key);
    },
    stop() {
      for (const timer of state.waits.values()) clearTimeout(timer);
      for (const { patience } of state.orders.values()) clearTimeout(patience);
    },
  };
}

const flopKey = (session: string, agent: string): string => `${session} ${agent}`;

function drop({ orders }: State, link: string): void {
  clearTimeout(orders.get(link)?.patience);
  orders.delete(link);
}

function keep({ keeping }: State, agent: string, minWorkers = 0): void {
  if (minWorkers > 0) keeping.add(agent);
  else keeping.delete(agent);
}

/** For each agent with waiting tasks: as many workers as these need and the agent may have; and those that it keeps. */
function consider(state: State): void {
  const { engine, keeping } = state;
  for (const [id, queued] of engine.scheduler.waiting()) provide(state, id, queued);
  for (const id of keeping)
    if (engine.state.agents.agents.has(id)) provide(state, id, 0);
    else keeping.delete(id);
}

function provide(state: State, id: string, queued: number): void {
  const { engine, links, orders, waits, ids } = state;
  const agent = engine.state.agents.agents.get(id);
  if (!agent || agent.draining || agent.offline || waits.has(id)) return;
  let coming = [...orders.values()].filter((order) => order.agent === id).length;
  const fewest = (agent.minWorkers ?? 0) - links.ofAgent(id).length;
  const useful = Math.ceil(capacityOf(agent) / agent.slots); // more couldn't run anything
  const room = Math.min(agent.workers, useful) - links.ofAgent(id).length;
  while (coming < room && (coming < fewest || coming * agent.slots < queued)) {
    const page = pick(state, id);
    if (!page) return;
    const link = ids();
    const patience = setTimeout(() => {
      failed(state, link, undefined);
    }, state.patience);
    orders.set(link, { agent: id, session: page.session, patience });
    page.spawn(link, id);
    coming++;
  }
}

/** Of the pages that offer the agent and have room the one with the fewest workers; those that failed it take turns. */
function pick(state: State, agent: string): Spawner | undefined {
  let best: Spawner | undefined;
  let least = Infinity;
  for (const page of state.pages()) {
    if (!page.offers.has(agent) || !hasRoom(state, page, agent)) continue;
    const load = loadOf(state, page) + (state.flops.get(flopKey(page.session, agent)) ?? 0) * 1e6;
    if (load < least) [best, least] = [page, load];
  }
  return best;
}

/** Workers that the page hosts, or was told to start. */
function loadOf({ links, orders }: State, { session }: Spawner): number {
  return links.ofSession(session).length + [...orders.values()].filter((order) => order.session === session).length;
}

function hasRoom(state: State, page: Spawner, agent: string): boolean {
  if (loadOf(state, page) < Math.max(LEAST, page.cores * PER_CORE)) return true;
  const isComing = [...state.orders.values()].some((order) => order.agent === agent);
  return !isComing && state.links.ofAgent(agent).length === 0;
}

function failed(state: State, link: string, error: ErrorData | undefined): void {
  const { engine, orders, failures, waits } = state;
  const order = orders.get(link);
  if (!order) return;
  drop(state, link);
  const { agent, session } = order;
  state.flops.set(flopKey(session, agent), ++state.flopCount);
  if (error) engine.submit([{ type: "agent.fault", data: { id: agent, error } }]);
  const count = (failures.get(agent) ?? 0) + 1;
  failures.set(agent, count);
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (count - 1));
  clearTimeout(waits.get(agent));
  const again = setTimeout(() => {
    waits.delete(agent);
    consider(state);
  }, wait);
  waits.set(agent, again);
}
