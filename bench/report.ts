/** Writes the tables of docs/performance.md anew from bench/results. Alone: `node bench/report.ts`. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "prettier";
import { ROOT } from "../test/harness/servers.ts";
import type { Results, Row } from "./row.ts";

const DOCUMENT = join(ROOT, "docs/performance.md");
const MARKED = /<!-- results: ([\w.]+) -->[\s\S]*?<!-- end -->/gu;

export async function report(): Promise<void> {
  const before = await readFile(DOCUMENT, "utf8");
  const tables = new Map<string, string>();
  for (const [, name = ""] of before.matchAll(MARKED)) {
    const file = join(ROOT, "bench/results", `${name}.json`);
    if (!existsSync(file)) continue;
    const table = tableOf(JSON.parse(await readFile(file, "utf8")) as Results);
    const isDrawn = existsSync(join(ROOT, "bench/results", `${name}.png`));
    tables.set(
      name,
      isDrawn ? `${table}\n\n![The cost of a node by what has been before](../bench/results/${name}.png)` : table,
    );
  }
  const after = before.replace(MARKED, (kept, name: string) => {
    const table = tables.get(name);
    return table === undefined ? kept : `<!-- results: ${name} -->\n\n${table}\n\n<!-- end -->`;
  });
  await writeFile(DOCUMENT, await format(after, { parser: "markdown", printWidth: 120 }));
}

function tableOf({ command, machine, rows }: Results): string {
  const { date, browser, cpu, cores, load, calibration } = machine;
  const when = `\`${command}\`, ${date}: ${browser}, ${String(cores)} cores (${cpu}), load ${load.map((one) => one.toFixed(1)).join(" → ")}, calibration ${calibration.map((one) => one.toFixed(0)).join(" → ")}.`;
  const head = "| figure | ours | the bound, ours / bound | others, ours / other |\n|---|---|---|---|";
  return [when, "", head, ...rows.map(lineOf)].join("\n");
}

function lineOf({ figure, unit, ours, bound, peers, limits, ratios, spread }: Row): string {
  const mine = Object.entries(spread).find(([name]) => name.startsWith("ours"))?.[1] ?? [ours, ours];
  const beside = (name: string, value: number): string => `${shown(value)}, **${shown(ratios[name] ?? NaN)}**`;
  const others = [...Object.entries(peers), ...Object.entries(limits)];
  const cells = [
    figure,
    `${shown(ours)} ${unit} (${mine.map(shown).join("–")})`,
    bound === null ? "–" : beside("bound", bound),
    others.map(([name, value]) => `${name}: ${beside(name, value)}`).join("<br>"),
  ];
  return `| ${cells.join(" | ")} |`;
}

function shown(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 1_000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

if (process.argv[1] === import.meta.filename) await report();
