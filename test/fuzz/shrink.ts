/** Makes the tape of a finding as short and as low as it can in the time that it has. */
import type { Tape } from "./tape.ts";
import { playTape } from "./tape.ts";

export interface Shrunk<F> {
  readonly choices: readonly number[];
  readonly finding: F;
}

type Recorded = Pick<Tape, "choices" | "marks">;

/**
 * Tries changes of the tape until none helps. `play` gives the finding of a tape if it is the same as before.
 */
export async function shrink<F>(
  tape: Recorded,
  finding: F,
  play: (tape: Tape) => Promise<F | undefined>,
  isOver: () => boolean,
): Promise<Shrunk<F>> {
  let best: Recorded = tape;
  let found = finding;
  const attempt = async (choices: readonly number[]): Promise<boolean> => {
    if (isOver() || isNoSimpler(choices, best.choices)) return false;
    const candidate = playTape(choices);
    const again = await play(candidate);
    if (again === undefined || isNoSimpler(candidate.choices, best.choices)) return false;
    best = candidate;
    found = again;
    return true;
  };
  for (let isBetter = true; isBetter && !isOver();) {
    const length = best.choices.length;
    const sum = sumOf(best.choices);
    await cutInputs(() => best, attempt);
    await cutChoices(() => best.choices, attempt);
    await lower(() => best.choices, attempt);
    isBetter = best.choices.length < length || sumOf(best.choices) < sum;
  }
  return { choices: trimmed(best.choices), finding: found };
}

type Attempt = (choices: readonly number[]) => Promise<boolean>;

const sumOf = (choices: readonly number[]): number => choices.reduce((sum, choice) => sum + choice, 0);

function isNoSimpler(choices: readonly number[], than: readonly number[]): boolean {
  if (choices.length !== than.length) return choices.length > than.length;
  return sumOf(choices) >= sumOf(than);
}

/** What follows the end is 0 in any case. */
function trimmed(choices: readonly number[]): readonly number[] {
  const last = choices.findLastIndex((choice) => choice > 0);
  return choices.slice(0, last + 1);
}

const without = (choices: readonly number[], from: number, to: number): number[] => [
  ...choices.slice(0, from),
  ...choices.slice(to),
];

/** Whole inputs, many at once at first. */
async function cutInputs(best: () => Recorded, attempt: Attempt): Promise<void> {
  for (let count = best().marks.length >> 1; count >= 1; count >>= 1)
    for (let at = 0; at + count < best().marks.length;) {
      const { choices, marks } = best();
      if (!(await attempt(without(choices, marks[at] ?? 0, marks[at + count] ?? choices.length)))) at += count;
    }
}

/** Beyond so many choices it would take too long to cut each. */
const MANY = 600;

async function cutChoices(best: () => readonly number[], attempt: Attempt): Promise<void> {
  if (best().length > MANY) return;
  for (let count = 16; count >= 1; count >>= 1)
    for (let at = best().length - count; at >= 0; at -= count) await attempt(without(best(), at, at + count));
}

async function lower(best: () => readonly number[], attempt: Attempt): Promise<void> {
  for (let at = 0; at < Math.min(MANY, best().length); at++)
    for (const to of [0, (best()[at] ?? 0) >> 1, (best()[at] ?? 0) - 1]) {
      const choices = best();
      if (to >= 0 && to < (choices[at] ?? 0)) await attempt(choices.with(at, to));
    }
}
