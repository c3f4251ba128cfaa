/**
 * Priority inheritance: a task has at least the best rank of those that wait for it, directly or through others.
 * For every task that somebody waits for it is counted how many wait with which rank; a change goes up the chain from
 * there. The work of one command is bounded: what is left of a long chain is done with the next one.
 */
import type { Task } from "../tasks/task.ts";
import { RANKS } from "./model.ts";

/** Dependencies that one command looks at, at most. */
const MOST_STEPS = 10_000;

export interface Dependents {
  /** The task now waits for others, with this rank of its own. */
  add(task: Task, rank: number): void;
  /** It doesn't any more. */
  delete(id: string): void;
  has(id: string): boolean;
  /** The deadline of one that waits for others is near. */
  raise(id: string): void;
  /** The best rank of those that wait for it; RANKS when nobody does. */
  rankOf(id: string): number;
  /** Passes changes on; `changed` is told of tasks whose rank is another one. */
  settle(changed: (id: string) => void): void;
  clear(): void;
}

interface Waiting {
  readonly on: readonly string[];
  own: number;
  /** The rank by which it is counted. */
  counted: number;
}

interface State {
  readonly waiting: Map<string, Waiting>;
  /** By task that is waited for: how many wait, by rank. */
  readonly counts: Map<string, number[]>;
  /** Tasks for which the best rank of those that wait has changed. */
  readonly open: Set<string>;
}

export function createDependents(): Dependents {
  const state: State = { waiting: new Map(), counts: new Map(), open: new Set() };
  const { waiting, counts, open } = state;
  return {
    add(task, rank) {
      remove(state, task.id);
      const one: Waiting = { on: [...new Set(task.after?.tasks ?? [])], own: rank, counted: RANKS };
      waiting.set(task.id, one);
      recount(state, task.id, one);
    },
    delete(id) {
      remove(state, id);
    },
    has: (id) => waiting.has(id),
    raise(id) {
      const one = waiting.get(id);
      if (!one) return;
      one.own = 0;
      recount(state, id, one);
    },
    rankOf: (id) => rankOf(state, id),
    settle(changed) {
      let steps = 0;
      for (const id of open) {
        if (steps > MOST_STEPS) return;
        open.delete(id);
        steps++;
        const one = waiting.get(id);
        if (one) {
          steps += one.on.length;
          recount(state, id, one);
        } else changed(id);
      }
    },
    clear() {
      for (const part of [waiting, counts, open]) part.clear();
    },
  };
}

function rankOf({ counts }: State, id: string): number {
  const found = counts.get(id)?.findIndex((count) => count > 0) ?? -1;
  return found === -1 ? RANKS : found;
}

function count(state: State, on: readonly string[], rank: number, by: number): void {
  if (rank >= RANKS) return;
  const { counts, open } = state;
  for (const id of on) {
    const before = rankOf(state, id);
    let ranks = counts.get(id);
    if (!ranks) counts.set(id, (ranks = Array.from({ length: RANKS }, () => 0)));
    ranks[rank] = (ranks[rank] ?? 0) + by;
    if (ranks.every((some) => some === 0)) counts.delete(id);
    if (rankOf(state, id) !== before) open.add(id);
  }
}

function recount(state: State, id: string, one: Waiting): void {
  const rank = Math.min(one.own, rankOf(state, id));
  if (rank === one.counted) return;
  count(state, one.on, one.counted, -1);
  count(state, one.on, rank, 1);
  one.counted = rank;
}

function remove(state: State, id: string): void {
  const one = state.waiting.get(id);
  if (!one) return;
  state.waiting.delete(id);
  count(state, one.on, one.counted, -1);
}
