/** A journal in memory whose "disk" outlives its owners, with a gate before every verb that writes. */
import { RuntimeError } from "../../../src/core/errors.ts";
import type {
  ArchivePage,
  ArchiveQuery,
  ArchiveRow,
  Batch,
  Journal,
  JournalOpening,
  Snapshot,
} from "../../../src/core/ports.ts";

/** What lies on the disk. */
export interface Disk {
  epoch: number;
  head: number;
  snapshot: Snapshot | undefined;
  batches: Batch[];
  /** Every batch that was ever appended, compacted or not. */
  readonly history: Batch[];
  /** Every row that was ever archived, in the order of writing. */
  readonly archived: ArchiveRow[];
}

/** Carries a verb out, or doesn't, or says something else happened. */
export type Gate = (verb: "append" | "compact", commit: () => void) => Promise<void>;

export function createDisk(): Disk {
  return { epoch: 0, head: 0, snapshot: undefined, batches: [], history: [], archived: [] };
}

export const openGate: Gate = async (_verb, commit) => {
  await Promise.resolve();
  commit();
};

export function createMemoryJournal(disk: Disk, gate: Gate = openGate): Journal {
  let epoch = 0;
  const mine = (): void => {
    if (epoch !== disk.epoch) throw new RuntimeError("journal/fenced", { epoch, current: disk.epoch });
  };
  return {
    async open(): Promise<JournalOpening> {
      await Promise.resolve();
      epoch = ++disk.epoch;
      return { databaseId: "memory", epoch, head: disk.head, snapshot: disk.snapshot };
    },
    append: (expectedHead, batch) =>
      gate("append", () => {
        mine();
        if (disk.head !== expectedHead || batch.from !== expectedHead + 1)
          throw new RuntimeError("journal/conflict", { expectedHead, head: disk.head });
        disk.batches.push(batch);
        disk.history.push(batch);
        disk.archived.push(...batch.archive);
        disk.head = batch.to;
      }),
    async *read(after): AsyncGenerator<Batch> {
      for (const batch of [...disk.batches]) {
        await Promise.resolve();
        if (batch.to > after) yield batch;
      }
    },
    compact: (snapshot) =>
      gate("compact", () => {
        mine();
        if (disk.snapshot && disk.snapshot.seq >= snapshot.seq) return;
        disk.snapshot = snapshot;
        disk.batches = disk.batches.filter(({ to }) => to > snapshot.seq);
      }),
    archived: (id) => Promise.resolve(disk.archived.findLast((row) => row.id === id)),
    archive: ({ limit = 100 }: ArchiveQuery = {}): Promise<ArchivePage> =>
      Promise.resolve({ rows: disk.archived.slice(-limit).reverse(), next: undefined }),
    blobs: {
      put: () => Promise.resolve(),
      get: (id) => Promise.reject(new RuntimeError("blob/unknown", { id })),
      owners: () => Promise.resolve([]),
      release: () => Promise.resolve(),
    },
    onLost: () => undefined,
    close: () => Promise.resolve(),
  };
}
