import { holdingId, type AgentEvents } from "../agents/agent.ts";
import type { HostingEvents } from "../hosting/hosting.ts";
import { copyJson } from "../json.ts";
import type { DueIndex, Fold, Table } from "../kernel.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { LimitUse } from "../tasks/order.ts";
import type { TaskEvents } from "../tasks/task.ts";
import {
  burstOf,
  creditAt,
  EVERY_TASK,
  momentOf,
  useId,
  type Limit,
  type LimitEvents,
  type LimitHolding,
  type LimitState,
  type Rate,
} from "./limit.ts";

export interface LimitsState {
  readonly limits: Table<Limit>;
  /** What is in use; what isn't here is free and its bucket full. */
  readonly uses: Table<LimitState>;
  /** Attempts that name limits, set or not, while they hold their slot. */
  readonly holdings: Table<LimitHolding>;
  /** By use: when its bucket is full again. */
  readonly due: DueIndex;
}

export const limitsFold: Fold<LimitsState, LimitEvents & TaskEvents & AgentEvents & HostingEvents> = {
  create: (kit) => ({ limits: kit.table(), uses: kit.table(), holdings: kit.table(), due: kit.due("limit.wake") }),
  apply: {
    "limit.set": (state, { name, ...settings }, at) => {
      const before = state.limits.get(name);
      const limit: Limit = { id: name, ...copyJson(settings) };
      state.limits.set(name, limit);
      recount(state, limit, before, at);
    },
    "limit.removed": (state, { name }) => {
      state.limits.delete(name);
      for (const { id } of usesOf(state, name)) drop(state, id);
    },
    "limit.refilled": (state, { id }) => {
      drop(state, id);
    },
    "task.assigned": (state, { id, attempt, limits }, at) => {
      const every = state.limits.get(EVERY_TASK);
      if (every?.rate) take(state, every, "", 0, at); // how many run in all, the agents' holdings tell
      if (!limits) return;
      const key = holdingId(id, attempt);
      state.holdings.set(key, { id: key, limits: copyJson(limits) });
      for (const [limit, one] of resolve(state, limits)) take(state, limit, one, 1, at);
    },
    "task.completed": (state, { id, attempt }) => {
      release(state, id, attempt);
    },
    "task.failed": (state, { id, attempt, held }) => {
      if (!held) release(state, id, attempt);
    },
    "task.interrupted": (state, { id, attempt, held }) => {
      if (!held) release(state, id, attempt);
    },
    // task.cancelled keeps the slot: the worker still runs until it answers or is killed.
    "slot.released": (state, { task, attempt }) => {
      release(state, task, attempt);
    },
    "link.left": (state, { holdings }) => {
      for (const [task, attempt] of holdings) release(state, task, attempt);
    },
    "host.started": (state) => {
      for (const id of [...state.holdings.entries()].map(([key]) => key)) state.holdings.delete(id);
      for (const use of [...state.uses.values()]) give(state, use, use.running);
    },
  },
  save: ({ limits, uses, holdings }) => ({
    limits: saveTable(limits),
    uses: saveTable(uses),
    holdings: saveTable(holdings),
  }),
  restore(state, saved) {
    // Older snapshots have no limits at all.
    const tables = (saved ?? {}) as { limits?: Limit[]; uses?: LimitState[]; holdings?: LimitHolding[] };
    restoreTable(state.limits, tables.limits ?? []);
    restoreTable(state.uses, tables.uses ?? []);
    restoreTable(state.holdings, tables.holdings ?? []);
    for (const use of tables.uses ?? []) plan(state, use);
  },
};

/** The limits that are set of those that a task names, each with the key that counts there, none twice. */
export function resolve(
  { limits }: Pick<LimitsState, "limits">,
  named: readonly LimitUse[],
): (readonly [limit: Limit, key: string])[] {
  const found = new Map<string, readonly [Limit, string]>();
  for (const { limit: name, key = "" } of named) {
    const limit = limits.get(name);
    if (!limit) continue;
    const one = limit.perKey ? key : "";
    found.set(useId(name, one), [limit, one]);
  }
  return [...found.values()];
}

