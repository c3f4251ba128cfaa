/** Due times by key: a binary heap with the place of every key, so that a change or a removal costs O(log n). */
import type { DueIndex } from "../kernel.ts";

export interface DueQueue extends DueIndex {
  readonly size: number;
  /** The earliest due time, or undefined when nothing waits. */
  next(): number | undefined;
  /** Takes out every key that is due at `now`, earliest first; equal times by key, so that the order is the same everywhere. */
  take(now: number): string[];
}

interface Entry {
  readonly key: string;
  at: number;
}

export function createDueQueue(): DueQueue {
  const heap: Entry[] = [];
  const places = new Map<string, number>();

  const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.key < b.key);
  const put = (entry: Entry, place: number): void => {
    heap[place] = entry;
    places.set(entry.key, place);
  };
  const rise = (entry: Entry, from: number): number => {
    let place = from;
    while (place > 0) {
      const up = (place - 1) >> 1;
      const parent = heap[up];
      if (!parent || !before(entry, parent)) break;
      put(parent, place);
      place = up;
    }
    put(entry, place);
    return place;
  };
  const sink = (entry: Entry, from: number): void => {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      const first = heap[left];
      if (!first) break;
      const second = heap[left + 1];
      const down = second && before(second, first) ? left + 1 : left;
      const child = down === left ? first : second;
      if (!child || !before(child, entry)) break;
      put(child, place);
      place = down;
    }
    put(entry, place);
  };
  const remove = (key: string): void => {
    const place = places.get(key);
    if (place === undefined) return;
    places.delete(key);
    const last = heap.pop();
    if (!last || last.key === key) return;
    if (rise(last, place) === place) sink(last, place);
  };

  return {
    get size() {
      return heap.length;
    },
    set(key, at) {
      remove(key);
      rise({ key, at }, heap.length);
    },
    delete: remove,
    next: () => heap[0]?.at,
    take(now) {
      const keys: string[] = [];
      for (let first = heap[0]; first && first.at <= now; first = heap[0]) {
        keys.push(first.key);
        remove(first.key);
      }
      return keys;
    },
  };
}
