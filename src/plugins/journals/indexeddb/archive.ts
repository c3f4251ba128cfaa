/** What has finished: written beside the batch, found by id, listed newest first. */
import { RuntimeError } from "../../../core/errors.ts";
import type { ArchivePage, ArchiveQuery, ArchiveRow } from "../../../core/ports.ts";
import { cursorOf, kindNumber, KINDS, newestFirst, pageSize, placeOf } from "../archive-order.ts";
import {
  after,
  byId,
  merge,
  mergeRuns,
  readCatalog,
  sourceOf,
  sourcesIn,
  sweep,
  writeRun,
  type Catalog,
} from "./archive-index.ts";
import { entriesAfter, listKind, readPiece, type Entry, type PackedRows, type PlacedRow } from "./archive-rows.ts";
import type { ReadTx } from "./database.ts";
import type { Owner } from "./owner.ts";

/** The archive of an owner. */
export interface Archive {
  /** Learns where the rows lie that the index doesn't know yet; in the transaction that opens the journal. */
  load(tx: ReadTx): Promise<void>;
  /** Takes note of rows that were written, and once in a while starts to index them. */
  note(rows: PackedRows): void;
  find(id: string): Promise<ArchiveRow | undefined>;
  list(query: ArchiveQuery): Promise<ArchivePage>;
  /** Waits for the work on the index that runs. */
  settled(): Promise<void>;
}

/** So many rows wait before they are indexed. */
const WAITING = 4_096;

/** Makes the archive of an owner. */
export function createArchive(owner: Owner): Archive {
  let waiting = new Map<string, Entry>();
  let upkeep: Promise<void> | undefined;
  let swept = false;
  let damage: RuntimeError | undefined; // of rows that are not in the index; it must not keep the journal from opening

  async function tidy(): Promise<void> {
    if (!swept) await sweep(owner);
    swept = true;
    const taken = waiting;
    const indexed = [...taken.values()].reduce((last, [, , seq]) => Math.max(last, seq), 0);
    let catalog: Catalog | undefined = await writeRun(owner, [...taken.values()].sort(byId), indexed);
    waiting = new Map([...waiting].filter(([, [, , seq]]) => seq > indexed));
    while (catalog) catalog = await mergeRuns(owner, catalog);
  }
  return {
    load: async (tx) => {
      damage = undefined;
      const entries = await unindexed(tx).catch((error: unknown): Entry[] => {
        if (!(error instanceof RuntimeError)) throw error;
        damage = error;
        return [];
      });
      waiting = new Map(entries.map((entry) => [entry[0], entry]));
    },
    note: ({ entries }) => {
      for (const entry of entries) waiting.set(entry[0], entry);
      if (waiting.size < WAITING || upkeep || damage) return;
      // A failure leaves the rows where they are found without the index; the next note tries again.
      upkeep = tidy()
        .catch(() => undefined)
        .finally(() => (upkeep = undefined));
    },
    find: (id) =>
      owner.read(["archive", "index"], async (tx) => {
        const entry = waiting.get(id) ?? (await first(merge(sourcesIn(tx, await readCatalog(tx)), id)));
        if (entry?.[0] === id) return rowOf(await readPiece(tx, entry), entry);
        if (damage) throw damage;
        return undefined;
      }),
    list: (query) =>
      owner.read(["archive", "index"], (tx) => {
        if (query.prefix === undefined) return listNewest(tx, query);
        if (damage) throw damage;
        return listPrefix(tx, query, query.prefix, [...waiting.values()]);
      }),
    settled: async () => upkeep,
  };
}

/** The rows that the index doesn't know yet, oldest first. */
async function unindexed(tx: ReadTx): Promise<Entry[]> {
  const { indexed } = await readCatalog(tx);
  return (await entriesAfter(tx, indexed)).sort((a, b) => a[2] - b[2]);
}

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

function rowOf(piece: readonly PlacedRow[], [, , , , at]: Entry): ArchiveRow | undefined {
  return piece[at]?.row;
}

async function listNewest(tx: ReadTx, query: ArchiveQuery): Promise<ArchivePage> {
  const limit = pageSize(query);
  const place = query.after === undefined ? undefined : placeOf(query.after);
  const kinds = query.kind === undefined ? [...KINDS.keys()] : [kindNumber(query.kind)];
  const lists = await Promise.all(kinds.map((kind) => listKind(tx, kind, place, limit + 1)));
  const found = lists.flat().sort((a, b) => newestFirst(a.place, b.place));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { rows: page.map(({ row }) => row), next: found.length > limit && last ? cursorOf(last.place) : undefined };
}

async function listPrefix(tx: ReadTx, query: ArchiveQuery, prefix: string, waiting: Entry[]): Promise<ArchivePage> {
  const limit = pageSize(query);
  const kind = query.kind === undefined ? undefined : kindNumber(query.kind);
  const from = query.after === undefined || query.after < prefix ? prefix : after(query.after);
  const found: Entry[] = [];
  const sources = [
    sourceOf(waiting.filter(([id]) => id.startsWith(prefix)).sort(byId)),
    ...sourcesIn(tx, await readCatalog(tx)),
  ];
  for await (const entry of merge(sources, from)) {
    if (!entry[0].startsWith(prefix) || found.length > limit) break;
    if (kind === undefined || kind === entry[1]) found.push(entry);
  }
  const page = found.slice(0, limit);
  const pieces = new Map<string, Promise<readonly PlacedRow[]>>(); // many rows share one
  const rows = await Promise.all(
    page.map(async (entry) => {
      const key = entry.slice(1, 4).join();
      const piece = pieces.get(key) ?? readPiece(tx, entry);
      pieces.set(key, piece);
      return rowOf(await piece, entry);
    }),
  );
  return { rows: rows.filter((row) => row !== undefined), next: found.length > limit ? page.at(-1)?.[0] : undefined };
}
