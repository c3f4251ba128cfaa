/**
 * Archived rows at rest: in pieces of up to 128 rows of one batch and kind, keyed so that ascending keys are
 * newest first. One record a row, or an index entry a row, made an append of 1,000 rows 3 to 15 times slower.
 */
import type { ArchiveRow } from "../../../core/ports.ts";
import { KINDS, newestFirst, type Place } from "../archive-order.ts";
import { corrupt, seal, unseal, type Sealed } from "../records.ts";
import type { ReadTx, Tables } from "./database.ts";

/** Where an archived id lies: the piece, and the row in it. */
export type Entry = readonly [id: string, kind: number, seq: number, piece: number, row: number];

/** The key of a piece. */
export type PieceKey = Tables["archive"]["key"];

/** Rows, ready to be written, and where each will lie. */
export interface PackedRows {
  readonly pieces: readonly (readonly [PieceKey, Sealed])[];
  readonly entries: readonly Entry[];
}

/** A row and its place. */
export interface PlacedRow {
  readonly place: Place;
  readonly row: ArchiveRow;
}

const MOST_ROWS = 128;
const MOST_TEXT = 1 << 18;

/** Packs what finished in the batch that ends with `seq`. */
export function packRows(seq: number, rows: readonly ArchiveRow[]): PackedRows {
  const pieces: (readonly [PieceKey, Sealed])[] = [];
  const entries: Entry[] = [];
  for (const [kind, name] of KINDS.entries()) {
    const own = rows.filter((row) => row.kind === name);
    for (let first = 0; first < own.length;) {
      const some = pieceFrom(own, first);
      const key = keyOf(kind, seq, first);
      pieces.push([key, seal(labelOf(key), encodePiece(some))]);
      for (const [at, { id }] of some.entries()) entries.push([id, kind, seq, first, at]);
      first += some.length;
    }
  }
  return { pieces, entries };
}

function pieceFrom(rows: readonly ArchiveRow[], first: number): readonly ArchiveRow[] {
  let size = 0;
  let end = first;
  while (end < rows.length && end - first < MOST_ROWS && (end === first || size < MOST_TEXT)) {
    size += rows[end++]?.text.length ?? 0;
  }
  return rows.slice(first, end);
}

function keyOf(kind: number, seq: number, first: number): PieceKey {
  return [kind, -seq, -first];
}

function labelOf(key: PieceKey): string {
  return `archive ${key.join(" ")}`;
}

/** A line of JSON that says where each text ends, then the texts: they are not escaped a second time. */
function encodePiece(rows: readonly ArchiveRow[]): string {
  const heads = rows.map(({ id, at, text }) => [id, at, text.length] as const);
  return `${JSON.stringify(heads)}\n${rows.map(({ text }) => text).join("")}`;
}

function decodePiece(key: PieceKey, value: unknown): PlacedRow[] {
  const [kind, seq, first] = [key[0], -key[1], -key[2]];
  const name = KINDS[kind];
  const sealed = unseal(labelOf(key), value);
  if (sealed === undefined || name === undefined) throw corrupt(seq, "an archived row is not what was written");
  const line = sealed.indexOf("\n");
  const heads = JSON.parse(sealed.slice(0, line)) as readonly (readonly [string, number, number])[]; // under the checksum
  let start = line + 1;
  return heads.map(([id, at, length], row) => {
    const text = sealed.slice(start, (start += length));
    return { place: { seq, kind, row: first + row }, row: { kind: name, id, at, text } };
  });
}

/** The rows of a piece, in the order in which they were packed. @throws RuntimeError `journal/corrupt` */
export async function readPiece(tx: ReadTx, [, kind, seq, piece]: Entry): Promise<readonly PlacedRow[]> {
  const key = keyOf(kind, seq, piece);
  return decodePiece(key, await tx.objectStore("archive").get(key));
}

/** Up to `limit` rows of a kind that are older than `after`, newest first. */
export async function listKind(
  tx: ReadTx,
  kind: number,
  after: Place | undefined,
  limit: number,
): Promise<PlacedRow[]> {
  const found: PlacedRow[] = [];
  const end = [kind, []]; // behind every number
  let start: IDBValidKey = after ? startAfter(kind, after) : [kind];
  let open = false;
  while (found.length < limit) {
    const range = IDBKeyRange.bound(start, end, open);
    const store = tx.objectStore("archive");
    const [keys, values] = await Promise.all([store.getAllKeys(range, PIECES), store.getAll(range, PIECES)]);
    for (const [at, key] of keys.entries()) {
      const rows = decodePiece(key, values[at]).toReversed();
      found.push(...(after ? rows.filter(({ place }) => newestFirst(after, place) < 0) : rows));
    }
    const last = keys.at(-1);
    if (!last || keys.length < PIECES) break;
    [start, open] = [last, true];
  }
  return found.slice(0, limit);
}

const PIECES = 16;

/** The first key whose piece can hold rows that are older than the place. */
function startAfter(kind: number, { seq, kind: other, row }: Place): IDBValidKey {
  if (kind === other) return [kind, -seq, -row];
  return kind < other ? [kind, -seq] : [kind, -seq + 1];
}

/** Where every row lies that was written after the batch `seq`, newest first. */
export async function entriesAfter(tx: ReadTx, seq: number): Promise<Entry[]> {
  const ranges = KINDS.map((_, kind) => IDBKeyRange.bound([kind], [kind, -seq], false, true));
  const keys = await Promise.all(ranges.map((range) => tx.objectStore("archive").getAllKeys(range)));
  const values = await Promise.all(ranges.map((range) => tx.objectStore("archive").getAll(range)));
  return keys.flatMap((list, kind) =>
    list.flatMap((key, at) =>
      decodePiece(key, values[kind]?.[at]).map(({ place, row }): Entry => {
        const first = -key[2];
        return [row.id, kind, place.seq, first, place.row - first];
      }),
    ),
  );
}
