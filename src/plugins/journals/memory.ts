/** Keeps a journal in memory, with every promise of a durable one except that it survives the process. */
import { RuntimeError } from "../../core/errors.ts";
import type {
  ArchivePage,
  ArchiveQuery,
  ArchiveRow,
  AuditRecord,
  Batch,
  BlobStore,
  Journal,
  JournalOpening,
  Snapshot,
} from "../../core/ports.ts";
import { cursorOf, kindNumber, KINDS, newestFirst, pageSize, placeOf, type Place } from "./archive-order.ts";
import { createMemoryDisk, portOf, type MemoryDisk, type MemoryPort, type MemoryWrite } from "./memory-disk.ts";
import {
  checkEnd,
  checkOwner,
  checkSame,
  decodeMeta,
  encodeMeta,
  freshMeta,
  isOutdated,
  lost,
  unavailable,
  withBatch,
  withSnapshot,
  type Meta,
} from "./meta.ts";
import {
  batchOf,
  checkBatch,
  checkOrder,
  checkRange,
  conflict,
  corrupt,
  damagedBlob,
  isBatchRecord,
  letGo,
  misplaced,
  seal,
  sealBatch,
  snapshotLabel,
  sumOfBytes,
  unseal,
  type Mark,
} from "./records.ts";

/** How to make a journal in memory. */
export interface MemoryJournalOptions {
  /** Where it writes; default: a new disk of its own. */
  readonly disk?: MemoryDisk;
}

/** One journal over a disk. */
interface Handle {
  readonly port: MemoryPort;
  /** What this owner left. @throws RuntimeError unless the journal is open. */
  known(): Meta;
  /** Writes as the owner, all or nothing. */
  write(write: MemoryWrite, commit: (meta: Meta, trim: boolean) => Meta | undefined): Promise<void>;
}

/** Makes a journal in memory. */
export function createMemoryJournal({ disk = createMemoryDisk() }: MemoryJournalOptions = {}): Journal {
  const port = portOf(disk);
  const listeners = new Set<(reason: string) => void>();
  let last: Meta | undefined;
  let end: (() => RuntimeError) | undefined;

  const whenLost = (): void => {
    port.lost.delete(whenLost);
    if (!last || end) return;
    end = () => lost("the disk was cleared");
    for (const tell of listeners) tell("storage-lost");
  };
  function known(): Meta {
    if (end) throw end();
    if (!last) throw unavailable("not open");
    return last;
  }
  const handle: Handle = {
    port,
    known,
    write: async (write, commit) => {
      known();
      await port.write(write, (fault) => {
        const next = commit(checkOwner(decodeMeta(port.records.head), known()), fault !== "no-trim");
        if (!next) return;
        last = next;
        port.records.head = encodeMeta(next);
        if (write.verb === "append") port.appended(write.batch);
      });
    },
  };
  return {
    open: async () => {
      if (end) throw end();
      return port.write({ verb: "open" }, () => {
        const opening = takeOver(port);
        last = decodeMeta(port.records.head);
        port.lost.add(whenLost);
        return opening;
      });
    },
    append: (expectedHead, batch) => append(handle, expectedHead, batch),
    read: (after) => read(handle, after),
    compact: (snapshot) => compact(handle, snapshot),
    archived: (id) => settle(() => archived(handle, id)),
    archive: (query = {}) => settle(() => (query.prefix === undefined ? listNewest : listPrefix)(handle, query)),
    blobs: createMemoryBlobs(handle),
    audit: {
      end: () => settle(() => (handle.known(), decodeMeta(port.records.head)?.audit)),
      read: (after, limit) => settle(() => (handle.known(), linesAfter(port, after, limit))),
    },
    onLost: (listener) => {
      listeners.add(listener);
    },
    close: () => {
      port.lost.delete(whenLost);
      end ??= () => unavailable("closed");
      return Promise.resolve();
    },
  };
}

function takeOver(port: MemoryPort): JournalOpening {
  const { records } = port;
  const found = decodeMeta(records.head);
  if (!found && records.batches.size > 0) throw corrupt(0, "the head record is missing");
  const before = found ?? freshMeta(port.databaseId());
  checkEnd(before, [...records.batches.values()].at(-1));
  const meta = { ...before, epoch: before.epoch + 1 };
  const { databaseId, epoch, head } = meta;
  const opening = { databaseId, epoch, head: head.seq, snapshot: newestSnapshot(port, meta) };
  records.head = encodeMeta(meta);
  return opening;
}

