/** Due times by key: a binary heap with the place of every key, so that a change or a removal costs O(log n). */
import type { DueIndex } from "../kernel.ts";

export interface DueQueue extends DueIndex {
  readonly size: number;
  /** The earliest due time, or undefined when nothing waits. */
  next(): number | undefined;
  /** The key that is due first. */
  first(): string | undefined;
  /** Takes out every key that is due at `now`, earliest first; equal times by key, so that the order is the same everywhere. */
  take(now: number): string[];
}

interface Entry {
  readonly key: string;
  at: number;
}

/** The heap, and the place of every key in it. */
interface Heap {
  readonly entries: Entry[];
  readonly places: Map<string, number>;
}

export function createDueQueue(): DueQueue {
  const heap: Heap = { entries: [], places: new Map() };
  const { entries } = heap;
  return {
    get size() {
      return entries.length;
    },
    set(key, at) {
      remove(heap, key);
      rise(heap, { key, at }, entries.length);
    },
    delete(key) {
      remove(heap, key);
    },
    next: () => entries[0]?.at,
    first: () => entries[0]?.key,
    take(now) {
      const keys: string[] = [];
      for (let first = entries[0]; first && first.at <= now; first = entries[0]) {
        keys.push(first.key);
        remove(heap, first.key);
      }
      return keys;
    },
  };
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.key < b.key);
}

function put({ entries, places }: Heap, entry: Entry, place: number): void {
  entries[place] = entry;
  places.set(entry.key, place);
}

/** Puts the entry where it belongs at or above the place, and says where that is. */
function rise(heap: Heap, entry: Entry, from: number): number {
  let place = from;
  while (place > 0) {
    const up = (place - 1) >> 1;
    const parent = heap.entries[up];
    if (!parent || !before(entry, parent)) break;
    put(heap, parent, place);
    place = up;
  }
  put(heap, entry, place);
  return place;
}

/** Puts the entry where it belongs at or below the place. */
function sink(heap: Heap, entry: Entry, from: number): void {
  let place = from;
  for (;;) {
    const left = 2 * place + 1;
    const first = heap.entries[left];
    if (!first) break;
    const second = heap.entries[left + 1];
    const down = second && before(second, first) ? left + 1 : left;
    const child = down === left ? first : second;
    if (!child || !before(child, entry)) break;
    put(heap, child, place);
    place = down;
  }
  put(heap, entry, place);
}

function remove(heap: Heap, key: string): void {
  const { entries, places } = heap;
  const place = places.get(key);
  if (place === undefined) return;
  places.delete(key);
  const last = entries.pop();
  if (!last || last.key === key) return;
  if (rise(heap, last, place) === place) sink(heap, last, place);
}
