/** A binary heap whose items know their place, so that one can be moved or taken out in O(log n). */

/** An item may stand in one heap at a time; `place` is the heap's, and -1 while it stands in none. */
export interface Placed {
  place: number;
}

export interface Heap<T extends Placed> {
  readonly size: number;
  first(): T | undefined;
  add(item: T): void;
  /** Nothing happens when it isn't there. */
  delete(item: T): void;
  /** The item's order has changed. */
  update(item: T): void;
  values(): IterableIterator<T>;
}

export function createHeap<T extends Placed>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];

  const put = (item: T, place: number): void => {
    items[place] = item;
    item.place = place;
  };
  const rise = (item: T, from: number): number => {
    let place = from;
    while (place > 0) {
      const up = (place - 1) >> 1;
      const parent = items[up];
      if (!parent || !before(item, parent)) break;
      put(parent, place);
      place = up;
    }
    put(item, place);
    return place;
  };
  const sink = (item: T, from: number): void => {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      const first = items[left];
      if (!first) break;
      const second = items[left + 1];
      const down = second && before(second, first) ? left + 1 : left;
      const child = down === left ? first : second;
      if (!child || !before(child, item)) break;
      put(child, place);
      place = down;
    }
    put(item, place);
  };
  const settle = (item: T, place: number): void => {
    if (rise(item, place) === place) sink(item, place);
  };
  return {
    get size() {
      return items.length;
    },
    first: () => items[0],
    add(item) {
      rise(item, items.length);
    },
    delete(item) {
      const { place } = item;
      if (place < 0 || items[place] !== item) return;
      item.place = -1;
      const last = items.pop();
      if (last && last !== item) settle(last, place);
    },
    update(item) {
      if (item.place >= 0 && items[item.place] === item) settle(item, item.place);
    },
    values: () => items.values(),
  };
}
