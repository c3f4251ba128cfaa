/** Cases of opening, appending and reading. */
import type { Batch } from "../../core/ports.ts";
import { all, claim, equal, refused } from "../claims.ts";
import { asRead, batchAfter, fill, rowOf, type CaseDefinition } from "./harness.ts";

const opening: CaseDefinition[] = [
  {
    name: "opens fresh storage at head 0, epoch 1, without a snapshot",
    run: async (harness) => {
      const { databaseId, ...rest } = await harness.journal().open();
      equal(rest, { epoch: 1, head: 0, snapshot: undefined }, "the opening");
      claim(/^[\w-]{16,}$/u.test(databaseId), `a random id, not ${databaseId}`);
    },
  },
  {
    name: "gives other storage another id",
    run: async (harness, options) => {
      const other = await options.open();
      const ids = [await harness.journal().open(), await other.journal().open()].map(({ databaseId }) => databaseId);
      await other.close();
      claim(ids[0] !== ids[1], `two databases have the id ${ids[0]}`);
    },
  },
  {
    name: "raises the epoch at every opening, and keeps id and head",
    run: async (harness) => {
      const first = harness.journal();
      const { databaseId } = await first.open();
      await fill(first, [3, 2]);
      for (const epoch of [2, 3, 4]) {
        equal(await harness.journal().open(), { databaseId, epoch, head: 5, snapshot: undefined }, `opening ${epoch}`);
      }
    },
  },
  {
    name: "refuses every verb before it is open and after it is closed",
    run: async (harness) => {
      const journal = harness.journal();
      const verbs = (): (readonly [string, Promise<unknown>])[] => [
        ["append", journal.append(0, batchAfter(0))],
        ["read", all(journal.read(0))],
        ["compact", journal.compact({ seq: 1, text: "{}" })],
        ["archived", journal.archived("a")],
        ["archive", journal.archive()],
        ["blobs.put", journal.blobs.put("a", "b", new Uint8Array(1))],
        ["blobs.get", journal.blobs.get("a", 0, 0)],
        ["blobs.owners", journal.blobs.owners()],
        ["blobs.release", journal.blobs.release("b")],
      ];
      for (const [verb, result] of verbs()) await refused(result, "journal/unavailable", `${verb} before open`);
      await journal.open();
      await journal.close();
      await journal.close();
      for (const [verb, result] of verbs()) await refused(result, "journal/unavailable", `${verb} after close`);
      await refused(journal.open(), "journal/unavailable", "open after close");
      equal((await harness.journal().open()).head, 0, "the head");
    },
  },
];

const order: CaseDefinition[] = [
  {
    name: "gives back every batch as it was, in order, in the same and in a later journal",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const batches = await fill(journal, [1, 100, 2, 1, 1, 30, 1]);
      equal(await all(journal.read(0)), batches.map(asRead), "read by its owner");
      const later = harness.journal();
      equal((await later.open()).head, 136, "the head");
      equal(await all(later.read(0)), batches.map(asRead), "read after reopening");
      const more = await fill(later, [2], 136);
      equal(await all(later.read(136)), more.map(asRead), "what was appended after reopening");
    },
  },
  {
    name: "reads from the middle, from within a batch, from the end, and beyond it",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const batches = (await fill(journal, [2, 3, 1, 4])).map(asRead);
      for (let after = 0; after <= 12; after++) {
        const expected = batches.filter(({ to }) => to > after);
        equal(await all(journal.read(after)), expected, `read(${after})`);
      }
    },
  },
  {
    name: "keeps any text: unicode, lone surrogates, zeros, line ends",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const texts = ['["héllo 🎭 ‮ שלום"]', '["\ud800 alone \udfff"]', '["\u0000\u2028\r\n\ufeff\uffff"]', "[]"];
      const batches = texts.map((text, at): Batch => ({ from: at + 1, to: at + 1, at, text, archive: [] }));
      for (const batch of batches) await journal.append(batch.from - 1, batch);
      const later = harness.journal();
      await later.open();
      equal(await all(later.read(0)), batches, "the texts");
    },
  },
  {
    name: "keeps a batch of 10,000 events and 8 MB",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const batch = batchAfter(0, 10_000, [], "x".repeat(760));
      claim(batch.text.length > 8_000_000, `the case is too small: ${batch.text.length}`);
      await journal.append(0, batch);
      const later = harness.journal();
      equal((await later.open()).head, 10_000, "the head");
      equal(await all(later.read(0)), [batch], "the batch");
    },
  },
  {
    name: "streams 100,000 events, and can be left early",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      await fill(journal, [...Array<number>(100).fill(900), ...Array<number>(200).fill(50)]);
      let head = 0;
      for await (const batch of journal.read(0)) {
        equal(batch, asRead(batchAfter(head, batch.to - head)), `the batch after ${head}`);
        head = batch.to;
      }
      equal(head, 100_000, "the last event read");
      for await (const batch of journal.read(50_000)) if (batch.to > 50_500) break;
      await fill(journal, [1], 100_000);
    },
  },
  {
    name: "takes appends that don't wait for each other, and reads that run beside them",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const batches = Array.from({ length: 20 }, (_, at) => batchAfter(at * 3, 3));
      const [seen] = await Promise.all([
        all(journal.read(0)),
        ...batches.map((batch) => journal.append(batch.from - 1, batch)),
      ]);
      equal(seen, batches.slice(0, seen.length).map(asRead), "what was read meanwhile");
      equal(await all(journal.read(0)), batches.map(asRead), "what was read at the end");
    },
  },
  {
    name: "keeps no alias into what it was given, and gives none",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const bytes = new Uint8Array([1, 2, 3]);
      const rows = [{ ...rowOf("a") }];
      const batch = { ...batchAfter(0, 1, rows) };
      const writing = [journal.append(0, batch), journal.blobs.put("b", "o", bytes)];
      Object.assign(batch, { text: "[]", to: 7 });
      Object.assign(rows[0] ?? {}, { text: "spoilt", id: "other" });
      bytes.fill(9);
      await Promise.all(writing);
      const [read] = await all(journal.read(0));
      Object.assign(read ?? {}, { text: "spoilt" });
      Object.assign((await journal.archived("a")) ?? {}, { text: "spoilt" });
      (await journal.blobs.get("b", 0, 3)).fill(9);
      equal(await all(journal.read(0)), [asRead(batchAfter(0))], "the batch");
      equal(await journal.archived("a"), rowOf("a"), "the row");
      equal([...(await journal.blobs.get("b", 0, 3))], [1, 2, 3], "the bytes");
    },
  },
];

