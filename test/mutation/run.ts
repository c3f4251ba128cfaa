/**
 * `npm run mutate [-- --files PART --sample N --seed S --minutes M --jobs J]`: changes the core in one place at a time, and looks
 * whether a test fails. The last line gives the totals; the exit code is 1 when fewer than 85 % are killed.
 *   --files PART   only mutants of files with this part of a path below src/core
 *   --sample N     N mutants that the seed draws, all alike; without it all of them
 *   --minutes M    begins no other mutant after so many minutes: what was tried until then is a sample as well
 *   --tests PART   only tests with this part of a path
 *   --write        puts the table into docs/testing.md
 */
import { appendFileSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { coreFiles, instrument, keyOf, type Mutant } from "./mutants.ts";
import { report, tell } from "./report.ts";
import { draw } from "./sample.ts";
import { doubtful, runBaseline, tryMutant, type Verdict } from "./trial.ts";

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "" },
    sample: { type: "string" },
    seed: { type: "string" },
    tests: { type: "string", default: "" },
    minutes: { type: "string" },
    jobs: { type: "string", default: "2" },
    write: { type: "boolean", default: false },
  },
});
const seed = wholeNumber("seed", values.seed ?? String(Date.now() % 1_000_000_000));
const jobs = wholeNumber("jobs", values.jobs);
const minutes = values.minutes === undefined ? Infinity : wholeNumber("minutes", values.minutes);
const progress = ".cache/mutate/verdicts.jsonl";
const folder = resolve(".cache/mutate/out");

/** Their subject is this process, or other ones, or time. */
const APART = ["core/purity", "core/scale", "workflows/scale", "sim/seeds", "sim/docs", "host/timing"];

/** The share of their rounds that long tests take: what many rounds find of a mutant, few find as well. */
const FEWER = { ROUNDS: "0.025" };

setPriority(10);
Object.assign(process.env, FEWER);
process.exitCode = await main();

async function main(): Promise<number> {
  mkdirSync(".cache/mutate", { recursive: true });
  writeFileSync(progress, "");
  const files = coreFiles().filter((file) => file.slice("src/core/".length).includes(values.files));
  const tests = testFiles();
  if (files.length === 0 || tests.length === 0) return refuse(`nothing matches --files ${values.files}`);
  const whole = await instrument(files);
  const count = values.sample === undefined ? whole.mutants.length : wholeNumber("sample", values.sample);
  const drawn = draw(whole.mutants, count, seed);
  const { mutants, sources } = await instrument(files, drawn);
  const switches = new Map(mutants.map((mutant) => [keyOf(mutant), mutant]));
  const chosen = drawn.flatMap((mutant) => switches.get(keyOf(mutant)) ?? []);
  console.log(`seed ${seed}: ${chosen.length} of ${whole.mutants.length} mutants in ${files.length} files`);
  await bundle(folder, tests, sources);
  const baseline = await runBaseline(folder, tests);
  const took = baseline.tests.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  console.log(
    `${baseline.tests.length} tests of ${tests.length} files pass without a mutant, in ${(took / 1_000).toFixed(1)} s`,
  );
  const verdicts = await tryAll(chosen, (mutant) => tryMutant(folder, mutant, baseline));
  const killers = new Set(verdicts.flatMap(({ killer }) => killer ?? []));
  const doubted = await doubtful(folder, killers, baseline);
  if (doubted.length > 0)
    return refuse(`these tests fail without the others, so what they killed proves nothing:\n${doubted.join("\n")}`);
  writeFileSync(".cache/mutate/report.json", `${JSON.stringify({ seed, verdicts }, null, 1)}\n`);
  return report({ verdicts, whole: whole.mutants, seed, write: values.write });
}

/** The quick and the thorough tests of the core and of what stands on it. */
function testFiles(): readonly string[] {
  const all = globSync("test/node/{core,expressions,workflows,journals,audit-log,host,sim}/**/*.test.ts").sort();
  return all.filter((file) => !APART.some((part) => file.includes(part)) && file.includes(values.tests));
}

async function tryAll(mutants: readonly Mutant[], attempt: (mutant: Mutant) => Promise<Verdict>): Promise<Verdict[]> {
  const waiting = [...mutants];
  const verdicts: Verdict[] = [];
  const end = performance.now() + minutes * 60_000;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      const mutant = waiting.shift();
      if (mutant === undefined) return;
      const verdict = await attempt(mutant);
      verdicts.push(verdict);
      appendFileSync(progress, `${JSON.stringify(verdict)}\n`); // so that an end by force leaves something
      tell(verdict, verdicts.length, mutants.length);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return verdicts;
}

function wholeNumber(name: string, text: string): number {
  if (/^[0-9]{1,9}$/u.test(text)) return Number(text);
  process.exit(refuse(`--${name} ${text}: give a whole number`));
}

function refuse(why: string): number {
  console.log(why);
  return 2;
}