/** How many attempts count against it now. `all` is how many hold a slot, whatever they name. */
export function runningOf({ uses }: LimitsState, limit: string, key: string, all: number): number {
  return limit === EVERY_TASK ? all : (uses.get(useId(limit, key))?.running ?? 0);
}

/** When its bucket holds a token again; undefined when it holds one now, or there is none. */
export function tokenAt({ limits, uses }: LimitsState, limit: string, key: string, now: number): number | undefined {
  const rate = limits.get(limit)?.rate;
  const use = uses.get(useId(limit, key));
  return rate && use && creditAt(rate, use, now) < rate.per ? momentOf(rate, use, rate.per) : undefined;
}

function take(state: LimitsState, { id: limit, rate }: Limit, key: string, running: number, at: number): void {
  const id = useId(limit, key);
  const use = state.uses.get(id) ?? { id, limit, key, running: 0, credit: rate ? burstOf(rate) : 0, at };
  const credit = rate ? creditAt(rate, use, at) - rate.per : 0;
  const taken = { ...use, running: use.running + running, credit, at: Math.max(use.at, at) };
  state.uses.set(id, taken);
  plan(state, taken);
}

/** The slot of an attempt was given back. */
function release(state: LimitsState, task: string, attempt: number): void {
  const id = holdingId(task, attempt);
  const holding = state.holdings.get(id);
  if (!holding) return;
  state.holdings.delete(id);
  for (const [{ id: limit }, key] of resolve(state, holding.limits)) {
    const use = state.uses.get(useId(limit, key));
    if (use) give(state, use, 1);
  }
}

function give(state: LimitsState, use: LimitState, running: number): void {
  const left = { ...use, running: use.running - running };
  if (left.running > 0 || state.limits.get(use.limit)?.rate) {
    state.uses.set(use.id, left);
    if (left.running === 0) plan(state, left); // it may have been full before, and was kept for what ran
  } else drop(state, use.id);
}

/** Says when the bucket is full again; it is forgotten then, once nothing runs. */
function plan({ limits, due }: LimitsState, use: LimitState): void {
  const rate = limits.get(use.limit)?.rate;
  if (rate) due.set(use.id, momentOf(rate, use, burstOf(rate)));
  else due.delete(use.id);
}

function drop({ uses, due }: LimitsState, id: string): void {
  uses.delete(id);
  due.delete(id);
}

function usesOf({ uses }: LimitsState, limit: string): LimitState[] {
  return [...uses.values()].filter((use) => use.limit === limit);
}

/** A limit was set anew: what runs counts as if it always had been so. Tokens stay, unless they were by other keys; what was full is full. */
function recount(state: LimitsState, limit: Limit, before: Limit | undefined, at: number): void {
  const { rate } = limit;
  const old = usesOf(state, limit.id);
  for (const { id } of old) drop(state, id);
  const sameKeys = before !== undefined && (before.perKey ?? false) === (limit.perKey ?? false);
  if (rate && before?.rate && sameKeys)
    for (const use of old) {
      const had = creditAt(before.rate, use, at);
      if (had >= burstOf(before.rate)) continue; // full, whether it was forgotten yet or not
      const credit = scaled(had, before.rate, rate);
      const kept = { ...use, running: 0, credit, at: Math.max(use.at, at) };
      state.uses.set(use.id, kept);
      plan(state, kept);
    }
  for (const { limits } of state.holdings.values())
    for (const [{ id: name }, key] of resolve(state, limits)) {
      if (name !== limit.id) continue;
      const id = useId(name, key);
      const use = state.uses.get(id) ?? { id, limit: name, key, running: 0, credit: rate ? burstOf(rate) : 0, at };
      state.uses.set(id, { ...use, running: use.running + 1 });
    }
}

/** The same number of tokens in the units of another rate. */
function scaled(credit: number, from: Rate, to: Rate): number {
  return Math.min(burstOf(to), Math.floor((credit * to.per) / from.per));
}
