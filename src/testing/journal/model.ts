/**
 * A random case: a journal is used in any order by owners that come and go, and after each step it has to agree
 * with a model made of plain arrays. The seed decides everything, so a failure can be had again.
 */
import { RuntimeError } from "../../core/errors.ts";
import type { ArchiveRow, Batch, Journal, Snapshot } from "../../core/ports.ts";
import { all, claim, equal, refused } from "../claims.ts";
import { pages } from "./archive.ts";
import { asRead, batchAfter, rowOf, type CaseDefinition, type JournalHarness } from "./harness.ts";

interface Model {
  readonly batches: Batch[];
  snapshots: Snapshot[];
  readonly blobs: Map<string, { readonly owner: string; readonly bytes: readonly number[] }>;
  head: number;
  epoch: number;
}

interface World {
  readonly harness: JournalHarness;
  readonly model: Model;
  /** A whole number below `bound`. */
  readonly pick: (bound: number) => number;
  journal: Journal;
}

type Step = (world: World) => Promise<void>;

const steps: Readonly<Record<string, Step>> = {
  append: (world) => world.journal.append(world.model.head, remember(world, nextBatch(world))),
  "append again": async ({ journal, model, pick }) => {
    const wrong = Math.max(0, model.head - 1 - pick(5));
    if (wrong === model.head) return;
    await refused(
      journal.append(wrong, batchAfter(wrong, 1, [rowOf("never")])),
      "journal/conflict",
      `append(${wrong})`,
    );
  },
  compact: async ({ journal, model, pick }) => {
    const seq = [0, ...model.batches.map(({ to }) => to)][pick(model.batches.length + 1)] ?? 0;
    if (seq < (model.snapshots.at(-2)?.seq ?? 0)) return; // what is let go of can't be told from what never was
    const snapshot = { seq, text: `{"at":${seq},"chance":${pick(1_000)}}` };
    await journal.compact(snapshot);
    if (seq === 0 || seq < (model.snapshots.at(-1)?.seq ?? 0)) return;
    model.snapshots = [...model.snapshots.filter((kept) => kept.seq < seq), snapshot].slice(-2);
  },
  reopen: async (world) => {
    await world.journal.close();
    await open(world);
  },
  "another owner": async (world) => {
    const old = world.journal;
    await open(world);
    await refused(old.append(world.model.head, batchAfter(world.model.head)), "journal/fenced", "the older owner");
    await refused(old.blobs.release("o1"), "journal/fenced", "the older owner's release");
  },
  read: async ({ journal, model, pick }) => {
    const after = pick(model.head + 2);
    const expected = model.batches.filter(({ to }) => to > after).map(asRead);
    try {
      equal(await all(journal.read(after)), expected, `read(${after})`);
    } catch (error) {
      const kept = model.snapshots.length === 2 ? (model.snapshots.at(-1)?.seq ?? 0) : 0;
      if (!(error instanceof RuntimeError && error.code === "journal/corrupt" && after < kept)) throw error;
    }
  },
  archive: async ({ journal, model, pick }) => {
    const rows = model.batches.flatMap(({ archive }) => archive);
    const id = rows[pick(rows.length + 1)]?.id ?? "nobody";
    equal(
      await journal.archived(id),
      rows.findLast((row) => row.id === id),
      `archived(${id})`,
    );
    const prefix = `e${pick(4)}`;
    const expected = [...new Set(rows.map((row) => row.id))].filter((each) => each.startsWith(prefix)).sort();
    const found = await pages(journal, { prefix, limit: 1 + pick(9) });
    equal(
      found.map((row) => row.id),
      expected,
      `by prefix ${prefix}`,
    );
    equal((await pages(journal, { limit: 1 + pick(50) })).length, rows.length, "the number of rows");
  },
  blobs: async ({ journal: { blobs }, model, pick }) => {
    const [id, owner] = [`b${pick(6)}`, `o${pick(3)}`];
    const bytes = Array.from({ length: pick(40) }, () => pick(256));
    await blobs.put(id, owner, Uint8Array.from(bytes));
    if (!model.blobs.has(id)) model.blobs.set(id, { owner, bytes });
    const kept = model.blobs.get(id)?.bytes ?? [];
    const offset = pick(kept.length + 1);
    equal([...(await blobs.get(id, offset, kept.length - offset))], kept.slice(offset), `${id} from ${offset}`);
    equal(await blobs.owners(), [...new Set([...model.blobs.values()].map((blob) => blob.owner))].sort(), "the owners");
  },
  release: async ({ journal: { blobs }, model, pick }) => {
    const owner = `o${pick(3)}`;
    await blobs.release(owner);
    for (const [id, blob] of model.blobs) if (blob.owner === owner) model.blobs.delete(id);
  },
  full: async (world) => {
    if (!world.harness.full) return;
    await world.harness.full(true);
    const batch = { ...batchAfter(world.model.head, 1, [rowOf("never")], "x".repeat(300)) };
    await refused(world.journal.append(world.model.head, batch), "journal/quota", "append");
    await world.harness.full(false);
  },
  "lost reply": async (world) => {
    if (!world.harness.loseReply) return;
    await world.harness.loseReply();
    const batch = remember(world, nextBatch(world));
    const failed = await world.journal.append(batch.from - 1, batch).then(
      () => false,
      (error: unknown) => error instanceof RuntimeError && error.code === "journal/unavailable",
    );
    if (failed) await open(world); // as a host does that doesn't know any more where it is
  },
  disconnect: async ({ harness }) => harness.disconnect?.(),
};

