/**
 * Records as they lie in storage, and the checks they pass when they are read. Every adapter of this folder
 * uses them, so that damage is named in the same way everywhere.
 *
 * A batch's checksum covers the checksum of the batch before it: a record of another history, or of another
 * place in this one, never fits. The first link is made of the database's id.
 */
import { RuntimeError } from "../../core/errors.ts";
import { digestOf } from "../../core/json.ts";
import type { Batch } from "../../core/ports.ts";

/** A batch at rest. */
export interface BatchRecord {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly text: string;
  /** Covers the fields above and the sum of the record before. */
  readonly sum: string;
}

/** A text with the checksum of itself and of the place where it belongs. */
export interface Sealed {
  readonly text: string;
  readonly sum: string;
}

/** A point in the history: the checksum chain's value after the event `seq`. */
export interface Mark {
  readonly seq: number;
  readonly chain: string;
}

/** The mark before the first event. */
export function originOf(databaseId: string): Mark {
  return { seq: 0, chain: digestOf(databaseId) };
}

/** The error for a record that is missing or isn't what was written; `seq` is the first event that is in doubt. */
export function corrupt(seq: number, reason: string, more: object = {}): RuntimeError {
  return new RuntimeError("journal/corrupt", { seq, reason, ...more });
}

/** The error for batches that were let go of: what is left begins behind `base`. */
export function letGo(after: number, { seq: base }: Mark): RuntimeError {
  return corrupt(after + 1, "let go of", { base });
}

/** The error for a batch that doesn't continue the journal. */
export function conflict(expected: number, head: number, batch: Pick<Batch, "from" | "to">): RuntimeError {
  return new RuntimeError("journal/conflict", { expected, head, from: batch.from, to: batch.to });
}

/** The error for a snapshot of a state that the journal never had. */
export function misplaced(seq: number, head: number): RuntimeError {
  const reason = seq > head ? "the snapshot is ahead of the journal" : "the snapshot doesn't end with a batch";
  return new RuntimeError("journal/conflict", { seq, head, reason });
}

/** Refuses a batch that could not continue a journal with that head, whatever the journal holds. */
export function checkOrder(expectedHead: number, batch: Batch): void {
  const { from, to } = batch;
  if (from !== expectedHead + 1 || !Number.isSafeInteger(to) || to < from)
    throw conflict(expectedHead, expectedHead, batch);
}

/** Makes the record of a batch that follows `chain`. */
export function sealBatch(chain: string, { from, to, at, text }: Omit<BatchRecord, "sum">): BatchRecord {
  return { from, to, at, text, sum: digestOf(`${chain} ${from} ${to} ${at}\n${text}`) };
}

/**
 * Checks the record that has to begin with the event after `before`.
 * @throws RuntimeError `journal/corrupt` for a gap, an overlap, or anything that was not written so.
 */
export function checkBatch(value: unknown, before: Mark): BatchRecord {
  const next = before.seq + 1;
  if (!isBatchRecord(value)) throw corrupt(next, "not a batch");
  if (value.from > next) throw corrupt(next, "a gap");
  if (value.from < next || value.to < value.from) throw corrupt(value.from, "an overlap");
  if (sealBatch(before.chain, value).sum !== value.sum) throw corrupt(next, "not what was written");
  return value;
}

/** Tells whether a value has the form of a batch; whether it is the right one, only {@link checkBatch} can say. */
export function isBatchRecord(value: unknown): value is BatchRecord {
  if (typeof value !== "object" || value === null) return false;
  const { from, to, at, text, sum } = value as Readonly<Record<keyof BatchRecord, unknown>>;
  return (
    Number.isSafeInteger(from) &&
    Number.isSafeInteger(to) &&
    typeof at === "number" &&
    typeof text === "string" &&
    typeof sum === "string"
  );
}

/** The batch that a record holds. What finished in it is asked of the archive. */
export function batchOf({ from, to, at, text }: BatchRecord): Batch {
  return { from, to, at, text, archive: [] };
}

/** @throws RuntimeError `blob/range` unless the slice lies within the blob. */
export function checkRange(id: string, offset: number, size: number, of: number): void {
  const numbers = Number.isSafeInteger(offset) && Number.isSafeInteger(size);
  if (!numbers || offset < 0 || size < 0 || offset + size > of) {
    throw new RuntimeError("blob/range", { id, offset, size, of });
  }
}

/** The error for bytes that are missing or aren't what was written. */
export function damagedBlob(blob: string): RuntimeError {
  return new RuntimeError("journal/corrupt", { blob, reason: "not what was written" });
}

/** Seals a text for one place; another place needs another label. */
export function seal(label: string, text: string): Sealed {
  return { text, sum: digestOf(`${label}\n${text}`) };
}

/** The text that was sealed for this place, or undefined when the value is anything else. */
export function unseal(label: string, value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { text, sum } = value as Readonly<Record<keyof Sealed, unknown>>;
  return typeof text === "string" && seal(label, text).sum === sum ? text : undefined;
}

/** The label of a snapshot: it belongs to one point of one history. */
export function snapshotLabel({ seq, chain }: Mark): string {
  return `snapshot ${seq} ${chain}`;
}

/**
 * A 64-bit checksum of bytes, as 16 hexadecimal digits: two lanes over 32-bit words. Like the digest of texts
 * it finds damage and is not made to withstand an attacker.
 */
export function sumOfBytes(bytes: Uint8Array): string {
  const words = bytes.byteLength >>> 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = 0x811c9dc5 ^ bytes.byteLength;
  let b = 0x9e3779b9;
  const add = (word: number): void => {
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul(b ^ word ^ (a >>> 15), 0x85ebca6b);
  };
  for (let at = 0; at < words; at++) add(view.getInt32(at * 4, true));
  for (let at = words * 4; at < bytes.byteLength; at++) add(bytes[at] ?? 0);
  return [a ^ (b >>> 13), b ^ (a >>> 16)].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}
