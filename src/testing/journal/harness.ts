/** What the journal's cases ask of the storage under test. */
import type { ArchiveRow, Batch, Journal } from "../../core/ports.ts";
import type { Damage } from "../../plugins/journals/memory-disk.ts";

/** One storage, empty at first, and the faults that can be provoked in it. */
export interface JournalHarness {
  /** A journal over the storage. A second one is another owner, or the same program after a restart. */
  journal(): Journal;
  /** Damages a record behind the journal's back. */
  corrupt?(damage: Damage): Promise<void>;
  /** From now on, nothing fits any more; or everything again. */
  full?(on: boolean): Promise<void>;
  /** The storage is emptied under the open journal, as when a user clears the site's data. */
  clear?(): Promise<void>;
  /** The storage is emptied, and an open journal is not told. */
  wipe?(): Promise<void>;
  /** The connection is lost, what was stored is not. */
  disconnect?(): Promise<void>;
  /** The next append is committed, and then the connection is lost before anybody hears of it. */
  loseReply?(): Promise<void>;
  /** Of the next compaction only the snapshot is kept. */
  interruptCompact?(): Promise<void>;
  /** Another tab keeps an older version open; resolves to the function that ends this. */
  block?(): Promise<() => Promise<void>>;
  /** Another tab opens a newer version. */
  upgrade?(): Promise<void>;
  /** Ends what the harness began and throws the storage away. */
  close(): Promise<void>;
}

/** A fault that a harness may be unable to provoke. */
export type Provocation = Exclude<keyof JournalHarness, "journal" | "close">;

/** What the suite needs. */
export interface ConformanceOptions {
  /** Makes a harness over fresh storage. Each case opens its own. */
  open(): Promise<JournalHarness>;
  /** What this harness can't provoke, each with the reason; the cases that need it say so in their names. */
  readonly cannot?: Readonly<Partial<Record<Provocation, string>>>;
  /** Of the random case; it is part of the name. Default 1. */
  readonly seed?: number;
  /** Steps of the random case; default 150. */
  readonly steps?: number;
}

/** One test. */
export interface JournalCase {
  readonly name: string;
  /** Why it can't be run here; otherwise it has to be run. */
  readonly skip?: string;
  run(): Promise<void>;
}

/** A case before it is bound to a harness. */
export interface CaseDefinition {
  readonly name: string;
  readonly needs?: Provocation;
  run(harness: JournalHarness, options: ConformanceOptions): Promise<void>;
}

/** A batch of `count` events after `head`, each with its number in it. */
export function batchAfter(head: number, count = 1, archive: readonly ArchiveRow[] = [], pad = ""): Batch {
  const events = Array.from(
    { length: count },
    (_, at) => `{"type":"test.done","data":{"n":${head + 1 + at},"pad":"${pad}"}}`,
  );
  return { from: head + 1, to: head + count, at: 1_700_000_000_000 + head, text: `[${events.join(",")}]`, archive };
}

/** What `read` gives for a batch: its rows are asked of the archive. */
export function asRead(batch: Batch): Batch {
  return { ...batch, archive: [] };
}

/** A finished task, or with a name without "/" and that kind, an execution. */
export function rowOf(id: string, kind: ArchiveRow["kind"] = "task", at = 1_700_000_000_000): ArchiveRow {
  return { kind, id, at, text: `{"id":${JSON.stringify(id)},"status":"completed"}` };
}

/** Appends batches of these sizes and gives them. */
export async function fill(journal: Journal, sizes: readonly number[], head = 0): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (const size of sizes) {
    const batch = batchAfter(batches.at(-1)?.to ?? head, size);
    await journal.append(batch.from - 1, batch);
    batches.push(batch);
  }
  return batches;
}
