/** A copy-on-write table of views, each made when somebody first looks at it: most are replaced before anybody does. */
import { createCowTable } from "./cow-table.ts";

export interface LazyTable<T> {
  get(key: string): T | undefined;
  /** `make` is called at most once, and must give the same whenever it is called. */
  set(key: string, make: () => T): void;
  delete(key: string): void;
  clear(): void;
  /** The present views; it stays as it is whatever is written later. The same object until something is. */
  snapshot(): ReadonlyMap<string, T>;
}

export function createLazyTable<T>(): LazyTable<T> {
  const table = createCowTable<() => T>();
  let makers: ReadonlyMap<string, () => T> | undefined;
  let views: ReadonlyMap<string, T> = new Map();
  return {
    get: (key) => table.get(key)?.(),
    set(key, make) {
      table.set(key, once(make));
    },
    delete: table.delete,
    clear: table.clear,
    snapshot() {
      const now = table.snapshot();
      if (now !== makers) views = viewsOf(now);
      makers = now;
      return views;
    },
  };
}

function once<T>(make: () => T): () => T {
  let view: T | undefined;
  return () => (view ??= make());
}

function viewsOf<T>(makers: ReadonlyMap<string, () => T>): ReadonlyMap<string, T> {
  const map: ReadonlyMap<string, T> = {
    size: makers.size,
    get: (key) => makers.get(key)?.(),
    has: makers.has,
    forEach(visit, self) {
      for (const [key, view] of entriesOf(makers)) visit.call(self, view, key, map);
    },
    keys: makers.keys,
    values: () => valuesOf(makers),
    entries: () => entriesOf(makers),
    [Symbol.iterator]: () => entriesOf(makers),
  };
  return map;
}

function* entriesOf<T>(makers: ReadonlyMap<string, () => T>): Generator<[string, T], undefined> {
  for (const [key, make] of makers) yield [key, make()];
}

function* valuesOf<T>(makers: ReadonlyMap<string, () => T>): Generator<T, undefined> {
  for (const make of makers.values()) yield make();
}
