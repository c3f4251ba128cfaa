/**
 * `npm run bench -- --budget`: the few ratios that are the same on every machine and under load, against bench/budgets.json.
 * They are of time of the processor in one process, or they are counts; none is a time of the clock. What is worse than its
 * budget is measured once more, and fails only when it is worse again. With `--rounds N` all is measured N times, to see
 * how far the ratios spread.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { findEngine } from "../test/harness/engines.ts";
import { ROOT } from "../test/harness/servers.ts";
import * as v from "valibot";
import { measure, withPage } from "./browsing.ts";
import { bundle } from "./bundle.ts";
import { measureCore } from "./core.ts";
import { measureMatching } from "./matching.ts";
import type { Row } from "./row.ts";

/** The most that the ratio may be: ours by what; "ours" is the figure itself, "bound" what stands beside it as such. */
const BudgetSchema = v.strictObject({ of: v.string(), most: v.number() });
const BudgetsSchema = v.record(v.string(), v.record(v.string(), BudgetSchema));
type Budgets = v.InferOutput<typeof BudgetsSchema>;

const ROUNDS = 5;
const SUITES: Readonly<Record<string, (figures: readonly string[]) => Promise<readonly Row[]>>> = {
  core: (figures) => measureCore({ quick: false, rounds: ROUNDS, total: 5_000 }, (name) => figures.includes(name)),
  matching: () => Promise.resolve(measureMatching(3, true)),
  traffic: measureTraffic,
};

/** What was found for a figure, once for each time that it was measured. */
interface Found {
  readonly suite: string;
  readonly figure: string;
  readonly most: number;
  readonly values: number[];
}

/** Gives back whether all budgets are held. */
export async function checkBudgets(times: number): Promise<boolean> {
  const text = await readFile(join(ROOT, "bench/budgets.json"), "utf8");
  const budgets = v.parse(BudgetsSchema, JSON.parse(text));
  let isHeld = true;
  for (const [suite, figures] of Object.entries(budgets)) {
    if (suite === "traffic" && findEngine("chromium") === undefined) {
      console.log("NOT measured: traffic, for which Chromium has to be installed");
      isHeld = false;
      continue;
    }
    const found = await measureAll(suite, figures, times);
    const worse = found.filter(isOver);
    if (worse.length > 0) {
      const again = await measureAll(suite, pick(figures, worse), times);
      for (const one of again) found.find(({ figure }) => figure === one.figure)?.values.push(...one.values);
    }
    for (const one of found) tell(one);
    if (found.some(isOver)) isHeld = false;
  }
  console.log(isHeld ? "All budgets held" : "Budgets NOT held");
  return isHeld;
}

async function measureAll(suite: string, figures: Budgets[string], times: number): Promise<Found[]> {
  const measureSuite = SUITES[suite];
  if (!measureSuite) throw new Error(`bench/budgets.json: there is no budget for a suite ${suite}`);
  const found = Object.entries(figures).map(([figure, { most }]): Found => ({ suite, figure, most, values: [] }));
  for (let time = 0; time < times; time++) {
    const rows = await measureSuite(Object.keys(figures));
    for (const one of found) {
      const row = rows.find(({ figure }) => figure === one.figure);
      const of = figures[one.figure]?.of ?? "ours";
      const value = of === "ours" ? row?.ours : row?.ratios[of];
      if (value === undefined) throw new Error(`bench/budgets.json: ${suite} has no ratio of "${one.figure}" to ${of}`);
      one.values.push(value);
    }
  }
  return found;
}

/** The best that was seen counts: others on the machine make it worse, nothing makes it better. */
const isOver = ({ values, most }: Found): boolean => Math.min(...values) > most;

function pick(figures: Budgets[string], some: readonly Found[]): Budgets[string] {
  return Object.fromEntries(Object.entries(figures).filter(([name]) => some.some(({ figure }) => figure === name)));
}

function tell(one: Found): void {
  const { suite, figure, most, values } = one;
  const seen =
    values.length === 1 ? String(values[0]) : `${String(Math.min(...values))} to ${String(Math.max(...values))}`;
  console.log(`${isOver(one) ? "FAILED" : "ok    "} ${suite}: ${figure}: ${seen}, at most ${String(most)}`);
}

async function measureTraffic(): Promise<readonly Row[]> {
  await bundle(true);
  const options = { quick: true, rounds: 1, only: "a task alone", profile: false, quiet: true } as const;
  return withPage("chromium", false, async ({ page, folder }) => {
    const { rows } = await measure(page, "traffic", { ...options, engine: "chromium", folder });
    return rows;
  });
}
