import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

declare const axe: { run(context: object, options: object): Promise<{ violations: Violation[] }> };

/** What axe-core finds in the page, told in a line each. Frames are others' pages: cells, and the report. */
export async function seriousProblems(page: Page): Promise<string[]> {
  // Evaluated by the debugger, so that the page's policy needs no exception.
  await page.evaluate(SOURCE);
  return page.evaluate(async () => {
    const { violations } = await axe.run({ exclude: [["iframe"]] }, { iframes: false });
    return violations.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html.slice(0, 160)} ${failureSummary}`),
    );
  });
}
