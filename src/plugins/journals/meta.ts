/** The one record that says who owns a journal and where it ends. Every write reads it first and stores the next one with it. */
import { RuntimeError } from "../../core/errors.ts";
import type { AuditEnd, AuditRecord } from "../../core/ports.ts";
import { corrupt, isBatchRecord, originOf, seal, unseal, type BatchRecord, type Mark, type Sealed } from "./records.ts";

/** Its content. `format` grows when old code could not read the records any more. */
export interface Meta {
  readonly format: 1;
  readonly databaseId: string;
  readonly epoch: number;
  /** The last event, and the checksum chain there. */
  readonly head: Mark;
  /** Batches up to here have been let go of. */
  readonly base: Mark;
  /** The snapshots that are kept, oldest first, at most two. */
  readonly snapshots: readonly Mark[];
  /** Characters of events ever written; tells when the journal is worth a reserve of space. */
  readonly written: number;
  /** Where the audit log ends; none before the first line. */
  readonly audit?: AuditEnd | undefined;
}

/** The key of the record, where records have keys. */
export const META_KEY = "journal";

/** A random id for a new database. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The record of a new database. */
export function freshMeta(databaseId: string): Meta {
  const origin = originOf(databaseId);
  return { format: 1, databaseId, epoch: 0, head: origin, base: origin, snapshots: [], written: 0 };
}

/** The record as it is stored. */
export function encodeMeta(meta: Meta): Sealed {
  return seal(META_KEY, JSON.stringify(meta));
}

/**
 * Reads a stored record; undefined when there is none.
 * @throws RuntimeError `journal/corrupt`, or `host/incompatible` for a format of a later version.
 */
export function decodeMeta(value: unknown): Meta | undefined {
  if (value === undefined) return undefined;
  const text = unseal(META_KEY, value);
  if (text === undefined) throw corrupt(0, "the head record is not what was written");
  const meta = JSON.parse(text) as Meta; // the checksum says that `encodeMeta` made it
  const format: number = meta.format;
  if (format !== 1) throw new RuntimeError("host/incompatible", { format });
  return meta;
}

/** The error for storage that does not hold any more what it held. */
export function lost(reason: string): RuntimeError {
  return new RuntimeError("runtime/storage-lost", { reason });
}

/** The error for storage that can't be used now. */
export function unavailable(reason: string, cause?: unknown): RuntimeError {
  return new RuntimeError("journal/unavailable", { reason }, { cause });
}

/** @throws RuntimeError `runtime/storage-lost` for another database or a shorter one than was known. */
export function checkSame(found: Meta | undefined, known: Meta): Meta {
  if (!found) throw lost("the database is empty");
  if (found.databaseId !== known.databaseId) throw lost("another database took its place");
  if (found.head.seq < known.head.seq) throw lost(`it ends at ${found.head.seq}, not at ${known.head.seq}`);
  return found;
}

/** @throws RuntimeError `journal/fenced` when the database has another owner by now. */
export function checkOwner(found: Meta | undefined, known: Meta): Meta {
  const meta = checkSame(found, known);
  if (meta.epoch === known.epoch) return meta;
  throw new RuntimeError("journal/fenced", { epoch: known.epoch, current: meta.epoch });
}

/** @throws RuntimeError `journal/corrupt` unless `last`, the last batch's record or undefined, ends the history. */
export function checkEnd({ head, base }: Meta, last: unknown): void {
  const end = last === undefined ? base : isBatchRecord(last) ? { seq: last.to, chain: last.sum } : undefined;
  if (end?.seq !== head.seq) throw corrupt((end?.seq ?? head.seq) + 1, `the head is ${head.seq}`);
  if (end.chain !== head.chain) throw corrupt(end.seq, "not what was written");
}

/** The record after a batch. */
export function withBatch(meta: Meta, { to, sum, text }: BatchRecord, line: AuditRecord | undefined): Meta {
  const audit = line && { audit: line.end };
  return { ...meta, head: { seq: to, chain: sum }, written: meta.written + text.length, ...audit };
}

/** The record after a snapshot. What the snapshot before it covers is let go of, so that either can be started from. */
export function withSnapshot(meta: Meta, mark: Mark): Meta {
  const snapshots = [...meta.snapshots.filter(({ seq }) => seq < mark.seq), mark].slice(-2);
  const [older, newer] = snapshots;
  return { ...meta, snapshots, base: older && newer ? older : meta.base };
}

/** Tells whether a snapshot would add nothing, since one as new is kept or there is nothing to keep. */
export function isOutdated(seq: number, { snapshots }: Meta): boolean {
  return seq === 0 || seq < (snapshots.at(-1)?.seq ?? 0);
}
