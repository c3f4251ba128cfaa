/** Tries mutants, each in a process of its own, with the tests that reach it. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Answer, Order, Seen } from "./child.ts";
import type { Mutant } from "./mutants.ts";

/** What became of a mutant. `unreached`: no test comes by it. `hung`: the tests ran without end. */
export type Fate = "killed" | "hung" | "survived" | "unreached";

/** A mutant with its end. */
export interface Verdict {
  readonly mutant: Mutant;
  readonly fate: Fate;
  readonly killer?: string | undefined;
  readonly error?: string | undefined;
  readonly milliseconds: number;
}

/** The tests as they ran without a mutant. */
export interface Baseline {
  /** Quickest first. */
  readonly tests: readonly Seen[];
  readonly loadHits: Readonly<Record<string, number>>;
}

/** Seconds of the processor for what is nothing but long, and for loading; and how much slower than usual is no hang. */
const FIRST_RUN = 1_200;
const LOADING = 5;
const SLOWER = 4;
/** A mutant may be come by so many times as often as its original, until this is called a loop without end. */
const HITS = 100;
/** Tests above so many milliseconds are left out, and remembered, so that they are not run again only to be left out. */
const TOO_LONG = 2_000;
const SLOW = ".cache/mutate/slow.json";

/** What so many milliseconds of the tests that reach it don't kill counts as a survivor; so many go to the quickest. */
const ENOUGH = 7_000;
const FIRST = 2_000;
/** Tests of whole lives: slower, and they see most. */
const LIVES = ["core/recovery", "core/oracle", "core/picture", "core/approval-model", "core/mail-model", "core/crash"];
/** Tests of nothing but time, which instrumented code has not; and one that could only say what DIGEST says. */
const TIMED = [
  "test/node/core/matching.test.ts > the index of agents (seed 1414) > finds among 10,000 in less than half a millisecond",
  "test/node/core/determinism.test.ts > E7: the same inputs give the same bytes > writes the same journal, archive and state in two runs with restarts",
];
/**
 * The test that holds all bytes of a long life against a stored digest: it says that something is another, not what is
 * right, so it comes last, and what it alone has killed is counted apart.
 */
export const DIGEST = "test/node/core/determinism.test.ts";

let children = 0;

/** Runs a child to its answer; none when it used up its seconds of the processor, which a busy machine doesn't change. */
async function ask(folder: string, order: Order, seconds: number): Promise<Answer | undefined> {
  const name = join(folder, `child-${String(children++)}`);
  const [asked, answered] = [`${name}.order.json`, `${name}.answer.json`];
  writeFileSync(asked, JSON.stringify(order));
  const limited = ["-c", `ulimit -t ${Math.ceil(seconds)}; exec "$@"`, "sh", process.execPath];
  const args = ["--disable-warning=ExperimentalWarning", "--max-old-space-size=2048"];
  args.push(join(folder, "test/mutation/child.js"), folder, asked, answered);
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") };
  const child = spawn("sh", [...limited, ...args], { stdio: "ignore", env });
  const code = await new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  const answer = existsSync(answered) ? (JSON.parse(readFileSync(answered, "utf8")) as Answer) : undefined;
  rmSync(asked, { force: true });
  rmSync(answered, { force: true });
  if (answer === undefined && code !== null) return { seen: [], loadHits: {}, killer: "the process", error: "it died" };
  return answer;
}

const fileOf = (id: string): string => id.slice(0, id.indexOf(" > "));
const filesOf = (tests: readonly string[]): readonly string[] => [...new Set(tests.map(fileOf))];

/** All tests without a mutant, each file in a process of its own; refuses tests that fail as it is. */
export async function runBaseline(folder: string, files: readonly string[]): Promise<Baseline> {
  const known = existsSync(SLOW) ? (JSON.parse(readFileSync(SLOW, "utf8")) as readonly string[]) : [];
  const skip = [...known, ...TIMED];
  const answers = await Promise.all(split(files).map((part) => ask(folder, { files: part, skip }, FIRST_RUN)));
  const failed = answers.flatMap((answer) => {
    if (answer === undefined) return ["the tests took too long"];
    if (answer.killer !== undefined) return [`${answer.killer}: ${answer.error ?? ""}`];
    return answer.seen.flatMap(({ id, error }) => (error === undefined ? [] : [`${id}: ${error}`]));
  });
  if (failed.length > 0) throw new Error(`without a mutant these fail:\n${failed.join("\n")}`);
  const all = answers.flatMap((answer) => answer?.seen ?? []);
  const tests = all.filter(({ milliseconds }) => milliseconds < TOO_LONG);
  const slow = all.filter((seen) => !tests.includes(seen)).map(({ id }) => id);
  writeFileSync(SLOW, JSON.stringify([...known, ...slow]));
  const loadHits: Record<string, number> = {};
  for (const answer of answers) {
    for (const [id, hits] of Object.entries(answer?.loadHits ?? {})) loadHits[id] = Math.max(loadHits[id] ?? 0, hits);
  }
  return { tests: tests.sort((one, other) => one.milliseconds - other.milliseconds), loadHits };
}

