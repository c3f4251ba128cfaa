/** Queued tasks in the order in which they start: by priority, then by creation. A binary heap; what left is dropped when it surfaces. */
import { PRIORITIES } from "../tasks/priority.ts";
import type { Task } from "../tasks/task.ts";

export interface Ready {
  readonly id: string;
  readonly rank: number;
  readonly order: number;
}

export interface ReadyQueue {
  add(ready: Ready): void;
  delete(id: string): void;
  /** The one that starts next, or undefined. */
  first(): Ready | undefined;
  readonly size: number;
}

export function readyOf({ id, priority, order }: Task): Ready {
  return { id, rank: PRIORITIES.indexOf(priority), order };
}

/** The order of starting; the same in every queue, so that heads of several can be compared. */
export function startsBefore(a: Ready, b: Ready): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order < b.order);
}

export function createReadyQueue(): ReadyQueue {
  const heap: Ready[] = [];
  const members = new Map<string, Ready>();

  const pop = (): void => {
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const first = heap[left];
      if (!first) break;
      const second = heap[left + 1];
      const down = second && startsBefore(second, first) ? left + 1 : left;
      const child = down === left ? first : second;
      if (!child || !startsBefore(child, last)) break;
      heap[place] = child;
      place = down;
    }
    heap[place] = last;
  };

  return {
    get size() {
      return members.size;
    },
    add(ready) {
      members.set(ready.id, ready);
      let place = heap.length;
      while (place > 0) {
        const up = (place - 1) >> 1;
        const parent = heap[up];
        if (!parent || !startsBefore(ready, parent)) break;
        heap[place] = parent;
        place = up;
      }
      heap[place] = ready;
    },
    delete(id) {
      members.delete(id);
      // Dropping lazily must not let the gone outnumber the waiting for long.
      if (heap.length > 64 && heap.length > 4 * members.size) rebuild(heap, members);
    },
    first() {
      for (let head = heap[0]; head; head = heap[0]) {
        if (members.get(head.id) === head) return head;
        pop();
      }
      return undefined;
    },
  };
}

function rebuild(heap: Ready[], members: ReadonlyMap<string, Ready>): void {
  const waiting = [...members.values()].sort((a, b) => (startsBefore(a, b) ? -1 : 1));
  heap.length = 0;
  for (const ready of waiting) heap.push(ready); // a sorted list is a heap
}
