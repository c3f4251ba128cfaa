/** The lines of the audit log: a journal without `audit` has nothing to show here. */
import type { AuditRecord, Journal } from "../../core/ports.ts";
import { equal, refused } from "../claims.ts";
import { batchAfter, type CaseDefinition } from "./harness.ts";

function lineOf(n: number, cut?: number): AuditRecord {
  const at = cut !== undefined && { cut: { n: cut, text: `{"checkpoint":${cut}}` } };
  return { text: `{"n":${n}}`, end: { n, hash: `hash ${n}`, sum: 10 * n }, ...at };
}

async function write(journal: Journal, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await journal.append(n - 1, { ...batchAfter(n - 1), line: lineOf(n) });
}

const cases: CaseDefinition[] = [
  {
    name: "keeps a line with each batch, and where the lines end, over restarts",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      if (!journal.audit) return;
      equal(await journal.audit.end(), undefined, "the end of an empty log");
      await write(journal, 1, 5);
      await journal.append(5, batchAfter(5));
      await journal.close();
      const later = harness.journal();
      await later.open();
      equal(await later.audit?.end(), lineOf(5).end, "the end");
      equal(await later.audit?.read(0, 2), ['{"n":1}', '{"n":2}'], "the first two");
      equal(await later.audit?.read(3, 10), ['{"n":4}', '{"n":5}'], "the last ones");
      equal(await later.audit?.read(5, 10), [], "what is behind the end");
      await later.close();
    },
  },
  {
    name: "lets go of lines together with the batch that says so",
    run: async (harness) => {
      const journal = harness.journal();
      await journal.open();
      if (!journal.audit) return;
      await write(journal, 1, 7);
      await journal.append(7, { ...batchAfter(7), line: lineOf(8, 4) });
      equal(await journal.audit.read(0, 3), ['{"checkpoint":4}', '{"n":5}', '{"n":6}'], "the first lines");
      await journal.append(8, { ...batchAfter(8), line: lineOf(9, 7) });
      equal(await journal.audit.read(0, 10), ['{"checkpoint":7}', '{"n":8}', '{"n":9}'], "the lines");
      await journal.close();
    },
  },
  {
    name: "keeps no line of a batch that was refused",
    run: async (harness) => {
      const [journal, next] = [harness.journal(), harness.journal()];
      await journal.open();
      if (!journal.audit) return;
      await write(journal, 1, 2);
      await refused(
        journal.append(7, { ...batchAfter(7), line: lineOf(3) }),
        "journal/conflict",
        "a batch that doesn't follow",
      );
      await next.open();
      await refused(
        journal.append(2, { ...batchAfter(2), line: lineOf(3) }),
        "journal/fenced",
        "a batch of an older owner",
      );
      equal(await next.audit?.end(), lineOf(2).end, "the end");
      equal(await next.audit?.read(1, 10), ['{"n":2}'], "the lines");
      await journal.close();
      await next.close();
    },
  },
];

export function auditCases(): readonly CaseDefinition[] {
  return cases;
}
