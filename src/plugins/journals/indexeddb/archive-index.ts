/**
 * Where each archived id lies: sorted runs, as in a log-structured merge tree. New entries wait in memory (after a
 * restart they are read from the rows); a few thousand of them make a run, and eight runs of a level make one of
 * the next. So an append pays nothing, an entry is written a handful of times in blocks of 512, and a look-up reads
 * one block of each of a few runs.
 *
 * Rules: a run is seen only when the catalog lists it (I1). Runs change only in the catalog's transaction (I2), so
 * whoever reads catalog and blocks in one transaction sees a whole index. Blocks of no listed run are left over from a crash and swept away (I3).
 */
import { corrupt, seal, unseal } from "../records.ts";
import type { Entry } from "./archive-rows.ts";
import { send } from "./connection.ts";
import type { ReadTx, WriteTx } from "./database.ts";
import type { Owner } from "./owner.ts";

interface Run {
  readonly id: number;
  readonly level: number;
}

/** What the index consists of. Rows after the batch `indexed` are not in it yet. */
export interface Catalog {
  readonly next: number;
  readonly indexed: number;
  readonly runs: readonly Run[];
}

/** Gives the entries of a run that begin at an id, in order; none at its end. */
export type Source = (from: string) => Promise<readonly Entry[]>;

const CATALOG_KEY: [number, string] = [0, ""];
const BLOCK = 512;
const FAN = 8;

/** Reads the catalog. @throws RuntimeError `journal/corrupt` */
export async function readCatalog(tx: ReadTx): Promise<Catalog> {
  const value = await tx.objectStore("index").get(CATALOG_KEY);
  if (value === undefined) return { next: 1, indexed: 0, runs: [] };
  const text = unseal("catalog", value);
  if (text === undefined) throw corrupt(0, "the archive's catalog is not what was written");
  return JSON.parse(text) as Catalog; // under the checksum
}

function putCatalog(tx: WriteTx, catalog: Catalog): void {
  send(tx.objectStore("index").put(seal("catalog", JSON.stringify(catalog)), CATALOG_KEY));
}

/** The runs of a catalog as sources, within one transaction. */
export function sourcesIn(tx: ReadTx, { runs }: Pick<Catalog, "runs">): Source[] {
  return runs.map(
    ({ id }) =>
      (from) =>
        readBlock(tx, id, from),
  );
}

async function readBlock(tx: ReadTx, run: number, from: string): Promise<readonly Entry[]> {
  const range = IDBKeyRange.bound([run, from], [run, []]); // a block's key is its last id
  const value = await tx.objectStore("index").get(range);
  if (value === undefined) return [];
  const text = unseal(`block ${run}`, value);
  if (text === undefined) throw corrupt(0, "the archive's index is not what was written");
  const block = JSON.parse(text) as readonly Entry[]; // under the checksum
  return block.slice(block.findIndex(([id]) => id >= from));
}

function putBlock(tx: WriteTx, run: number, entries: readonly Entry[]): void {
  const last = entries.at(-1);
  if (last) send(tx.objectStore("index").put(seal(`block ${run}`, JSON.stringify(entries)), [run, last[0]]));
}

/** A source of entries that are in memory, sorted by id. */
export function sourceOf(entries: readonly Entry[]): Source {
  return (from) => Promise.resolve(entries.filter(([id]) => id >= from));
}

/** All entries from an id on, in order; of entries with one id the newest. */
export async function* merge(sources: readonly Source[], from: string): AsyncGenerator<Entry, void, undefined> {
  const heads = await Promise.all(sources.map(async (more) => ({ more, block: await more(from), at: 0 })));
  for (;;) {
    let least: Entry | undefined;
    for (const { block, at } of heads) {
      const entry = block[at];
      if (entry && (!least || entry[0] < least[0] || (entry[0] === least[0] && entry[2] > least[2]))) least = entry;
    }
    if (!least) return;
    yield least;
    for (const head of heads) {
      if (head.block[head.at]?.[0] !== least[0]) continue;
      head.at += 1;
      if (head.at < head.block.length) continue;
      head.block = await head.more(after(least[0]));
      head.at = 0;
    }
  }
}

/** The id that follows directly. */
export function after(id: string): string {
  return `${id}\0`;
}

/** Compares entries by id, as the database compares keys: by UTF-16 units. */
export function byId([a]: Entry, [b]: Entry): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Writes sorted entries as a run of the first level; from then on `indexed` is the last batch in the index. */
export async function writeRun(owner: Owner, entries: readonly Entry[], indexed: number): Promise<Catalog> {
  return change(owner, (tx, catalog) => {
    const id = catalog.next;
    for (let at = 0; at < entries.length; at += BLOCK) putBlock(tx, id, entries.slice(at, at + BLOCK));
    return { next: id + 1, indexed, runs: [...catalog.runs, { id, level: 0 }] };
  });
}

/** Merges the runs of a level that has too many; gives the catalog after it, or undefined when nothing was to do. */
export async function mergeRuns(owner: Owner, { runs }: Catalog): Promise<Catalog | undefined> {
  const full = runs.find(({ level }) => runs.filter((run) => run.level === level).length >= FAN);
  if (!full) return undefined;
  const old = runs.filter(({ level }) => level === full.level);
  const id = await reserve(owner);
  let block: Entry[] = [];
  const flush = (): Promise<void> => owner.write(["index"], ({ tx }) => putBlock(tx, id, block), "relaxed");
  const sources = old.map(
    ({ id: run }): Source =>
      (from) =>
        owner.read(["index"], (tx) => readBlock(tx, run, from)),
  );
  for await (const entry of merge(sources, "")) {
    if (block.push(entry) < BLOCK) continue;
    await flush();
    block = [];
  }
  await flush();
  return change(owner, (tx, catalog) => {
    for (const run of old) dropRun(tx, run.id);
    const kept = catalog.runs.filter((run) => !old.some((gone) => gone.id === run.id));
    return { ...catalog, runs: [...kept, { id, level: full.level + 1 }] };
  });
}

async function reserve(owner: Owner): Promise<number> {
  const { next } = await change(owner, (_, catalog) => ({ ...catalog, next: catalog.next + 1 }));
  return next - 1;
}

/** Forgets the blocks of runs that were never finished (I3). */
export async function sweep(owner: Owner): Promise<void> {
  await owner.write(
    ["index"],
    async ({ tx }) => {
      const listed = (await readCatalog(tx)).runs.map(({ id }) => id);
      for (let run = 0; ;) {
        const key = await tx.objectStore("index").getKey(IDBKeyRange.lowerBound([run + 1]));
        if (!key) return;
        run = key[0];
        if (!listed.includes(run)) dropRun(tx, run);
      }
    },
    "relaxed",
  );
}

function dropRun(tx: WriteTx, run: number): void {
  send(tx.objectStore("index").delete(IDBKeyRange.bound([run], [run, []])));
}

/** Losing the last changes at a power cut only makes the next owner do them again: relaxed durability will do. */
async function change(owner: Owner, edit: (tx: WriteTx, catalog: Catalog) => Catalog): Promise<Catalog> {
  return owner.write(
    ["index"],
    async ({ tx }) => {
      const catalog = edit(tx, await readCatalog(tx));
      putCatalog(tx, catalog);
      return catalog;
    },
    "relaxed",
  );
}
