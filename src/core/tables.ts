/** The host's tables, and how a table is saved. */
import type { Table } from "./kernel.ts";

/** A table for the host: one Map, edited in place. */
export function createTable<T>(): Table<T> {
  return new Map<string, T>();
}

/** The records of a table, in the order in which their keys were first set. */
export function saveTable<T>(table: Table<T>): T[] {
  return [...table.values()];
}

/** Fills a table with records that know their own id. */
export function restoreTable<T extends { readonly id: string }>(table: Table<T>, records: readonly T[]): void {
  for (const record of records) table.set(record.id, record);
}
