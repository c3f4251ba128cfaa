/** Cases of the archive. */
import type { ArchiveQuery, ArchiveRow, Journal } from "../../core/ports.ts";
import { claim, equal, refused } from "../claims.ts";
import { batchAfter, rowOf, type CaseDefinition, type JournalHarness } from "./harness.ts";

/** Every row of a query, page by page. */
export async function pages(journal: Journal, query: ArchiveQuery): Promise<ArchiveRow[]> {
  const rows: ArchiveRow[] = [];
  for (let after: string | undefined; ;) {
    const page = await journal.archive({ ...query, ...(after !== undefined && { after }) });
    claim(page.rows.length > 0 || page.next === undefined, "an empty page that is not the last");
    rows.push(...page.rows);
    if (page.next === undefined) return rows;
    claim(page.next !== after, `the cursor ${page.next} leads to itself`);
    after = page.next;
  }
}

async function opened(harness: JournalHarness): Promise<Journal> {
  const journal = harness.journal();
  await journal.open();
  return journal;
}

/** Appends one batch for each list of rows. */
async function finish(journal: Journal, lists: readonly (readonly ArchiveRow[])[], head = 0): Promise<number> {
  for (const rows of lists) {
    await journal.append(head, batchAfter(head, 2, rows));
    head += 2;
  }
  return head;
}

function idsOf(rows: readonly ArchiveRow[]): string[] {
  return rows.map(({ id }) => id);
}

/** Three executions, each with two tasks, in four batches. */
const some: readonly (readonly ArchiveRow[])[] = [
  [rowOf("e1/a"), rowOf("e2/a")],
  [rowOf("e1/b"), rowOf("e1", "execution")],
  [rowOf("alone"), rowOf("e10/a")],
  [rowOf("e2/b"), rowOf("e10/b"), rowOf("e2", "execution"), rowOf("e10", "execution")],
];

