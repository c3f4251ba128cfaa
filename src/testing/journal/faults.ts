/** Cases of storage that fails: full, emptied, disconnected, blocked, damaged. */
import type { Journal } from "../../core/ports.ts";
import { DAMAGES, type Damage } from "../../plugins/journals/memory-disk.ts";
import { RuntimeError } from "../../core/errors.ts";
import { all, claim, equal, refused } from "../claims.ts";
import { asRead, batchAfter, fill, rowOf, type CaseDefinition, type JournalHarness } from "./harness.ts";

const bytes = new Uint8Array(50_000).fill(5);

/** A journal with batches to 2, 4, …, 12, rows of both kinds, and a blob. */
async function furnished(harness: JournalHarness): Promise<Journal> {
  const journal = harness.journal();
  await journal.open();
  await fill(journal, [2, 2, 2, 2, 2]);
  await journal.append(10, batchAfter(10, 2, [rowOf("e/t"), rowOf("e", "execution")]));
  await journal.blobs.put("b", "e", bytes);
  return journal;
}

async function checkFurniture(journal: Journal, head = 12): Promise<void> {
  const batches = await all(journal.read(0));
  equal(
    batches.map(({ to }) => to),
    Array.from({ length: head / 2 }, (_, at) => at * 2 + 2),
    "the batches",
  );
  equal(await journal.archived("e"), rowOf("e", "execution"), "the row");
  equal(
    (await journal.archive()).rows.map(({ id }) => id),
    ["e", "e/t"],
    "the archive",
  );
  equal(
    (await journal.blobs.get("b", 0, bytes.length)).every((byte) => byte === 5),
    true,
    "the blob",
  );
  equal(await journal.blobs.owners(), ["e"], "the owners");
}

const quota: CaseDefinition[] = [
  {
    name: "says that it is full, loses nothing, and goes on when space is back",
    needs: "full",
    run: async (harness) => {
      const journal = await furnished(harness);
      const next = batchAfter(12, 2, [rowOf("never")], "x".repeat(500));
      const writes: readonly (() => Promise<void>)[] = [
        () => journal.append(12, next),
        () => journal.compact({ seq: 12, text: "y".repeat(5_000) }),
        () => journal.blobs.put("never", "o", new Uint8Array(100_000)),
      ];
      await harness.full?.(true);
      for (const write of writes) await refused(write(), "journal/quota", "a write to full storage");
      await checkFurniture(journal);
      equal(await journal.archived("never"), undefined, "the row of a refused batch");
      await refused(journal.blobs.get("never", 0, 1), "blob/unknown", "the refused blob");
      await harness.full?.(false);
      for (const write of writes) await write();
      equal((await harness.journal().open()).head, 14, "the head");
    },
  },
  {
    name: "opens while it is full, or says so, and loses nothing",
    needs: "full",
    run: async (harness) => {
      await furnished(harness);
      await harness.full?.(true);
      const later = harness.journal();
      const head = await later.open().then(
        (opening) => opening.head,
        (error: unknown) => (error instanceof RuntimeError && error.code === "journal/quota" ? "full" : error),
      );
      claim(head === 12 || head === "full", `open gave ${String(head)}`);
      await harness.full?.(false);
      const last = harness.journal();
      equal((await last.open()).head, 12, "the head");
      await checkFurniture(last);
    },
  },
];

