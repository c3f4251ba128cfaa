/** Writes the tables of docs/performance.md anew from bench/results. Alone: `node bench/report.ts`. */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "prettier";
import { ROOT } from "../test/harness/servers.ts";
import { claimsOf } from "./claims-table.ts";
import { goalsOf } from "./goals.ts";
import { shown, whenOf } from "./figures.ts";
import type { Results, Row } from "./row.ts";

const DOCUMENT = join(ROOT, "docs/performance.md");
const FOLDER = join(ROOT, "bench/results");
const GOALS = /<!-- goals -->[\s\S]*?<!-- end of goals -->/u;
const MARKED = /<!-- results: ([\w.]+) -->[\s\S]*?<!-- end -->/gu;

export async function report(): Promise<void> {
  const before = await readFile(DOCUMENT, "utf8");
  const kept = await readResults();
  const parts = new Map([...kept].map(([name, results]) => [name, withPicture(name, tableOf(results))]));
  const places = ["document", "document.firefox", "document.webkit", "document.node"].flatMap(
    (name) => kept.get(name) ?? [],
  );
  if (places.length > 0) parts.set("document", withPicture("document", claimsOf(places)));
  const after = before
    .replace(MARKED, (old, name: string) => {
      const part = parts.get(name);
      return part === undefined ? old : `<!-- results: ${name} -->\n\n${part}\n\n<!-- end -->`;
    })
    .replace(GOALS, () => `<!-- goals -->\n\n${goalsOf(kept)}\n\n<!-- end of goals -->`);
  await writeFile(DOCUMENT, await format(after, { parser: "markdown", printWidth: 120 }));
}

/** By the name of the file: the suite, and where it ran. */
async function readResults(): Promise<Map<string, Results>> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".json")).sort();
  const read = async (name: string): Promise<[string, Results]> => [
    name.slice(0, -".json".length),
    JSON.parse(await readFile(join(FOLDER, name), "utf8")) as Results,
  ];
  return new Map(await Promise.all(names.map(read)));
}

/** What the pictures show; others show figures by how many there are of something. */
const CAPTIONS: Readonly<Record<string, string>> = { graphs: "The cost of a node by what has been before" };

function withPicture(name: string, table: string): string {
  const isDrawn = existsSync(join(FOLDER, `${name}.png`));
  const caption = CAPTIONS[name] ?? "The figures by the scale";
  return isDrawn ? `${table}\n\n![${caption}](../bench/results/${name}.png)` : table;
}

function tableOf(results: Results): string {
  const head = "| figure | ours | the bound, ours / bound | others, ours / other |\n|---|---|---|---|";
  return [whenOf(results), "", head, ...results.rows.map(lineOf)].join("\n");
}

function lineOf({ figure, unit, ours, bound, peers, limits, ratios, spread }: Row): string {
  const mine = Object.entries(spread).find(([name]) => name.startsWith("ours"))?.[1] ?? [ours, ours];
  const beside = (name: string, value: number): string => `${shown(value)}, **${shown(ratios[name] ?? NaN)}**`;
  const others = [...Object.entries(peers), ...Object.entries(limits)];
  const cells = [
    figure,
    `${`${shown(ours)} ${unit}`.trim()} (${mine.map(shown).join("–")})`,
    bound === null ? "–" : beside("bound", bound),
    others.map(([name, value]) => `${name}: ${beside(name, value)}`).join("<br>"),
  ];
  return `| ${cells.join(" | ")} |`;
}

if (process.argv[1] === import.meta.filename) await report();