const conflicts: CaseDefinition[] = [
  {
    name: "refuses a wrong head, a gap, an overlap, the same batch twice, and changes nothing",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const batches = await fill(journal, [2, 3]);
      const rows = [rowOf("never")];
      const wrong: (readonly [string, number, Batch])[] = [
        ["an older head", 2, batchAfter(2, 3, rows)],
        ["a head that is not reached", 6, batchAfter(6, 1, rows)],
        ["a gap", 5, batchAfter(6, 1, rows)],
        ["an overlap", 5, batchAfter(4, 4, rows)],
        ["the first batch again", 0, batchAfter(0, 2, rows)],
        ["the last batch again", 2, { ...batchAfter(2, 3), archive: rows }],
        ["a batch that ends before it begins", 5, { ...batchAfter(5, 1, rows), to: 5 }],
        ["a batch that ends at a fraction", 5, { ...batchAfter(5, 1, rows), to: 6.5 }],
        ["a batch that ends nowhere", 5, { ...batchAfter(5, 1, rows), to: Number.NaN }],
      ];
      for (const [what, head, batch] of wrong) await refused(journal.append(head, batch), "journal/conflict", what);
      equal(await all(journal.read(0)), batches.map(asRead), "the batches");
      equal(await journal.archived("never"), undefined, "the row of a refused batch");
      await fill(journal, [1], 5);
    },
  },
  {
    name: "takes one of two batches for the same head, whole",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      const rivals = [batchAfter(0, 2, [rowOf("a")]), batchAfter(0, 3, [rowOf("b")])];
      const results = await Promise.allSettled(rivals.map((batch) => journal.append(0, batch)));
      equal(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"], "the outcomes");
      const winner = rivals[results.findIndex(({ status }) => status === "fulfilled")];
      equal(
        await all(journal.read(0)),
        [winner].flatMap((batch) => (batch ? [asRead(batch)] : [])),
        "the journal",
      );
      const found = [await journal.archived("a"), await journal.archived("b")].map((row) => row?.id);
      equal(
        found.filter(Boolean),
        winner?.archive.map(({ id }) => id),
        "the archive",
      );
    },
  },
];

const fence: CaseDefinition[] = [
  {
    name: "refuses every write of an older owner, and changes nothing",
    run: async (harness) => {
      const [old, current] = [harness.journal(), harness.journal()];
      await old.open();
      const batches = await fill(old, [2, 2]);
      await old.blobs.put("kept", "o", new Uint8Array([7]));
      await current.open();
      const writes: (readonly [string, Promise<unknown>])[] = [
        ["append", old.append(4, batchAfter(4, 1, [rowOf("never")]))],
        ["compact", old.compact({ seq: 4, text: "{}" })],
        ["blobs.put", old.blobs.put("new", "o", new Uint8Array([8]))],
        ["blobs.release", old.blobs.release("o")],
      ];
      for (const [verb, result] of writes) await refused(result, "journal/fenced", verb);
      equal(await all(current.read(0)), batches.map(asRead), "the batches");
      equal(await current.archived("never"), undefined, "the row");
      equal([...(await current.blobs.get("kept", 0, 1))], [7], "the blob");
      await refused(current.blobs.get("new", 0, 1), "blob/unknown", "a blob that was refused");
      await fill(current, [1], 4);
      await refused(old.append(5, batchAfter(5)), "journal/fenced", "the right head doesn't help");
      equal((await harness.journal().open()).snapshot, undefined, "the snapshot");
    },
  },
  {
    name: "never lets two owners go on, however they overlap",
    run: async (harness) => {
      let writer = harness.journal();
      let { epoch, head } = await writer.open();
      for (let round = 0; round < 6; round++) {
        const taker = harness.journal();
        const appends = [0, 1, 2, 3].map((n) => writer.append(head + n, batchAfter(head + n)));
        const taken = taker.open();
        const acknowledged = (await Promise.allSettled(appends)).filter(({ status }) => status === "fulfilled").length;
        const opened = await taken;
        equal(opened.epoch, epoch + 1, "the epoch");
        equal(opened.head, head + acknowledged, "what the new owner finds is what was acknowledged");
        await refused(writer.append(opened.head, batchAfter(opened.head)), "journal/fenced", "the older owner");
        ({ epoch, head } = opened);
        writer = taker;
      }
    },
  },
];

/** All cases of the history. */
export function historyCases(): readonly CaseDefinition[] {
  return [...opening, ...order, ...conflicts, ...fence];
}
