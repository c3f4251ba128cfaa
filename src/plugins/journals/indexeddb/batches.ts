/** Batches and snapshots: what the journal is made of. */
import type { Batch, JournalOpening, Snapshot } from "../../../core/ports.ts";
import { checkEnd, freshMeta, isOutdated, randomId, withBatch, withSnapshot, type Meta } from "../meta.ts";
import {
  batchOf,
  checkBatch,
  checkOrder,
  conflict,
  corrupt,
  isBatchRecord,
  letGo,
  misplaced,
  seal,
  sealBatch,
  snapshotLabel,
  unseal,
  type BatchRecord,
  type Mark,
} from "../records.ts";
import type { PackedRows } from "./archive-rows.ts";
import { writeLine } from "./audit-lines.ts";
import { send } from "./connection.ts";
import type { ReadTx, Table, WriteTx } from "./database.ts";
import type { Owner } from "./owner.ts";

/** Becomes the owner, checks both ends of the history, and finds the newest snapshot that is whole. */
export async function takeOver(tx: WriteTx, stored: Meta | undefined): Promise<readonly [Meta, JournalOpening]> {
  const last = (await tx.objectStore("batches").openCursor(null, "prev"))?.value;
  if (!stored && (last !== undefined || (await tx.objectStore("snapshots").count()) > 0)) {
    throw corrupt(0, "the head record is missing");
  }
  const before = stored ?? freshMeta(randomId());
  checkEnd(before, last);
  const meta = { ...before, epoch: before.epoch + 1 };
  const { databaseId, epoch, head } = meta;
  return [meta, { databaseId, epoch, head: head.seq, snapshot: await newestSnapshot(tx, meta) }];
}

/** A damaged snapshot is passed over as long as an older one, or the beginning, and all batches after it are there. */
async function newestSnapshot(tx: ReadTx, { snapshots, base }: Meta): Promise<Snapshot | undefined> {
  for (const mark of snapshots.toReversed()) {
    const text = unseal(snapshotLabel(mark), await tx.objectStore("snapshots").get(mark.seq));
    if (text !== undefined) return { seq: mark.seq, text };
  }
  if (base.seq > 0) throw corrupt(base.seq, "no snapshot is what was written");
  return undefined;
}

/** Adds a batch, and the rows of what finished in it. */
export async function append(owner: Owner, expectedHead: number, given: Batch, rows: PackedRows): Promise<void> {
  checkOrder(expectedHead, given);
  const batch = { ...given }; // the caller may change its own while we wait for our turn
  const tables: readonly Table[] = rows.pieces.length > 0 ? ["batches", "archive"] : ["batches"];
  let record: BatchRecord | undefined;
  await owner.write(tables, ({ tx, meta, again, save }) => {
    if (again && meta.head.chain === record?.sum) return; // the lost connection did commit it
    if (meta.head.seq !== expectedHead) throw conflict(expectedHead, meta.head.seq, batch);
    record = sealBatch(meta.head.chain, batch);
    send(tx.objectStore("batches").add(record, batch.from));
    for (const [key, piece] of rows.pieces) send(tx.objectStore("archive").put(piece, key));
    if (batch.line) writeLine(tx, batch.line);
    save(withBatch(meta, record, batch.line));
  });
}

/** Keeps a snapshot, and lets go of what the one before it covers. */
export async function compact(owner: Owner, { seq, text }: Snapshot): Promise<void> {
  await owner.write(["batches", "snapshots"], async ({ tx, meta, save }) => {
    if (isOutdated(seq, meta)) return;
    const mark: Mark = { seq, chain: await chainAt(tx, seq, meta) };
    const next = withSnapshot(meta, mark);
    send(tx.objectStore("snapshots").put(seal(snapshotLabel(mark), text), seq));
    send(tx.objectStore("snapshots").delete(IDBKeyRange.upperBound(next.base.seq, true)));
    send(tx.objectStore("batches").delete(IDBKeyRange.upperBound(next.base.seq)));
    save(next);
  });
}

async function chainAt(tx: ReadTx, seq: number, { head, base }: Meta): Promise<string> {
  if (seq === head.seq) return head.chain;
  if (seq === base.seq) return base.chain;
  const last: unknown = (await tx.objectStore("batches").openCursor(IDBKeyRange.upperBound(seq), "prev"))?.value;
  if (isBatchRecord(last) && last.to === seq) return last.sum;
  throw misplaced(seq, head.seq);
}

/** About how many characters of text are held at once while reading. */
const PIECE = 1 << 20;
const MOST_RECORDS = 1_000;

/** Reads all batches with events after `after`, in pieces, each in a transaction of its own. */
export async function* read(owner: Owner, after: number): AsyncGenerator<Batch, void, undefined> {
  let count = 2; // a single batch may be large
  let at: Mark | undefined;
  for (;;) {
    const records: BatchRecord[] = await owner.read(["meta", "batches"], async (tx) => {
      const { base, head } = await owner.meta(tx);
      at ??= await markBefore(tx, after, base);
      if (at.seq < base.seq) throw letGo(at.seq, base); // meanwhile
      return piece(tx, at, count, head.seq);
    });
    if (records.length === 0) return;
    for (const record of records) yield batchOf(record);
    const last = records.at(-1);
    if (last) at = { seq: last.to, chain: last.sum };
    const size = records.reduce((sum, { text }) => sum + text.length, 0) / records.length;
    count = Math.max(1, Math.min(MOST_RECORDS, count * 4, Math.floor(PIECE / (size + 1))));
  }
}

async function piece(tx: ReadTx, before: Mark, count: number, head: number): Promise<BatchRecord[]> {
  const values = await tx.objectStore("batches").getAll(IDBKeyRange.lowerBound(before.seq, true), count);
  if (values.length === 0 && before.seq < head) throw corrupt(before.seq + 1, "missing");
  let at = before;
  return values.map((value) => {
    const record = checkBatch(value, at);
    at = { seq: record.to, chain: record.sum };
    return record;
  });
}

/** The mark from which the batch that holds the event after `after` can be checked. */
async function markBefore(tx: ReadTx, after: number, base: Mark): Promise<Mark> {
  if (after < base.seq) throw letGo(after, base);
  let cursor = await tx.objectStore("batches").openCursor(IDBKeyRange.upperBound(after), "prev");
  let next = after + 1;
  if (isBatchRecord(cursor?.value) && cursor.value.to > after) {
    next = cursor.value.from; // `after` lies inside this batch: begin with it
    cursor = await cursor.continue();
  }
  const value: unknown = cursor?.value;
  const mark = isBatchRecord(value) ? { seq: value.to, chain: value.sum } : base;
  if (cursor && mark === base) throw corrupt(next, "the record before is not a batch");
  return mark;
}
