/**
 * Raises what waits: by one rank for every AGING milliseconds. As the step is the same for all, those who age stand
 * in one list in the order in which they are raised, so that it costs O(1) for each; the few that come back with an
 * older moment than the last one stand in a heap.
 */
import { createDueQueue } from "../timers/due-queue.ts";
import type { Entry } from "./model.ts";

/** For every so many milliseconds of waiting a task is raised by one rank. */
export const AGING = 30_000;

export interface Aging {
  add(entry: Entry, since: number): void;
  delete(entry: Entry): void;
  /** Raises all that is due. */
  advance(now: number): void;
  clear(): void;
}

/** `raised` is told of an entry whose `aged` has grown. */
export function createAging(raised: (entry: Entry) => void): Aging {
  const odd = new Map<string, Entry>();
  const oddDue = createDueQueue();
  let first: Entry | undefined;
  let last: Entry | undefined;

  const append = (entry: Entry): void => {
    if (last && last.raiseAt > entry.raiseAt) {
      odd.set(entry.task.id, entry);
      oddDue.set(entry.task.id, entry.raiseAt);
      return;
    }
    entry.previous = last;
    if (last) last.next = entry;
    else first = entry;
    last = entry;
  };
  const unlink = (entry: Entry): void => {
    const { previous, next, task } = entry;
    if (odd.get(task.id) === entry) {
      odd.delete(task.id);
      oddDue.delete(task.id);
      return;
    }
    if (!previous && first !== entry) return; // it doesn't age
    if (first === entry) first = next;
    if (last === entry) last = previous;
    detach(entry);
  };
  const raise = (entry: Entry): void => {
    unlink(entry);
    entry.aged++;
    entry.raiseAt += AGING;
    if (entry.aged < entry.own) append(entry);
    raised(entry);
  };
  const advance = (now: number): void => {
    for (;;) {
      const odds = oddDue.next() ?? Infinity;
      const next = Math.min(first?.raiseAt ?? Infinity, odds);
      if (next > now || next === Infinity) return;
      if (first?.raiseAt === next) raise(first);
      else for (const id of oddDue.take(next)) raise(odd.get(id) ?? never(id));
    }
  };
  return {
    add(entry, since) {
      advance(since); // what is due by then comes before it
      entry.raiseAt = since + AGING;
      if (entry.own > 0) append(entry);
    },
    delete: unlink,
    advance,
    clear() {
      first = last = undefined;
      odd.clear();
      oddDue.take(Infinity);
    },
  };
}

function detach(entry: Entry): void {
  const { previous, next } = entry;
  if (previous) previous.next = next;
  if (next) next.previous = previous;
  entry.previous = entry.next = undefined;
}

function never(id: string): never {
  throw new Error(`${id} was due but isn't there`);
}