/** A promise of what is known at once; what is thrown rejects it. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function newestSnapshot({ records }: MemoryPort, { snapshots, base }: Meta): Snapshot | undefined {
  for (const mark of snapshots.toReversed()) {
    const text = unseal(snapshotLabel(mark), records.snapshots.get(mark.seq));
    if (text !== undefined) return { seq: mark.seq, text };
  }
  if (base.seq > 0) throw corrupt(base.seq, "no snapshot is what was written");
  return undefined;
}

async function append({ port, write }: Handle, expectedHead: number, given: Batch): Promise<void> {
  checkOrder(expectedHead, given);
  const batch = { ...given, archive: given.archive.map((row) => ({ ...row })) }; // the caller's may change meanwhile
  await write({ verb: "append", batch }, (meta) => {
    if (meta.head.seq !== expectedHead) throw conflict(expectedHead, meta.head.seq, batch);
    port.reserve(sizeOf(batch));
    const record = sealBatch(meta.head.chain, batch);
    port.records.batches.set(batch.from, record);
    const counts = KINDS.map(() => 0);
    for (const row of batch.archive) {
      const kind = kindNumber(row.kind);
      const place = { seq: batch.to, kind, row: counts[kind] ?? 0 };
      counts[kind] = place.row + 1;
      port.records.archive.push({ place, id: row.id, value: seal(labelOf(place), JSON.stringify(row)) });
    }
    keepLine(port, batch.line);
    return withBatch(meta, record, batch.line);
  });
}

function keepLine({ records: { audit }, free }: MemoryPort, line: AuditRecord | undefined): void {
  if (!line) return;
  const { end, text, cut } = line;
  audit.set(end.n, text);
  if (!cut) return;
  for (const [at, gone] of audit) if (at < cut.n && audit.delete(at)) free(gone.length + OVERHEAD);
  free((audit.get(cut.n)?.length ?? 0) - cut.text.length);
  audit.set(cut.n, cut.text);
}

function linesAfter({ records: { audit } }: MemoryPort, after: number, limit: number): string[] {
  const [first = 1] = audit.keys();
  const found: string[] = [];
  for (let n = Math.max(first, after + 1); found.length < limit; n++) {
    const line = audit.get(n);
    if (line === undefined) break;
    found.push(line);
  }
  return found;
}

const OVERHEAD = 64; // bytes of a record besides its text; a guess, as for every disk

function sizeOf(batch: Batch): number {
  const { archive, text: events, line } = batch;
  const own = events.length + OVERHEAD + (line ? line.text.length + OVERHEAD : 0);
  return archive.reduce((sum, { text }) => sum + text.length + OVERHEAD, own);
}

async function compact({ port, write }: Handle, { seq, text }: Snapshot): Promise<void> {
  await write({ verb: "compact", snapshot: { seq, text } }, (meta, trim) => {
    if (isOutdated(seq, meta)) return undefined;
    const { batches, snapshots } = port.records;
    const mark = { seq, chain: chainAt(port, seq, meta) };
    port.reserve(text.length + OVERHEAD);
    const next = withSnapshot(meta, mark);
    snapshots.set(seq, seal(snapshotLabel(mark), text));
    if (!trim) return { ...next, base: meta.base };
    for (const [at, value] of snapshots) if (at < next.base.seq && snapshots.delete(at)) port.free(weigh(value));
    for (const [from, value] of batches) if (from <= next.base.seq && batches.delete(from)) port.free(weigh(value));
    return next;
  });
}

function weigh(value: unknown): number {
  const { text } = value as { readonly text: string }; // a record that this journal wrote
  return text.length + OVERHEAD;
}

function chainAt({ records }: MemoryPort, seq: number, { head, base }: Meta): string {
  for (const mark of [head, base]) if (mark.seq === seq) return mark.chain;
  for (const value of records.batches.values()) if (isBatchRecord(value) && value.to === seq) return value.sum;
  throw misplaced(seq, head.seq);
}

async function* read({ port, known }: Handle, after: number): AsyncGenerator<Batch, void, undefined> {
  const meta = (): Meta => checkSame(decodeMeta(port.records.head), known());
  let at = markBefore(port, after, meta().base);
  while (at.seq < meta().head.seq) {
    if (at.seq < meta().base.seq) throw letGo(at.seq, meta().base); // meanwhile
    const value = port.records.batches.get(at.seq + 1);
    if (value === undefined) throw corrupt(at.seq + 1, "missing");
    const record = checkBatch(value, at);
    at = { seq: record.to, chain: record.sum };
    yield batchOf(record);
    await Promise.resolve(); // others get their turn, as with a real disk
  }
}

function markBefore({ records }: MemoryPort, after: number, base: Mark): Mark {
  if (after < base.seq) throw letGo(after, base);
  let mark = base;
  for (const value of records.batches.values()) {
    if (!isBatchRecord(value) || value.to > after) break;
    mark = { seq: value.to, chain: value.sum };
  }
  return mark;
}

function labelOf(place: Place): string {
  return `archive ${cursorOf(place)}`;
}

function rowAt(place: Place, value: unknown): ArchiveRow {
  const text = unseal(labelOf(place), value);
  if (text === undefined) throw corrupt(place.seq, "an archived row is not what was written");
  return JSON.parse(text) as ArchiveRow; // under the checksum
}

function archived({ port, known }: Handle, id: string): ArchiveRow | undefined {
  known();
  const found = port.records.archive.findLast((row) => row.id === id);
  return found && rowAt(found.place, found.value);
}

function listNewest({ port, known }: Handle, query: ArchiveQuery): ArchivePage {
  known();
  const limit = pageSize(query);
  const after = query.after === undefined ? undefined : placeOf(query.after);
  const found = port.records.archive
    .filter(({ place }) => query.kind === undefined || KINDS[place.kind] === query.kind)
    .filter(({ place }) => !after || newestFirst(after, place) < 0)
    .sort((a, b) => newestFirst(a.place, b.place));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page.map(({ place, value }) => rowAt(place, value)),
    next: found.length > limit && last ? cursorOf(last.place) : undefined,
  };
}

function listPrefix({ port, known }: Handle, query: ArchiveQuery): ArchivePage {
  known();
  const { prefix = "", after } = query;
  const limit = pageSize(query);
  const byId = new Map(port.records.archive.map((row) => [row.id, row])); // of rows with one id the newest
  const found = [...byId.values()]
    .filter(({ id }) => id.startsWith(prefix) && (after === undefined || id > after))
    .filter(({ place }) => query.kind === undefined || KINDS[place.kind] === query.kind)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = found.slice(0, limit);
  const rows = page.map(({ place, value }) => rowAt(place, value));
  return { rows, next: found.length > limit ? page.at(-1)?.id : undefined };
}

function createMemoryBlobs({ port, known, write }: Handle): BlobStore {
  const { blobs } = port.records;
  return {
    put: async (id, owner, bytes) => {
      const own = bytes.slice();
      await write({ verb: "put", id, owner, size: own.byteLength }, () => {
        if (blobs.has(id)) return undefined; // the first bytes stay
        port.reserve(own.byteLength + OVERHEAD);
        blobs.set(id, { owner, bytes: own, sum: sumOfBytes(own) });
        return undefined;
      });
    },
    get: (id, offset, size) =>
      settle(() => {
        known();
        const blob = blobs.get(id);
        if (!blob) throw new RuntimeError("blob/unknown", { id });
        checkRange(id, offset, size, blob.bytes.byteLength);
        if (sumOfBytes(blob.bytes) !== blob.sum) throw damagedBlob(id);
        return blob.bytes.slice(offset, offset + size);
      }),
    owners: () => settle(() => (known(), [...new Set([...blobs.values()].map(({ owner }) => owner))].sort())),
    release: async (owner) => {
      await write({ verb: "release", owner }, () => {
        for (const [id, blob] of blobs) {
          if (blob.owner !== owner || !blobs.delete(id)) continue;
          port.free(blob.bytes.byteLength + OVERHEAD);
        }
        return undefined;
      });
    },
  };
}