const cases: CaseDefinition[] = [
  {
    name: "finds what finished by its id, in the same and in a later journal",
    run: async (harness) => {
      const journal = await opened(harness);
      await finish(journal, some);
      const later = harness.journal();
      for (const reader of [journal, later]) {
        if (reader === later) await later.open();
        for (const row of some.flat()) equal(await reader.archived(row.id), row, row.id);
        for (const id of ["", "e", "e1/", "e1/c", "e3", "E1", "e1\0"]) {
          equal(await reader.archived(id), undefined, JSON.stringify(id));
        }
      }
    },
  },
  {
    name: "lists newest first, by kind, in pages of any size",
    run: async (harness) => {
      const journal = await opened(harness);
      await finish(journal, some);
      const order = ["e10", "e2", "e10/b", "e2/b", "e10/a", "alone", "e1", "e1/b", "e2/a", "e1/a"];
      const executions = ["e10", "e2", "e1"];
      for (const limit of [1, 2, 3, 7, 10, 1_000]) {
        equal(idsOf(await pages(journal, { limit })), order, `all, ${limit} a page`);
        equal(idsOf(await pages(journal, { limit, kind: "execution" })), executions, `executions, ${limit} a page`);
        const tasks = order.filter((id) => !executions.includes(id));
        equal(idsOf(await pages(journal, { limit, kind: "task" })), tasks, `tasks, ${limit} a page`);
      }
      equal(await journal.archive({ limit: 10 }).then(({ next }) => next), undefined, "the cursor of the last page");
    },
  },
  {
    name: "lists by prefix in the order of ids",
    run: async (harness) => {
      const journal = await opened(harness);
      await finish(journal, some);
      const expected: readonly (readonly [ArchiveQuery, readonly string[]])[] = [
        [{ prefix: "e1/" }, ["e1/a", "e1/b"]],
        [{ prefix: "e1" }, ["e1", "e1/a", "e1/b", "e10", "e10/a", "e10/b"]],
        [{ prefix: "e1", kind: "execution" }, ["e1", "e10"]],
        [{ prefix: "e", kind: "task" }, ["e1/a", "e1/b", "e10/a", "e10/b", "e2/a", "e2/b"]],
        [{ prefix: "f" }, []],
        [{ prefix: "" }, ["alone", "e1", "e1/a", "e1/b", "e10", "e10/a", "e10/b", "e2", "e2/a", "e2/b"]],
      ];
      for (const [query, ids] of expected) {
        for (const limit of [1, 2, 100]) {
          equal(idsOf(await pages(journal, { ...query, limit })), ids, JSON.stringify({ ...query, limit }));
        }
      }
    },
  },
  {
    name: "keeps a cursor good while rows are added, and after reopening",
    run: async (harness) => {
      const journal = await opened(harness);
      const head = await finish(journal, some);
      const seen: string[] = [];
      const byPrefix: string[] = [];
      let [after, afterId]: (string | undefined)[] = [];
      let reader = journal;
      for (let at = 0; at < 5; at++) {
        const page = await reader.archive({ limit: 2, ...(after !== undefined && { after }) });
        const other = await reader.archive({
          limit: 1,
          prefix: "e1",
          ...(afterId !== undefined && { after: afterId }),
        });
        seen.push(...idsOf(page.rows));
        byPrefix.push(...idsOf(other.rows));
        [after, afterId] = [page.next, other.next];
        await finish(reader, [[rowOf(`e0/new${at}`), rowOf(`new${at}`, "execution")]], head + at * 2);
        if (at === 2) reader = await opened(harness);
      }
      equal(seen, ["e10", "e2", "e10/b", "e2/b", "e10/a", "alone", "e1", "e1/b", "e2/a", "e1/a"], "newest first");
      equal(byPrefix, ["e1", "e1/a", "e1/b", "e10", "e10/a"], "by prefix");
    },
  },
  {
    name: "refuses pages and cursors that it can't give",
    run: async (harness) => {
      const journal = await opened(harness);
      for (const query of [{ limit: 0 }, { limit: 1_001 }, { limit: 1.5 }, { after: "e1/a" }, { after: "1.2" }]) {
        await refused(journal.archive(query), "command/invalid", JSON.stringify(query));
      }
    },
  },
  {
    name: "gives the newer of two rows with one id",
    run: async (harness) => {
      const journal = await opened(harness);
      const [old, young] = [rowOf("a", "task", 1), rowOf("a", "task", 2)];
      await finish(journal, [[old], [young]]);
      equal(await journal.archived("a"), young, "archived");
      equal((await journal.archive({ prefix: "a" })).rows, [young], "by prefix");
      equal((await (await opened(harness)).archived("a")) ?? {}, young, "after reopening");
    },
  },
  {
    name: "keeps ids and texts of any characters",
    run: async (harness) => {
      const journal = await opened(harness);
      const ids = ["é/🎭", "é/\uffff", "é/\ud800x", 'q"\\/\n', " ", "\0", "é/\u{1f3ad}2"];
      await finish(journal, [ids.map((id) => ({ ...rowOf(id), text: `["${id}\n${id}"]` }))]);
      for (const id of ids) equal((await journal.archived(id))?.text, `["${id}\n${id}"]`, JSON.stringify(id));
      equal(idsOf(await pages(journal, { prefix: "é/" })), ids.filter((id) => id.startsWith("é/")).sort(), "by prefix");
    },
  },
  {
    name: "finds and lists among 40,000 rows as among few",
    run: async (harness) => {
      const journal = await opened(harness);
      const count = 40_000;
      const id = (n: number): string => `e${(n * 7_919) % 400}/${String(n).padStart(5, "0")}`; // scattered
      let head = 0;
      for (let n = 0; n < count; n += 1_000) {
        const rows = Array.from({ length: 1_000 }, (_, at) => rowOf(id(n + at)));
        head = await finish(journal, [rows], head);
      }
      const execution = rowOf("last", "execution");
      await finish(journal, [[execution]], head);
      for (const reader of [journal, await opened(harness)]) {
        for (let n = 0; n < count; n += 997) equal(await reader.archived(id(n)), rowOf(id(n)), id(n));
        equal(await reader.archived("e1/nobody"), undefined, "an unknown id");
        const ids = Array.from({ length: count }, (_, n) => id(n)).sort();
        for (const [prefix, limit] of [
          ["e17/", 30],
          ["e1", 1_000],
        ] as const) {
          const expected = ids.filter((each) => each.startsWith(prefix));
          equal(idsOf(await pages(reader, { prefix, limit })), expected, `by prefix ${prefix}`);
        }
        equal((await reader.archive({ kind: "execution" })).rows, [execution], "the one execution");
        equal(
          idsOf((await reader.archive({ limit: 3, kind: "task" })).rows),
          [1, 2, 3].map((n) => id(count - n)),
          "newest",
        );
      }
    },
  },
];

/** All cases of the archive. */
export function archiveCases(): readonly CaseDefinition[] {
  return cases;
}
