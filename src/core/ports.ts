/** Keeps secrets by name, apart from the journal; every host of a name has the same ones. */
export interface Vault {
  /** Undefined when there is none of the name. @throws RuntimeError `secret/unavailable` */
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** False when there was none. */
  delete(name: string): Promise<boolean>;
  /** Names, in order. */
  list(): Promise<readonly string[]>;
}

/** What the core needs of the world, each promise in words, then in types. */
import type { JsonText } from "./json.ts";

/** Wall-clock time in milliseconds since 1970. */
export type Clock = () => number;

/** A number from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/** Moments of calendars and clocks on the wall: it needs the rules of time zones, which are the platform's. */
export interface Calendar {
  /** The first moment after the given one; undefined when there is none. @throws RuntimeError `schedule/invalid` */
  next(cron: string, timeZone: string, after: number): number | undefined;
  /** The last moment up to the given one; undefined when there is none. @throws RuntimeError `schedule/invalid` */
  last(cron: string, timeZone: string, at: number): number | undefined;
  /**
   * The moment of a date and time in ISO 8601, which has an offset or is meant in the time zone. An hour that the clock
   * skips is taken as the one after it, an hour that comes twice as the first one. @throws RuntimeError `timer/invalid`
   */
  moment(text: string, timeZone: string | undefined): number;
}

/** A finished entity, kept outside the live state. */
export interface ArchiveRow {
  readonly kind: "task" | "execution";
  /** Tasks of an execution have ids that begin with the execution's id and "/". */
  readonly id: string;
  /** When it finished. */
  readonly at: number;
  /** The entity, as JSON. */
  readonly text: JsonText;
}

/** What one append writes: the events of one turn, as one record. */
export interface Batch {
  /** Sequence number of the first event; the head before it plus one. */
  readonly from: number;
  /** Sequence number of the last event. */
  readonly to: number;
  /** When it was cut, by the host's clock. */
  readonly at: number;
  /** A JSON array of the events. */
  readonly text: JsonText;
  /** What finished in this batch; written in the same transaction. */
  readonly archive: readonly ArchiveRow[];
  /** Who asked for what, and what was decided: a JSON array, see audit/act.ts. Only where somebody makes a line of it. */
  readonly acts?: JsonText | undefined;
  /** Written in the same transaction. */
  readonly line?: AuditRecord | undefined;
}

/** Where the audit log ends: its n-th line, that line's SHA-256 in hexadecimal digits, and the characters of all lines. */
export interface AuditEnd {
  readonly n: number;
  readonly hash: string;
  readonly sum: number;
}

/** A line of the audit log; with `cut`, the lines up to that one are let go of, and a checkpoint is in its place. */
export interface AuditRecord {
  readonly text: string;
  /** Where the log ends with it: kept with the journal's head. */
  readonly end: AuditEnd;
  readonly cut?: { readonly n: number; readonly text: string } | undefined;
}

/** Where a journal keeps the lines of the audit log that come with batches. */
export interface AuditStore {
  end(): Promise<AuditEnd | undefined>;
  /** Up to `limit` lines behind the n-th, oldest first. */
  read(after: number, limit: number): Promise<readonly string[]>;
}

/** The live state after the event with number `seq`. */
export interface Snapshot {
  readonly seq: number;
  readonly text: JsonText;
}

/** What a journal tells the owner that opens it. */
export interface JournalOpening {
  /** Random, made with the database; another one means that the storage was lost. */
  readonly databaseId: string;
  /** Grows by one with every opening; the owner of an older one can't write any more. */
  readonly epoch: number;
  /** Sequence number of the last event; 0 when there is none. */
  readonly head: number;
  readonly snapshot: Snapshot | undefined;
}

/** Which finished things to list. */
export interface ArchiveQuery {
  readonly kind?: ArchiveRow["kind"] | undefined;
  /** Only ids that begin with this. */
  readonly prefix?: string | undefined;
  /** Rows after this cursor, as a page of an earlier answer gave it. */
  readonly after?: string | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined;
}

/** A page of finished things, newest first (with `prefix`: by id), and the cursor of the next page. */
export interface ArchivePage {
  readonly rows: readonly ArchiveRow[];
  readonly next: string | undefined;
}

/**
 * Keeps events.
 *
 * `open` makes the caller the owner: it raises the epoch in a transaction of its own, and from then on every
 * verb of an older owner that writes fails with `journal/fenced` and changes nothing.
 * `append` is atomic, durable when it resolves (it survives a power cut), ordered, and refuses with
 * `journal/conflict` a batch that doesn't start right after `expectedHead` or when the head is another one.
 * `read` gives every batch with an event after a number, oldest first, without its archive rows, and fails with
 * `journal/corrupt` (naming the number) at a gap, an overlap, or a record that is not what was written; it never
 * skips one. Where batches behind the number were let go of, the error's detail says as `base` up to where.
 * `compact` keeps a snapshot of the state after a batch (`journal/conflict` for any other number) and lets go of
 * batches, at the earliest those that it covers and at the latest those that the snapshot before it covers; the
 * newest snapshot wins. A snapshot that is damaged is passed over while everything after an older one is there.
 * When there is no space, each verb that writes fails with `journal/quota`, nothing is changed, and the same
 * call works again when space is back.
 * Before `open` and after `close` every verb fails with `journal/unavailable`, and once the storage was emptied or
 * replaced, with `runtime/storage-lost`.
 */
export interface Journal {
  open(): Promise<JournalOpening>;
  append(expectedHead: number, batch: Batch): Promise<void>;
  read(after: number): AsyncIterable<Batch>;
  compact(snapshot: Snapshot): Promise<void>;
  /** One finished entity, or undefined. */
  archived(id: string): Promise<ArchiveRow | undefined>;
  archive(query?: ArchiveQuery): Promise<ArchivePage>;
  /** Whether all that is left is a reserve: it is for ending what there is, and nothing is begun. Default: never. */
  isFull?(): boolean;
  readonly blobs: BlobStore;
  /** Without one there is no audit log. */
  readonly audit?: AuditStore | undefined;
  /** Called when the storage goes from under an open journal (site data cleared, connection lost). */
  onLost(listener: (reason: string) => void): void;
  close(): Promise<void>;
}

/** Keeps bytes beside the journal. Writing the same id again is allowed and keeps the first bytes. */
export interface BlobStore {
  /** `owner` is the execution or task whose end releases the bytes. */
  put(id: string, owner: string, bytes: Uint8Array): Promise<void>;
  /** The bytes from `offset` on, `size` of them. @throws RuntimeError `blob/unknown`, `blob/range` */
  get(id: string, offset: number, size: number): Promise<Uint8Array>;
  owners(): Promise<readonly string[]>;
  release(owner: string): Promise<void>;
}
