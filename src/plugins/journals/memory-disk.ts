/**
 * What a journal in memory writes on. A disk outlives its journals: open one twice and there are two owners, open
 * one later and there was a restart. Tests make it fail here.
 */
import { RuntimeError } from "../../core/errors.ts";
import type { Batch, Snapshot } from "../../core/ports.ts";
import type { Place } from "./archive-order.ts";
import { randomId } from "./meta.ts";
import { seal, type BatchRecord, type Sealed } from "./records.ts";

/** A write that a disk is about to do. */
export type MemoryWrite =
  | { readonly verb: "open" }
  | { readonly verb: "append"; readonly batch: Batch }
  | { readonly verb: "compact"; readonly snapshot: Snapshot }
  | { readonly verb: "put"; readonly id: string; readonly owner: string; readonly size: number }
  | { readonly verb: "release"; readonly owner: string };

/**
 * What can befall a write. `refuse`: nothing is written and it fails. `hang`: nothing is written and it never
 * settles. `hang-after`, `fail-after`: it is written, and never settles or is said to have failed. `no-trim`: of a
 * compaction only the snapshot is kept, as after a crash in between.
 */
export type MemoryFault = "refuse" | "hang" | "hang-after" | "fail-after" | "no-trim";

/** Which record to damage. `batch` kinds hit the middle batch, `archive` and `blob` the first one, `snapshot` the newest. */
export type Damage =
  | "batch-text"
  | "batch-torn"
  | "batch-missing"
  | "batch-foreign"
  | "last-missing"
  | "head"
  | "snapshot"
  | "archive"
  | "blob";

/** Every {@link Damage}. */
export const DAMAGES: readonly Damage[] = [
  "batch-text",
  "batch-torn",
  "batch-missing",
  "batch-foreign",
  "last-missing",
  "head",
  "snapshot",
  "archive",
  "blob",
];

/** A disk in memory. */
export interface MemoryDisk {
  /** Bytes that fit; a character of text counts as one. Lower it at any time. */
  capacity: number;
  readonly used: number;
  /** Asks before every write what is to befall it; a promise delays the write. Without a function, nothing does. */
  fail(decide?: (write: MemoryWrite) => MemoryFault | undefined | Promise<MemoryFault | undefined>): void;
  /** Changes a stored record behind its checksum. */
  corrupt(damage: Damage): void;
  /** Loses everything, as when a user clears the site's data; open journals hear of it. */
  clear(): void;
  /** Calls back with a copy of every batch that was written; returns the function that ends it. */
  onAppend(listener: (batch: Batch) => void): () => void;
}

/** The records of a disk. Values are `unknown` where they are checked when read. */
export interface MemoryRecords {
  head: unknown;
  readonly batches: Map<number, unknown>;
  readonly snapshots: Map<number, unknown>;
  /** Lines of the audit log by their number. */
  readonly audit: Map<number, string>;
  readonly archive: { readonly place: Place; readonly id: string; value: unknown }[];
  readonly blobs: Map<string, { readonly owner: string; readonly bytes: Uint8Array; readonly sum: string }>;
}

/** What journals need of their disk. */
export interface MemoryPort {
  readonly records: MemoryRecords;
  /** The id of the database that is made next. */
  databaseId(): string;
  /** Lets the fault befall the write: `commit` checks and writes at once, or throws and writes nothing. */
  write<T>(write: MemoryWrite, commit: (fault: MemoryFault | undefined) => T): Promise<T>;
  /** @throws RuntimeError `journal/quota` unless so many bytes more fit. */
  reserve(bytes: number): void;
  free(bytes: number): void;
  appended(batch: Batch): void;
  readonly lost: Set<() => void>;
}

const ports = new WeakMap<MemoryDisk, MemoryPort>();

/** The inside of a disk, for the journal over it. */
export function portOf(disk: MemoryDisk): MemoryPort {
  const port = ports.get(disk);
  if (!port) throw new RuntimeError("journal/unavailable", { reason: "not a disk of createMemoryDisk" });
  return port;
}