const losses: CaseDefinition[] = [
  {
    name: "says that the storage was lost, and never takes empty storage for its own",
    needs: "clear",
    run: async (harness) => {
      const journal = harness.journal();
      const reasons: string[] = [];
      journal.onLost((reason) => reasons.push(reason));
      const { databaseId } = await journal.open();
      await fill(journal, [2, 2]);
      await harness.clear?.();
      const verbs: (readonly [string, () => Promise<unknown>])[] = [
        ["append", () => journal.append(4, batchAfter(4))],
        ["read", () => all(journal.read(0))],
        ["compact", () => journal.compact({ seq: 4, text: "{}" })],
        ["archived", () => journal.archived("a")],
        ["archive", () => journal.archive()],
        ["blobs.get", () => journal.blobs.get("a", 0, 1)],
        ["open", () => journal.open()],
      ];
      for (const [verb, call] of verbs) await refused(call(), "runtime/storage-lost", verb);
      equal(reasons.length, 1, `the calls of onLost (${reasons.join()})`);
      const fresh = await harness.journal().open();
      equal(fresh.head, 0, "the head of the new storage");
      claim(fresh.databaseId !== databaseId, "the new storage has the old id");
    },
  },
  {
    name: "doesn't take another database for its own, even a longer one",
    needs: "wipe",
    run: async (harness) => {
      const journal = harness.journal();
      const reasons: string[] = [];
      journal.onLost((reason) => reasons.push(reason));
      await journal.open();
      await fill(journal, [2]);
      await harness.wipe?.();
      const other = harness.journal();
      await other.open();
      const batches = await fill(other, [2, 2]);
      await refused(journal.append(2, batchAfter(2)), "runtime/storage-lost", "append");
      await refused(all(journal.read(0)), "runtime/storage-lost", "read");
      equal(reasons.length, 1, `the calls of onLost (${reasons.join()})`);
      equal(await all(other.read(0)), batches.map(asRead), "what the other owner wrote");
    },
  },
  {
    name: "goes on over a new connection when the old one was lost",
    needs: "disconnect",
    run: async (harness) => {
      const journal = await furnished(harness);
      const reasons: string[] = [];
      journal.onLost((reason) => reasons.push(reason));
      await harness.disconnect?.();
      await fill(journal, [2], 12);
      await harness.disconnect?.();
      await checkFurniture(journal, 14);
      await harness.disconnect?.();
      await journal.compact({ seq: 14, text: "{}" });
      equal(reasons, [], "the calls of onLost");
      equal((await harness.journal().open()).head, 14, "the head");
    },
  },
  {
    name: "stays fenced over a new connection",
    needs: "disconnect",
    run: async (harness) => {
      const old = await furnished(harness);
      const current = harness.journal();
      await current.open();
      await harness.disconnect?.();
      await refused(old.append(12, batchAfter(12)), "journal/fenced", "the older owner");
      await fill(current, [2], 12);
    },
  },
  {
    name: "never writes twice or loses an append whose reply was lost",
    needs: "loseReply",
    run: async (harness) => {
      const journal = await furnished(harness);
      await harness.loseReply?.();
      const outcome = await journal.append(12, batchAfter(12, 2, [rowOf("x")])).then(
        () => "done",
        (error: unknown) => (error instanceof RuntimeError ? error.code : String(error)),
      );
      claim(outcome === "done" || outcome === "journal/unavailable", `the append gave ${outcome}`);
      await refused(journal.append(12, batchAfter(12, 3)), "journal/conflict", "another batch for the same head");
      const later = harness.journal();
      equal((await later.open()).head, 14, "the head");
      equal((await all(later.read(12))).map(asRead), [asRead(batchAfter(12, 2))], "the batch");
      equal(await later.archived("x"), rowOf("x"), "its row");
      await fill(later, [2], 14);
    },
  },
  {
    name: "makes way for a newer version, and says so",
    needs: "upgrade",
    run: async (harness) => {
      const journal = await furnished(harness);
      const reasons: string[] = [];
      journal.onLost((reason) => reasons.push(reason));
      const writing = journal.append(12, batchAfter(12, 2));
      await Promise.all([harness.upgrade?.(), writing]);
      equal(reasons, ["upgrade"], "the calls of onLost");
      await refused(journal.append(14, batchAfter(14)), "journal/unavailable", "a write after it");
      await refused(all(journal.read(0)), "journal/unavailable", "a read after it");
      await refused(harness.journal().open(), "host/incompatible", "the older version");
    },
  },
  {
    name: "says what to do when an older tab blocks it, and opens when that one is gone",
    needs: "block",
    run: async (harness) => {
      const release = await harness.block?.();
      const error = await refused(harness.journal().open(), "journal/blocked", "open");
      claim(/tab/u.test(error.message), `the message doesn't say what to do: ${error.message}`);
      await release?.();
      const journal = harness.journal();
      await journal.open();
      await fill(journal, [2]);
    },
  },
];

/** The first event that a reader can't have after the damage; 0 when `open` itself has to refuse. */
const DOUBT: Readonly<Record<Damage, number>> = {
  "batch-text": 7,
  "batch-torn": 7,
  "batch-missing": 7,
  "batch-foreign": 7,
  "last-missing": 0,
  head: 0,
  snapshot: 13,
  archive: 13,
  blob: 13,
};

const damages: CaseDefinition[] = DAMAGES.map((damage) => ({
  name: `finds damage: ${damage}`,
  needs: "corrupt",
  run: async (harness) => {
    const before = await furnished(harness);
    await before.compact({ seq: 2, text: "the older" });
    if (damage === "snapshot") await before.compact({ seq: 4, text: "the newer" });
    await before.close();
    await harness.corrupt?.(damage);
    const journal = harness.journal();
    if (DOUBT[damage] === 0) {
      await refused(journal.open(), "journal/corrupt", "open");
      return;
    }
    const opening = await journal.open().catch((error: unknown) => error);
    if (damage === "snapshot" && opening instanceof RuntimeError) {
      equal(opening.code, "journal/corrupt", "open, where the older snapshot is of no use");
      return;
    }
    equal(opening, { ...(opening as object), snapshot: { seq: 2, text: "the older" } }, "the snapshot that is whole");
    const read: number[] = [];
    const reading = (async () => {
      for await (const batch of journal.read(2)) read.push(batch.to);
    })();
    if (DOUBT[damage] === 7) {
      const error = await refused(reading, "journal/corrupt", "read");
      equal(error.detail["seq"], 7, "the number that the error names");
      equal(read, [4, 6], "what was read before it");
    } else {
      await reading;
      equal(read, [4, 6, 8, 10, 12], "what was read");
    }
    if (damage === "archive") await refused(journal.archive(), "journal/corrupt", "the listing");
    if (damage === "blob") await refused(journal.blobs.get("b", 0, bytes.length), "journal/corrupt", "the blob");
  },
}));

damages.push({
  name: "finds that the last batch went while it is open",
  needs: "corrupt",
  run: async (harness) => {
    const journal = await furnished(harness);
    await harness.corrupt?.("last-missing");
    const read: number[] = [];
    const reading = (async () => {
      for await (const batch of journal.read(4)) read.push(batch.to);
    })();
    const error = await refused(reading, "journal/corrupt", "read");
    equal(error.detail["seq"], 11, "the number that the error names");
    equal(read, [6, 8, 10], "what was read before it");
  },
});

/** All cases of faults. */
export function faultCases(): readonly CaseDefinition[] {
  return [...quota, ...losses, ...damages];
}
