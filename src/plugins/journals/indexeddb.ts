/** Keeps a journal in IndexedDB: in a page, a dedicated or a shared worker, of every browser. */
import type { Journal, JournalOpening } from "../../core/ports.ts";
import { packRows } from "./indexeddb/archive-rows.ts";
import { createArchive } from "./indexeddb/archive.ts";
import { createAuditStore } from "./indexeddb/audit-lines.ts";
import { createBallast, isFull } from "./indexeddb/ballast.ts";
import { append, compact, read, takeOver } from "./indexeddb/batches.ts";
import { createBlobs } from "./indexeddb/blobs.ts";
import { openDatabase } from "./indexeddb/database.ts";
import { createOwner } from "./indexeddb/owner.ts";

/** How to make a journal in IndexedDB. */
export interface IndexedDbJournalOptions {
  /** Of the journal; the database is called `troupe:<name>`. */
  readonly name: string;
  /** Default: the browser's. */
  readonly factory?: IDBFactory;
  /** Bytes kept as a reserve for the moment when the quota is full; default 4 MiB, 0 for none. */
  readonly ballast?: number;
  /** Milliseconds to wait for tabs that keep the database open in an older version; default 2,000. */
  readonly blockedAfter?: number;
  /** Milliseconds to wait for a browser that gives no answer at all; default 10,000. */
  readonly patience?: number;
}

/**
 * Makes a journal in IndexedDB. Its writes are durable in the strict sense: they survive a power cut.
 * Its `onLost` gives `"deleted"`, `"storage-lost"`, `"upgrade"` (another tab brings a newer version; this journal
 * is closed) or `"connection"` (the browser's storage doesn't answer; a later call may succeed).
 */
export function createIndexedDbJournal({
  name,
  factory = globalThis.indexedDB,
  ballast: reserve = 4 * 1_024 * 1_024,
  blockedAfter = 2_000,
  patience = 10_000,
}: IndexedDbJournalOptions): Journal {
  const listeners = new Set<(reason: string) => void>();
  const owner = createOwner({
    open: (create) => openDatabase({ name: `troupe:${name}`, factory, create, blockedAfter, patience }),
    onLost: (reason) => {
      for (const listener of listeners) listener(reason);
    },
  });
  const ballast = createBallast(owner, reserve);
  const archive = createArchive(owner);

  const take = (): Promise<JournalOpening> =>
    owner.take(["batches", "snapshots", "archive", "index", "ballast"], async (tx, stored) => {
      await ballast.load(tx);
      await archive.load(tx);
      return takeOver(tx, stored);
    });
  return {
    // Without space not even the epoch could be raised; the guard makes some.
    open: async () => {
      const opening = await ballast.guard(take).catch((error: unknown) => {
        if (isFull(error)) return take();
        throw error;
      });
      await ballast.prepare();
      return opening;
    },
    isFull: ballast.spent,
    append: async (expectedHead, batch) => {
      const rows = packRows(batch.to, batch.archive);
      await ballast.guard(() => append(owner, expectedHead, batch, rows));
      archive.note(rows);
    },
    read: (after) => read(owner, after),
    compact: (snapshot) => ballast.guard(() => compact(owner, snapshot)),
    archived: (id) => archive.find(id),
    archive: (query = {}) => archive.list(query),
    blobs: createBlobs(owner),
    audit: createAuditStore(owner),
    onLost: (listener) => {
      listeners.add(listener);
    },
    close: async () => {
      await Promise.all([ballast.settled(), archive.settled()]);
      await owner.close();
    },
  };
}
