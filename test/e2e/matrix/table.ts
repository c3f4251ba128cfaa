/** The matrix as it stands in docs/reliability.md: what the document says is what the tests see. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import type { Engine } from "../../harness/engines.ts";
import { ROOT } from "../../harness/servers.ts";

const DOCUMENT = join(ROOT, "docs/reliability.md");
const MARKED = /<!-- matrix -->([\s\S]*?)<!-- end -->/u;
const COLUMNS: readonly Engine[] = ["chromium", "firefox", "webkit"];

export interface Cell {
  readonly fault: string;
  readonly engine: Engine;
}

/** What the document says of a fault in an engine; undefined where it says nothing. */
export function written({ fault, engine }: Cell): string | undefined {
  return rows(readFileSync(DOCUMENT, "utf8")).get(fault)?.[COLUMNS.indexOf(engine)];
}

/** `MATRIX=write`: puts what was seen into the document, in the order of the faults. */
export async function write(
  faults: readonly string[],
  seen: readonly (Cell & { readonly outcome: string })[],
): Promise<void> {
  const before = readFileSync(DOCUMENT, "utf8");
  const table = rows(before);
  for (const { fault, engine, outcome } of seen) {
    const row = table.get(fault) ?? COLUMNS.map(() => "");
    table.set(fault, row.with(COLUMNS.indexOf(engine), outcome));
  }
  const lines = faults.map((fault) => `| ${[fault, ...(table.get(fault) ?? COLUMNS.map(() => ""))].join(" | ")} |`);
  const head = "| fault | Chromium | Firefox | WebKit |\n| --- | --- | --- | --- |";
  const text = `<!-- matrix -->\n\n${head}\n${lines.join("\n")}\n\n<!-- end -->`;
  const after = before.replace(MARKED, () => text);
  writeFileSync(DOCUMENT, await format(after, { parser: "markdown", printWidth: 120 }));
}

function rows(text: string): Map<string, string[]> {
  const lines = (MARKED.exec(text)?.[1] ?? "").split("\n").filter((line) => line.startsWith("| "));
  const cells = lines.slice(1).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim())); // prettier-ignore
  return new Map(cells.filter(([fault = ""]) => !/^-+$/u.test(fault)).map(([fault = "", ...row]) => [fault, row]));
}