function nextBatch({ model, pick }: World): Batch {
  const rows = Array.from({ length: Math.max(0, pick(8) - 3) }, (): ArchiveRow => {
    const execution = pick(4) === 0;
    return rowOf(execution ? `e${pick(30)}` : `e${pick(4)}/${pick(1_000)}`, execution ? "execution" : "task");
  });
  return batchAfter(model.head, 1 + pick(6), rows);
}

function remember({ model }: World, batch: Batch): Batch {
  model.batches.push(batch);
  model.head = batch.to;
  return batch;
}

async function open(world: World): Promise<void> {
  const { model } = world;
  world.journal = world.harness.journal();
  const { databaseId: _, epoch, ...rest } = await world.journal.open();
  claim(epoch > model.epoch, `the epoch went from ${model.epoch} to ${epoch}`);
  model.epoch = epoch;
  equal(rest, { head: model.head, snapshot: model.snapshots.at(-1) }, "the opening");
}

/** Numbers that look random: mulberry32. */
function chanceOf(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) % Math.max(1, bound);
  };
}

/** The random case of a seed. */
export function modelCase(seed: number, count: number): CaseDefinition {
  return {
    name: `agrees with plain arrays in ${count} random steps (seed ${seed})`,
    run: async (harness) => {
      const model: Model = { batches: [], snapshots: [], blobs: new Map(), head: 0, epoch: 0 };
      const pick = chanceOf(seed);
      const world: World = { harness, model, pick, journal: harness.journal() };
      await open(world);
      const names = Object.keys(steps);
      const done: string[] = [];
      for (let at = 0; at < count; at++) {
        const name = pick(3) === 0 ? "append" : (names[pick(names.length)] ?? "append");
        done.push(name);
        await steps[name]?.(world).catch((cause: unknown) => {
          const trail = done.slice(-8).join(", ");
          throw new Error(`seed ${seed}, step ${at} (… ${trail}): ${String(cause)}`, { cause });
        });
      }
      await open(world);
      const base = model.snapshots.at(-1)?.seq ?? 0;
      const tail = model.batches.filter(({ to }) => to > base).map(asRead);
      equal(await all(world.journal.read(base)), tail, "what follows the snapshot at the end");
    },
  };
}
