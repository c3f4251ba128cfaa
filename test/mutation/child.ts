/**
 * A process that runs tests over the instrumented core: all of them once without a mutant, to see which reach which,
 * or those that reach one mutant, until the first fails. Its order comes in by a file, what it saw goes out by another.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { declared, declaring, runTest } from "./harness.ts";

/** What a child is asked to do. */
export interface Order {
  readonly files: readonly string[];
  /** In this order; all that the files declare when missing. */
  readonly tests?: readonly string[];
  /** Tests that are known to take too long. */
  readonly skip?: readonly string[];
  readonly mutant?: string;
  /** How often the mutant may be come by until this counts as a hang. */
  readonly hitLimit?: number;
}

/** What a test took and reached, with how often. */
export interface Seen {
  readonly id: string;
  /** Of the processor. */
  readonly milliseconds: number;
  readonly hits: Readonly<Record<string, number>>;
  readonly error?: string;
}

/** What a child answers. `killer` is the test that failed first, or what failed beside tests. */
export interface Answer {
  readonly seen: readonly Seen[];
  readonly loadHits: Readonly<Record<string, number>>;
  readonly killer?: string;
  readonly error?: string;
  readonly hung?: boolean;
}

interface Space {
  activeMutant?: string;
  currentTestId?: string;
  hitCount?: number;
  hitLimit?: number;
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
}

const PATIENCE = 30_000; // for a test that waits for what never comes; a loop is ended from outside
const TOO_LONG = new Error("waits for what never comes");
const [folder = "", asked = "", answered = ""] = process.argv.slice(2);
const { files, tests: chosen, skip = [], mutant, hitLimit } = JSON.parse(readFileSync(asked, "utf8")) as Order;
const space: Space = ((globalThis as { __stryker__?: Space }).__stryker__ ??= {});
const { setTimeout, clearTimeout } = globalThis; // tests replace the globals
const cpuUsage = process.cpuUsage.bind(process);
const now = (): number => (cpuUsage().user + cpuUsage().system) / 1_000; // the time of this process alone
process.cpuUsage = () => ({ user: 0, system: 0 }); // instrumented code on a busy machine: being slow kills no mutant
const seen: Seen[] = [];
let running = "loading";
let interrupt: (error: unknown) => void = (error) => finish(running, error);

process.on("uncaughtException", (error) => interrupt(error));
process.on("unhandledRejection", (error) => interrupt(error));
process.on("beforeExit", () => interrupt(new Error("nothing is left to happen, and the test has not ended")));

if (mutant !== undefined) Object.assign(space, { activeMutant: mutant, hitCount: 0, hitLimit });
await load();
await runAll();
finish();

async function load(): Promise<void> {
  for (const file of files) {
    running = file;
    const path = isAbsolute(file) ? file : join(folder, file.replace(/\.ts$/u, ".js"));
    try {
      await declaring(file, () => import(pathToFileURL(path).href));
    } catch (error) {
      finish(file, error);
    }
  }
}

async function runAll(): Promise<void> {
  const skipped = new Set(skip);
  for (const id of chosen ?? declared().keys()) {
    if (skipped.has(id)) continue;
    const test = declared().get(id);
    if (test === undefined) finish(id, new Error("is not declared any more"));
    else await runOne(id, () => runTest(test));
  }
}

async function runOne(id: string, run: () => Promise<void>): Promise<void> {
  running = id;
  space.currentTestId = id;
  const begun = now();
  let error: unknown;
  try {
    await Promise.race([run(), interrupted()]);
  } catch (thrown) {
    error = thrown ?? "nothing was thrown";
  }
  const hits = space.mutantCoverage?.perTest[id] ?? {};
  seen.push({ id, milliseconds: now() - begun, hits, ...(error !== undefined && { error: textOf(error) }) });
  if (error !== undefined && mutant !== undefined) finish(id, error);
}

/** Fails with what fails beside the test, or when the test takes too long. */
function interrupted(): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(TOO_LONG), PATIENCE).unref();
    interrupt = (error) => {
      clearTimeout(timer);
      reject(error instanceof Error ? error : new Error(String(error)));
    };
  });
}

function finish(killer?: string, error?: unknown): never {
  const isOver = space.hitCount !== undefined && space.hitCount > (space.hitLimit ?? Infinity);
  const hung = isOver || error === TOO_LONG;
  const loadHits = space.mutantCoverage?.static ?? {};
  const answer: Answer = { seen, loadHits, ...(killer !== undefined && { killer, error: textOf(error), hung }) };
  writeFileSync(answered, JSON.stringify(mutant === undefined ? answer : { ...answer, seen: [], loadHits: {} }));
  process.exit(0);
}

function textOf(error: unknown): string {
  try {
    return (error instanceof Error ? error.message : String(error)).slice(0, 400);
  } catch {
    return "unreadable";
  }
}
