/**
 * The order in which archived rows are listed, and the cursors that name a place in it. A row's place never
 * changes and newer rows only come before it: so a cursor stays good while rows are added.
 */
import { RuntimeError } from "../../core/errors.ts";
import type { ArchiveQuery, ArchiveRow } from "../../core/ports.ts";

/** Where a row lies: its batch's last number, its kind, and its number among the batch's rows of that kind. */
export interface Place {
  readonly seq: number;
  readonly kind: number;
  readonly row: number;
}

/** The kinds by their number. An execution finishes after its tasks, so within a batch it is the newer one. */
export const KINDS: readonly [ArchiveRow["kind"], ArchiveRow["kind"]] = ["task", "execution"];

/** The number of a kind. */
export function kindNumber(kind: ArchiveRow["kind"]): number {
  return KINDS.indexOf(kind);
}

/** Negative when `a` is newer than `b`. */
export function newestFirst(a: Place, b: Place): number {
  return b.seq - a.seq || b.kind - a.kind || b.row - a.row;
}

/** Writes a place as a cursor. */
export function cursorOf({ seq, kind, row }: Place): string {
  return `${seq}.${kind}.${row}`;
}

const CURSOR = /^(\d{1,16})\.([01])\.(\d{1,9})$/u;

/** @throws RuntimeError `command/invalid` for what {@link cursorOf} didn't make. */
export function placeOf(cursor: string): Place {
  const [, seq, kind, row] = CURSOR.exec(cursor) ?? [];
  if (seq === undefined || kind === undefined || row === undefined) {
    throw new RuntimeError("command/invalid", { cursor, reason: "not a cursor of this archive" });
  }
  return { seq: Number(seq), kind: Number(kind), row: Number(row) };
}

/** The number of rows of a page. @throws RuntimeError `command/invalid` unless it is 1 to 1,000. */
export function pageSize({ limit = 100 }: ArchiveQuery): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) return limit;
  throw new RuntimeError("command/invalid", { limit, reason: "a page has 1 to 1,000 rows" });
}
