/** Cases of snapshots and of what they let go of. */
import type { Journal, Snapshot } from "../../core/ports.ts";
import { all, claim, equal, refused } from "../claims.ts";
import { asRead, batchAfter, fill, type CaseDefinition, type JournalHarness } from "./harness.ts";

const state = (seq: number): Snapshot => ({ seq, text: `{"state after":${seq},"🎭":"\ud800"}` });

/** Fails if history was lost without a word: a read gives what follows, or says that it can't. */
async function checkReads(journal: Journal, head: number, base: number): Promise<void> {
  for (let after = 0; after <= head; after++) {
    try {
      const batches = await all(journal.read(after));
      equal(batches.at(-1)?.to ?? after, head, `the end of read(${after})`);
      claim((batches[0]?.from ?? after + 1) <= after + 1, `read(${after}) begins with ${batches[0]?.from}`);
    } catch (error) {
      claim(after < base, `read(${after}) fails though only what is before ${base} may go: ${String(error)}`);
      const { detail } = await refused(all(journal.read(after)), "journal/corrupt", `read(${after})`);
      const kept = Number(detail["base"]);
      claim(kept > after && kept <= base, `read(${after}) says that batches went up to ${kept}`);
    }
  }
}

async function opened(harness: JournalHarness): Promise<Journal> {
  const journal = harness.journal();
  await journal.open();
  return journal;
}

const cases: CaseDefinition[] = [
  {
    name: "gives the newest snapshot, and every batch after it",
    run: async (harness) => {
      const journal = await opened(harness);
      const batches = await fill(journal, [2, 2, 2, 2, 2]);
      for (const seq of [2, 6, 8]) {
        await journal.compact(state(seq));
        const { snapshot, head } = await harness.journal().open();
        equal({ snapshot, head }, { snapshot: state(seq), head: 10 }, `the opening after compact(${seq})`);
        await journal.open();
        await checkReads(journal, 10, seq);
      }
      equal(await all(journal.read(8)), batches.slice(4).map(asRead), "the tail");
      await fill(journal, [1], 10);
    },
  },
  {
    name: "lets go of batches: at most those between the newest two snapshots are kept",
    run: async (harness) => {
      const journal = await opened(harness);
      await fill(journal, [2, 2, 2]);
      await journal.compact(state(4));
      await journal.compact(state(6));
      const error = await refused(all(journal.read(0)), "journal/corrupt", "read(0)");
      equal(error.detail["seq"], 1, "the number that the error names");
      await checkReads(journal, 6, 6);
    },
  },
  {
    name: "lets the newest snapshot win, and takes another one for the same number",
    run: async (harness) => {
      const journal = await opened(harness);
      await fill(journal, [2, 2, 2]);
      await journal.compact(state(6));
      await journal.compact(state(2));
      await journal.compact({ seq: 0, text: "nothing yet" });
      equal((await journal.open()).snapshot, state(6), "after older ones");
      await journal.compact({ seq: 6, text: "encoded anew" });
      equal((await journal.open()).snapshot, { seq: 6, text: "encoded anew" }, "after another one for 6");
      await checkReads(journal, 6, 6);
    },
  },
  {
    name: "refuses a snapshot that is ahead of the journal or ends within a batch",
    run: async (harness) => {
      const journal = await opened(harness);
      await fill(journal, [2, 3]);
      for (const seq of [3, 4, 6]) await refused(journal.compact(state(seq)), "journal/conflict", `compact(${seq})`);
      equal((await journal.open()).snapshot, undefined, "the snapshot");
      await checkReads(journal, 5, 0);
    },
  },
  {
    name: "opens with everything compacted, and goes on from there",
    run: async (harness) => {
      const journal = await opened(harness);
      await fill(journal, [4]);
      await journal.compact(state(4));
      await fill(journal, [4], 4);
      await journal.compact(state(8));
      await fill(journal, [4], 8);
      await journal.compact(state(12));
      const later = harness.journal();
      equal((await later.open()).snapshot, state(12), "the snapshot");
      equal(await all(later.read(12)), [], "the tail");
      const [more] = await fill(later, [1], 12);
      equal(await all(later.read(12)), more ? [asRead(more)] : [], "what follows");
    },
  },
  {
    name: "survives a crash between keeping a snapshot and letting go",
    needs: "interruptCompact",
    run: async (harness) => {
      const journal = await opened(harness);
      const batches = await fill(journal, [2, 2, 2]);
      await journal.compact(state(2));
      await harness.interruptCompact?.();
      await journal.compact(state(4));
      const later = harness.journal();
      equal((await later.open()).snapshot, state(4), "the snapshot");
      equal(await all(later.read(4)), batches.slice(2).map(asRead), "the tail");
      await fill(later, [2], 6);
      await later.compact(state(8));
      await checkReads(later, 8, 8);
    },
  },
  {
    name: "keeps a snapshot of 8 MB",
    run: async (harness) => {
      const journal = await opened(harness);
      await fill(journal, [1]);
      const snapshot = { seq: 1, text: batchAfter(0, 10_000, [], "é".repeat(760)).text };
      await journal.compact(snapshot);
      equal((await harness.journal().open()).snapshot, snapshot, "the snapshot");
    },
  },
];

/** All cases of snapshots. */
export function snapshotCases(): readonly CaseDefinition[] {
  return cases;
}
