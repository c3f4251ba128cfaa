/**
 * A table whose snapshots never change. Records are spread over shards; a shard is copied when it is first
 * written after a snapshot. A batch of changes to a table of n records so costs its own size and the shards it
 * touches (n/64 records each), whatever the history. Iteration goes shard by shard, in no order to rely on.
 */
import type { Table } from "../core/kernel.ts";

const SHARDS = 64;

type Shards<T> = readonly ReadonlyMap<string, T>[];

export interface CowTable<T> extends Table<T> {
  /** The present records; it stays as it is whatever is written later. The same object until something is. */
  snapshot(): ReadonlyMap<string, T>;
  clear(): void;
}

export function createCowTable<T>(): CowTable<T> {
  let shards: Map<string, T>[] = Array.from({ length: SHARDS }, () => new Map<string, T>());
  let shared = new Uint8Array(SHARDS);
  let size = 0;
  let taken: ReadonlyMap<string, T> | undefined;

  const shardOf = (key: string): Map<string, T> => shards[place(key)] ?? new Map<string, T>();
  const writable = (key: string): Map<string, T> => {
    const at = place(key);
    taken = undefined;
    if (shared[at] === 0) return shardOf(key);
    const copy = new Map(shards[at]);
    shards[at] = copy;
    shared[at] = 0;
    return copy;
  };

  return {
    get size() {
      return size;
    },
    get: (key) => shardOf(key).get(key),
    has: (key) => shardOf(key).has(key),
    set(key, record) {
      const shard = writable(key);
      if (!shard.has(key)) size++;
      shard.set(key, record);
    },
    delete(key) {
      if (!shardOf(key).has(key)) return;
      writable(key).delete(key);
      size--;
    },
    values: () => valuesOf(shards),
    entries: () => entriesOf(shards),
    snapshot() {
      if (taken) return taken;
      shared.fill(1);
      taken = createSnapshot([...shards], size);
      return taken;
    },
    clear() {
      shards = Array.from({ length: SHARDS }, () => new Map<string, T>());
      shared = new Uint8Array(SHARDS);
      size = 0;
      taken = undefined;
    },
  };
}

/** Ids differ in their last characters, so these choose the shard. */
function place(key: string): number {
  let mixed = 0;
  for (let at = Math.max(0, key.length - 8); at < key.length; at++)
    mixed = (Math.imul(mixed, 31) + key.charCodeAt(at)) | 0;
  return mixed & (SHARDS - 1);
}

function* entriesOf<T>(shards: Shards<T>): Generator<[string, T], undefined> {
  for (const shard of shards) yield* shard.entries();
}

function* keysOf(shards: Shards<unknown>): Generator<string, undefined> {
  for (const shard of shards) yield* shard.keys();
}

function* valuesOf<T>(shards: Shards<T>): Generator<T, undefined> {
  for (const shard of shards) yield* shard.values();
}

function createSnapshot<T>(shards: Shards<T>, size: number): ReadonlyMap<string, T> {
  const map: ReadonlyMap<string, T> = {
    size,
    get: (key) => shards[place(key)]?.get(key),
    has: (key) => shards[place(key)]?.has(key) ?? false,
    forEach(visit, self) {
      for (const [key, record] of entriesOf(shards)) visit.call(self, record, key, map);
    },
    keys: () => keysOf(shards),
    values: () => valuesOf(shards),
    entries: () => entriesOf(shards),
    [Symbol.iterator]: () => entriesOf(shards),
  };
  return map;
}