/** How to make a disk. */
export interface MemoryDiskOptions {
  /** Bytes that fit; default: no bound. */
  readonly capacity?: number;
  /** Gives the id of the database; default: random. */
  readonly databaseId?: () => string;
}

/** Makes an empty disk. */
export function createMemoryDisk({
  capacity = Number.POSITIVE_INFINITY,
  databaseId = randomId,
}: MemoryDiskOptions = {}): MemoryDisk {
  const records = emptyRecords();
  const listeners = new Set<(batch: Batch) => void>();
  const lost = new Set<() => void>();
  let used = 0;
  let decide: Parameters<MemoryDisk["fail"]>[0];

  const disk: MemoryDisk = {
    capacity,
    get used() {
      return used;
    },
    fail: (next) => (decide = next),
    corrupt: (damage) => spoil(records, damage),
    clear: () => {
      Object.assign(records, { head: undefined });
      for (const part of [records.batches, records.snapshots, records.blobs, records.audit]) part.clear();
      records.archive.length = 0;
      used = 0;
      for (const tell of [...lost]) tell();
    },
    onAppend: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  ports.set(disk, {
    records,
    databaseId,
    lost,
    write: async (write, commit) => {
      const fault = await decide?.(write);
      if (fault === "refuse") throw failed(write);
      if (fault === "hang") return never();
      const result = commit(fault);
      if (fault === "hang-after") return never();
      if (fault === "fail-after") throw failed(write);
      return result;
    },
    reserve: (bytes) => {
      if (used + bytes > disk.capacity) {
        throw new RuntimeError("journal/quota", { reason: "no space left", bytes, capacity: disk.capacity });
      }
      used += bytes;
    },
    free: (bytes) => (used -= bytes),
    appended: ({ archive, ...batch }) => {
      for (const listener of [...listeners]) listener({ ...batch, archive: archive.map((row) => ({ ...row })) });
    },
  });
  return disk;
}

function emptyRecords(): MemoryRecords {
  return { head: undefined, batches: new Map(), snapshots: new Map(), audit: new Map(), archive: [], blobs: new Map() };
}

function failed({ verb }: MemoryWrite): RuntimeError {
  return new RuntimeError("journal/unavailable", { reason: "a fault of the disk", verb });
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

function spoil(records: MemoryRecords, damage: Damage): void {
  const { batches, snapshots, archive, blobs } = records;
  const numbers = [...batches.keys()];
  const middle = numbers[numbers.length >> 1] ?? 0;
  const batch = batches.get(middle) as BatchRecord; // written by the journal; tests damage what they wrote
  switch (damage) {
    case "batch-text":
      batches.set(middle, { ...batch, text: flip(batch.text) });
      break;
    case "batch-torn":
      batches.set(middle, { from: batch.from, to: batch.to, text: batch.text.slice(0, 3) });
      break;
    case "batch-missing":
      batches.delete(middle);
      break;
    case "batch-foreign":
      batches.set(middle, { ...batch, sum: seal("another history", batch.text).sum });
      break;
    case "last-missing":
      batches.delete(numbers.at(-1) ?? 0);
      break;
    case "head":
      records.head = flipSealed(records.head);
      break;
    case "snapshot":
      for (const last of [...snapshots.keys()].slice(-1)) snapshots.set(last, flipSealed(snapshots.get(last)));
      break;
    case "archive":
      for (const row of archive.slice(0, 1)) row.value = flipSealed(row.value);
      break;
    case "blob":
      for (const { bytes } of [...blobs.values()].slice(0, 1)) bytes[0] = 255 - (bytes[0] ?? 0);
      break;
  }
}

function flipSealed(value: unknown): Sealed {
  const sealed = value as Sealed; // written by the journal
  return { ...sealed, text: flip(sealed.text) };
}

/** One character is another one. */
export function flip(text: string): string {
  const at = text.length >> 1;
  const other = text[at] === "x" ? "y" : "x";
  return text.slice(0, at) + other + text.slice(at + 1);
}
