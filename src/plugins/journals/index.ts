/** Journals that are adapters of the Journal port. */
export { createMemoryDisk, DAMAGES } from "./memory-disk.ts";
export type { Damage, MemoryDisk, MemoryDiskOptions, MemoryFault, MemoryWrite } from "./memory-disk.ts";
export { createMemoryJournal, type MemoryJournalOptions } from "./memory.ts";
