/** The host's tables, and how a table is saved. */
import type { Table } from "./kernel.ts";

/** A table for the host: one Map, edited in place, that can note what stood there before. */
export class TrackedTable<T> extends Map<string, T> {
  /** While changes are noted: by changed key the record that stood there before the first change. */
  before: Map<string, T | undefined> | undefined = undefined;

  override set(key: string, record: T): this {
    this.#note(key);
    return super.set(key, record);
  }

  override delete(key: string): boolean {
    this.#note(key);
    return super.delete(key);
  }

  #note(key: string): void {
    const { before } = this;
    if (before && !before.has(key)) before.set(key, this.get(key));
  }
}

export function createTable<T>(): Table<T> {
  return new TrackedTable<T>();
}

/** The records of a table, in the order in which their keys were first set. */
export function saveTable<T>(table: Table<T>): T[] {
  return [...table.values()];
}

/** Fills a table with records that know their own id. */
export function restoreTable<T extends { readonly id: string }>(table: Table<T>, records: readonly T[]): void {
  for (const record of records) table.set(record.id, record);
}

/** Keeps the record as the newest one; beyond a number the oldest one goes. */
export function keepLatest<T extends { readonly id: string }>(table: Table<T>, record: T, most: number): void {
  table.delete(record.id);
  table.set(record.id, record);
  if (table.size <= most) return;
  for (const [oldest] of table.entries()) {
    table.delete(oldest);
    return;
  }
}
