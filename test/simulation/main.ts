/**
 * `npm run sim`: seed after seed of the simulator; the last line is the totals, and a violation makes exit code 1.
 *   --seeds N   how many (100)        --from S    the first (1)       --steps M   stop each after so many steps
 *   --jobs J    processes at once     --seed S,…  these, told step by step where they fail
 *   --keep 3,17 with --seed: only these deeds and faults     --until-failure   stop at the first that fails
 *   --planted [NAME]   plants each bug of test/planted in a copy, and tells how soon it is found
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadEntries } from "../../src/simulation-entries.ts";
import { drawPlan, keepOf } from "./plan.ts";
import { tryPlanted } from "./planted.ts";
import { runPlan } from "./run.ts";
import { shrink } from "./shrink.ts";
import { add, createTotals, lineOf, tell, type SeedResult } from "./telling.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    steps: { type: "string" },
    jobs: { type: "string" },
    seed: { type: "string" },
    keep: { type: "string" },
    "until-failure": { type: "boolean", default: false },
    planted: { type: "boolean", default: false },
    child: { type: "boolean", default: false },
  },
});

/** Seeds of one process: pages hold on to their workers by a table of the module, so that each seed leaves some MB. */
const MOST = 100;

const [from, count] = [number("from"), number("seeds")];
const steps = values.steps === undefined ? Infinity : number("steps");

if (values.planted) process.exitCode = (await tryPlanted(positionals[0])) ? 0 : 1;
else if (values.child) await runShare();
else if (values.seed !== undefined) await replay(values.seed.split(",").map(Number));
else await runAll();

function number(name: "from" | "seeds" | "steps" | "jobs"): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${values[name] ?? ""}: a whole number`);
  return value;
}

/** Some seeds, as they are; one also with a part of its plan only. */
async function replay(seeds: readonly number[]): Promise<void> {
  const entries = await loadEntries();
  const kept = values.keep?.split(",").map(Number);
  const started = performance.now();
  const totals = createTotals();
  for (const seed of seeds) {
    const plan = drawPlan(seed);
    const outcome = await runPlan(entries, kept ? keepOf(plan, new Set(kept)) : plan, steps);
    tell(outcome);
    add(totals, { seed, ...outcome });
  }
  console.log(lineOf(totals, performance.now() - started));
  process.exitCode = totals.violations > 0 ? 1 : 0;
}

/** A child of {@link runAll}: takes every n-th seed. */
async function runShare(): Promise<void> {
  const entries = await loadEntries();
  const jobs = number("jobs");
  for (let seed = from; seed < from + count; seed += jobs) {
    const { story: _story, ...outcome } = await runPlan(entries, drawPlan(seed), steps);
    process.send?.({ seed, ...outcome, faults: [...outcome.faults] });
  }
}

async function runAll(): Promise<void> {
  const jobs = Math.min(values.jobs === undefined ? availableParallelism() : number("jobs"), count);
  const started = performance.now();
  const totals = createTotals();
  const failed: number[] = [];
  const children = new Set<ChildProcess>();
  let stopped = false;
  const isOver = (): boolean => stopped;
  const endAll = (): void => {
    stopped = true;
    for (const child of children) child.kill();
  };
  const take = (result: SeedResult): void => {
    add(totals, { ...result, faults: new Map(result.faults) });
    if (result.violations.length === 0) return;
    failed.push(result.seed);
    console.log(`seed ${result.seed}: ${result.violations[0]?.rule ?? ""}: ${result.violations[0]?.text ?? ""}`);
    if (values["until-failure"]) endAll();
  };
  const run = async (job: number): Promise<void> => {
    for (let done = job; done < count && !isOver(); done += jobs * MOST) {
      const share = ["--child", "--from", `${from + done}`, "--jobs", `${jobs}`];
      const some = ["--seeds", `${Math.min(count - done, jobs * MOST)}`];
      const more = values.steps === undefined ? [] : ["--steps", values.steps];
      const child = fork(fileURLToPath(import.meta.url), [...share, ...some, ...more]);
      children.add(child);
      child.on("message", take);
      const [code] = (await once(child, "exit")) as [number | null];
      children.delete(child);
      if (code !== 0 && !isOver()) failed.push(NaN);
    }
  };
  await Promise.all(Array.from({ length: jobs }, (_none, job) => run(job)));
  const [first] = failed.toSorted((a, b) => a - b);
  if (first !== undefined && !values["until-failure"]) await explain(first);
  console.log(lineOf(totals, performance.now() - started));
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** Shrinks the failure, and tells how to have it again. */
async function explain(seed: number): Promise<void> {
  if (Number.isNaN(seed)) {
    console.log("a process of the simulator has failed, see above");
    return;
  }
  const [entries, plan] = [await loadEntries(), drawPlan(seed)];
  const { kept, outcome, trials } = await shrink(entries, plan, await runPlan(entries, plan, steps), 60_000);
  console.log(`seed ${seed}, shrunk to ${kept.length} of ${plan.deeds.length + plan.faults.length} in ${trials} runs:`);
  tell(outcome);
  console.log(`npm run sim -- --seed ${seed} --keep ${kept.join(",") || "0"}`);
}
