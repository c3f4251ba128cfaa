/** Dead letters out of an archive of all kinds of ends: none is missed and none is told twice, page by page. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ArchiveRow } from "../../../src/core/ports.ts";
import { listDeadLetters } from "../../../src/workers/dead-letters.ts";
import { createMemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import type { Journal } from "../../../src/core/ports.ts";
import { createChance, seedOf } from "../core/chance.ts";

const seed = seedOf(12);
const STATUSES = ["completed", "completed", "failed", "cancelled", "timed-out", "skipped"];

interface Ended {
  readonly id: string;
  readonly status: string;
  readonly type: string;
  readonly kind: ArchiveRow["kind"];
}

/** A journal with these rows, and the rows newest first. */
async function journalOf(ended: readonly Ended[], perBatch: number): Promise<Journal> {
  const journal = createMemoryJournal({ disk: createMemoryDisk({ databaseId: () => "memory" }) });
  await journal.open();
  for (let at = 0, seq = 0; at < ended.length; at += perBatch, seq++) {
    const archive = ended.slice(at, at + perBatch).map(({ kind, ...record }): ArchiveRow => ({
      kind,
      id: record.id,
      at: seq,
      // What looks like a status elsewhere in the text is none.
      text: JSON.stringify({ ...record, input: '{"status":"failed"}', error: { code: "failed" } }),
    }));
    await journal.append(seq, { from: seq + 1, to: seq + 1, at: seq, text: "[]", archive });
  }
  return journal;
}

async function listAll(journal: Journal, limit: number, task?: string): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < 10_000; page++) {
    const { rows, next } = await listDeadLetters(journal, { limit, after, task });
    assert.ok(rows.length <= limit);
    ids.push(...rows.map(({ id }) => id));
    if (next === undefined) return ids;
    after = next;
  }
  throw new Error("it never ends");
}

describe(`dead letters (seed ${String(seed)})`, () => {
  it("are what a filter over the whole archive gives, newest first, for any limit", async () => {
    const chance = createChance(seed);
    for (let run = 0; run < 12; run++) {
      const ended = Array.from({ length: chance.below(700) }, (_none, at): Ended => {
        const kind = chance.once(10) ? "execution" : "task";
        return { id: `t${String(at)}`, status: chance.pick(STATUSES), type: chance.pick(["a", "b"]), kind };
      });
      const journal = await journalOf(ended, 1 + chance.below(9));
      const { rows } = await archiveOf(journal);
      const dead = rows.filter(({ kind, status }) => kind === "task" && ["failed", "timed-out"].includes(status));
      const limit = 1 + chance.below(60);
      assert.deepEqual(
        await listAll(journal, limit),
        dead.map(({ id }) => id),
      );
      const ofB = dead.filter(({ type }) => type === "b").map(({ id }) => id);
      assert.deepEqual(await listAll(journal, limit, "b"), ofB);
    }
  });

  it("cost one answer a bounded number of rows, however long there is none", async () => {
    const ended = Array.from({ length: 2_500 }, (_none, at): Ended => {
      return { id: `t${String(at)}`, status: at === 0 ? "failed" : "completed", type: "a", kind: "task" };
    });
    const journal = await journalOf(ended, 500);
    let read = 0;
    const counting: Pick<Journal, "archive"> = {
      async archive(query) {
        const page = await journal.archive(query);
        read += page.rows.length;
        return page;
      },
    };
    const first = await listDeadLetters(counting, {});
    assert.deepEqual([first.rows.length, read], [0, 2_000]);
    const second = await listDeadLetters(counting, { after: first.next });
    assert.deepEqual([second.rows.map(({ id }) => id), second.next], [["t0"], undefined]);
  });
});

async function archiveOf(journal: Journal): Promise<{ rows: Ended[] }> {
  const rows: Ended[] = [];
  let after: string | undefined;
  do {
    const page = await journal.archive({ after, limit: 1_000 });
    rows.push(...page.rows.map(({ kind, text }) => ({ ...(JSON.parse(text) as Ended), kind })));
    after = page.next;
  } while (after !== undefined);
  return { rows };
}
