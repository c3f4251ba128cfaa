import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Batch } from "../../../src/core/ports.ts";
import { createMemoryDisk, createMemoryJournal } from "../../../src/plugins/journals/index.ts";
import { journalConformance } from "../../../src/testing.ts";
import { cannotInMemory, openMemoryHarness } from "../../browser/journals/memory-harness.ts";

describe("journal in memory", () => {
  const open = () => Promise.resolve(openMemoryHarness());
  for (const seed of [1, 2, 3, 4, 5]) {
    for (const { name, skip, run } of journalConformance({ open, cannot: cannotInMemory, seed })) {
      if (seed === 1 || name.includes("seed")) it(name, { skip: skip ?? false }, run);
    }
  }
});

const batch: Batch = { from: 1, to: 1, at: 0, text: "[1]", archive: [] };

describe("disk in memory", () => {
  it("writes nothing when a write is refused or hangs", async () => {
    const disk = createMemoryDisk();
    const journal = createMemoryJournal({ disk });
    await journal.open();
    disk.fail(() => "refuse");
    await assert.rejects(journal.append(0, batch), { code: "journal/unavailable" });
    disk.fail(() => "hang");
    void journal.append(0, batch);
    await new Promise(setImmediate);
    disk.fail();
    await journal.append(0, batch);
    assert.equal((await createMemoryJournal({ disk }).open()).head, 1);
  });

  it("writes before a reply that never comes", async () => {
    const disk = createMemoryDisk();
    const journal = createMemoryJournal({ disk });
    await journal.open();
    disk.fail(() => "hang-after");
    void journal.append(0, batch);
    await new Promise(setImmediate);
    disk.fail();
    assert.equal((await createMemoryJournal({ disk }).open()).head, 1);
  });

  it("delays a write by a promise, and fences it by what happened meanwhile", async () => {
    const disk = createMemoryDisk();
    const [old, current] = [createMemoryJournal({ disk }), createMemoryJournal({ disk })];
    await old.open();
    let release = (): void => undefined;
    const gate = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
    disk.fail((write) => (write.verb === "append" ? gate : undefined));
    const late = old.append(0, batch);
    await current.open();
    release();
    await assert.rejects(late, { code: "journal/fenced" });
    assert.equal((await current.open()).head, 0);
  });

  it("counts bytes against its capacity, and gives back those of what compaction lets go of", async () => {
    const disk = createMemoryDisk({ capacity: 2_000 });
    const journal = createMemoryJournal({ disk });
    await journal.open();
    const text = `["${"x".repeat(500)}"]`;
    for (let seq = 1; seq <= 40; seq++) {
      await journal.append(seq - 1, { from: seq, to: seq, at: 0, text, archive: [] });
      await journal.compact({ seq, text: "{}" });
    }
    assert.ok(disk.used <= 2_000, `used ${disk.used}`);
    await assert.rejects(journal.blobs.put("b", "o", new Uint8Array(2_000)), { code: "journal/quota" });
    const { used } = disk;
    await journal.blobs.put("b", "o", new Uint8Array(100));
    await journal.blobs.release("o");
    assert.equal(disk.used, used);
  });

  it("lets others watch what is appended, in copies", async () => {
    const disk = createMemoryDisk({ databaseId: () => "a known id of 20 chars" });
    const journal = createMemoryJournal({ disk });
    assert.equal((await journal.open()).databaseId, "a known id of 20 chars");
    const seen: Batch[] = [];
    const stop = disk.onAppend((each) => seen.push(each));
    const rows = [{ kind: "task", id: "a", at: 1, text: "{}" }] as const;
    await journal.append(0, { ...batch, archive: rows });
    stop();
    await journal.append(1, { ...batch, from: 2, to: 2 });
    assert.deepEqual(seen, [{ ...batch, archive: rows }]);
    Object.assign(seen[0]?.archive[0] ?? {}, { text: "spoilt" });
    assert.equal((await journal.archived("a"))?.text, "{}");
  });
});
