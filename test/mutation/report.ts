/** What is printed of mutants, and the table of docs/testing.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { groupBy, type Mutant } from "./mutants.ts";
import { interval } from "./sample.ts";
import { DIGEST, type Verdict } from "./trial.ts";

/** The least share of mutants that tests have to kill, in percent. */
export const PROMISED = 85;

const PAGE = "docs/testing.md";
const MARKS = ["<!-- mutants: written by npm run mutate -->", "<!-- end of mutants -->"] as const;

interface Result {
  readonly verdicts: readonly Verdict[];
  readonly whole: readonly Mutant[];
  readonly seed: number;
  readonly write: boolean;
}

const isKilled = ({ fate }: Verdict): boolean => fate === "killed" || fate === "hung";
const percent = (part: number, all: number): string => (all === 0 ? "" : `${((100 * part) / all).toFixed(1)} %`);

/** Tells of a mutant as soon as its fate is known: survivors with their change, the others by their number alone. */
export function tell(verdict: Verdict, done: number, all: number): void {
  if (!isKilled(verdict)) console.log(`${verdict.fate} ${describe(verdict.mutant)}`);
  if (done % 50 === 0) console.log(`… ${done} of ${all}`);
}

function describe({ file, location: { start, end }, mutator, replacement }: Mutant): string {
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .slice(start.line, end.line + 1);
  lines[lines.length - 1] = (lines.at(-1) ?? "").slice(0, end.column);
  lines[0] = (lines[0] ?? "").slice(start.column);
  const short = (text: string): string => text.replace(/\s+/gu, " ").slice(0, 160);
  return `${file}:${start.line + 1}:${start.column + 1} ${mutator}\n    - ${short(lines.join("\n"))}\n    + ${short(replacement)}`;
}

/** Prints the table and the totals; gives the exit code. */
export function report({ verdicts, whole, seed, write }: Result): number {
  const table = tableOf(verdicts, whole);
  console.log(`\n${table}\n`);
  const killed = verdicts.filter(isKilled).length;
  const [low, high] = interval(killed, verdicts.length, whole.length).map((share) => share.toFixed(1));
  const hung = verdicts.filter(({ fate }) => fate === "hung").length;
  const apart = verdicts.filter(({ killer }) => killer?.startsWith(DIGEST)).length;
  const unreached = verdicts.filter(({ fate }) => fate === "unreached").length;
  const bounds = verdicts.length === whole.length ? "" : `, the whole between ${low ?? ""} and ${high ?? ""} % at 95 %`;
  const totals = `${verdicts.length} of ${whole.length} mutants, ${killed} killed (${hung} hung, ${apart} by the digest of a life alone), ${verdicts.length - killed} survived (${unreached} unreached), seed ${seed}: ${percent(killed, verdicts.length)}${bounds}`;
  if (write) writeTable(`${totals}.\n\n${table}`);
  console.log(totals);
  return 100 * killed < PROMISED * verdicts.length ? 1 : 0;
}

function tableOf(verdicts: readonly Verdict[], whole: readonly Mutant[]): string {
  const rooms = groupBy(whole, ({ room }) => room);
  const tried = groupBy(verdicts, ({ mutant }) => mutant.room);
  const rows = [...rooms]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([room, all]) => {
      const seen = tried.get(room) ?? [];
      const killed = seen.filter(isKilled).length;
      return [room, all.length, seen.length, killed, percent(killed, seen.length)];
    });
  const killed = verdicts.filter(isKilled).length;
  rows.push(["all", whole.length, verdicts.length, killed, percent(killed, verdicts.length)]);
  const lines = [["Room", "Mutants", "Tried", "Killed", "Score"], ["---", "---", "---", "---", "---"], ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function writeTable(text: string): void {
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = MARKS.map((mark) => page.indexOf(mark));
  if (from === undefined || to === undefined || from < 0 || to < from)
    throw new Error(`${PAGE} has no place for the table`);
  writeFileSync(PAGE, `${page.slice(0, from + MARKS[0].length)}\n\n${text}\n\n${page.slice(to)}`);
}
