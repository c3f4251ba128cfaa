/** Journals: one in the browser's IndexedDB, one in memory. */
export { createIndexedDbJournal, type IndexedDbJournalOptions } from "./indexeddb.ts";
export { createMemoryDisk, DAMAGES } from "./memory-disk.ts";
export type { Damage, MemoryDisk, MemoryDiskOptions, MemoryFault, MemoryWrite } from "./memory-disk.ts";
export { createMemoryJournal, type MemoryJournalOptions } from "./memory.ts";