/** Two parts, for two cores. */
const split = (files: readonly string[]): readonly (readonly string[])[] =>
  [0, 1].map((part) => files.filter((_file, at) => at % 2 === part)).filter((part) => part.length > 0);

/** Tries one mutant. */
export async function tryMutant(folder: string, mutant: Mutant, { tests, loadHits }: Baseline): Promise<Verdict> {
  const begun = performance.now();
  const whileLoading = loadHits[mutant.id] ?? 0;
  const reaching = inOrder(
    tests.filter(({ hits }) => whileLoading > 0 || (hits[mutant.id] ?? 0) > 0),
    mutant.file,
  );
  const spent = reaching.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const end = (fate: Fate, answer?: Answer): Verdict => {
    const { killer, error } = answer ?? {};
    return { mutant, fate, killer, error, milliseconds: performance.now() - begun };
  };
  if (reaching.length === 0) return end("unreached");
  const ids = reaching.map(({ id }) => id);
  const hits = reaching.reduce((sum, seen) => sum + (seen.hits[mutant.id] ?? 0), whileLoading);
  const order = { files: filesOf(ids), tests: ids, mutant: mutant.id, hitLimit: HITS * hits };
  const answer = await ask(folder, order, LOADING + (SLOWER * spent) / 1_000);
  if (answer === undefined || answer.hung === true) return end("hung", answer);
  if (answer.killer !== undefined && !ids.includes(answer.killer)) await checkLoading(folder, order.files, answer);
  return end(answer.killer === undefined ? "survived" : "killed", answer);
}

/** What fails beside tests has killed a mutant only if it loads without one; else packages were replaced, say. */
async function checkLoading(folder: string, files: readonly string[], { error = "" }: Answer): Promise<void> {
  const answer = await ask(folder, { files, tests: [] }, FIRST_RUN);
  if (answer?.killer !== undefined || answer === undefined) throw new Error(`the tests can't be loaded: ${error}`);
}

/** Whether the file of the test imports the source, which says that it is about it. */
function isAbout({ id }: Seen, source: string): boolean {
  const file = fileOf(id);
  let sources = imports.get(file);
  if (!sources) {
    const named = readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)"/gu);
    sources = new Set([...named].map(([, path = ""]) => join(dirname(file), path)));
    imports.set(file, sources);
  }
  return sources.has(source);
}

const imports = new Map<string, ReadonlySet<string>>();

/** Those about the source first, then the quickest, then those of whole lives, then the rest, as there is time for. */
function inOrder(reaching: readonly Seen[], source: string): readonly Seen[] {
  let spentAbout = 0;
  const about = reaching.filter((test) => isAbout(test, source) && (spentAbout += test.milliseconds) < FIRST);
  const tests = reaching.filter((test) => !about.includes(test));
  let quickest = 0;
  const digest = tests.filter(({ id }) => id.startsWith(DIGEST));
  const others = tests.filter((test) => !digest.includes(test));
  const head = others.filter(({ milliseconds }) => (quickest += milliseconds) < FIRST);
  const tail = others.slice(head.length);
  const isWhole = ({ id }: Seen): boolean => LIVES.some((file) => id.startsWith(`test/node/${file}.test.ts`));
  let spent = 0;
  const chosen = [...about, ...head, ...tail.filter(isWhole), ...tail.filter((test) => !isWhole(test))];
  return [...chosen.filter(({ milliseconds }, at) => (spent += milliseconds) < ENOUGH || at === 0), ...digest];
}

/** Those of `killers` that fail without a mutant, when only they are run, in the order of mutants: they depend on others. */
export async function doubtful(
  folder: string,
  killers: ReadonlySet<string>,
  { tests }: Baseline,
): Promise<readonly string[]> {
  const ids = tests.map(({ id }) => id).filter((id) => killers.has(id));
  if (ids.length === 0) return [];
  const answer = await ask(folder, { files: filesOf(ids), tests: ids }, FIRST_RUN);
  const passed = new Set(answer?.seen.flatMap(({ id, error }) => (error === undefined ? id : [])));
  return ids.filter((id) => !passed.has(id));
}
