/** Appends without end, and reports each head that was acknowledged, until it fails or is killed. */
import { RuntimeError } from "../../../src/core/errors.ts";
import { createIndexedDbJournal } from "../../../src/plugins/journals/index.ts";

/** The last acknowledged head, and why it ends there. */
export interface WriterReport {
  readonly head: number;
  readonly error?: string;
}

const scope = globalThis as unknown as { readonly name: string; postMessage(report: WriterReport): void };
const journal = createIndexedDbJournal({ name: scope.name });
let head = 0;
try {
  await journal.open();
  for (;;) {
    const count = 1 + (head % 50);
    const to = head + count;
    const text = JSON.stringify(Array.from({ length: count }, (_, at) => ({ n: head + 1 + at, pad: "x".repeat(200) })));
    await journal.append(head, {
      from: head + 1,
      to,
      at: 0,
      text,
      archive: [{ kind: "task", id: `t${to}`, at: to, text: "{}" }],
    });
    head = to;
    scope.postMessage({ head });
  }
} catch (error) {
  scope.postMessage({ head, error: error instanceof RuntimeError ? error.code : String(error) });
}
