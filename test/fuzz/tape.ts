/**
 * Chance that is written down: every draw is a whole number below a limit, so that what a run drew can be played again,
 * cut and lowered. Where a tape ends everything is 0, which is why the simplest choice comes first everywhere.
 */
import type { Chance } from "../node/core/chance.ts";

export interface Tape extends Chance {
  /** Whether there is another input; on average there are so many. */
  go(mean: number): boolean;
  /** All that was drawn. */
  readonly choices: readonly number[];
  /** Where inputs begin among the choices. */
  readonly marks: readonly number[];
}

const WORD = 2 ** 32;

/** Mulberry32, as the tests of the core have it. */
function words(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  };
}

/** A new tape. */
export function recordTape(seed: number): Tape {
  const word = words(seed);
  return createTape((limit) => (limit > 1 ? Math.floor((word() / WORD) * limit) : 0));
}

/** A tape that was recorded, or a change of one. */
export function playTape(recorded: readonly number[]): Tape {
  let at = 0;
  return createTape((limit) => Math.max(0, Math.min(recorded[at++] ?? 0, limit - 1)));
}

function createTape(draw: (limit: number) => number): Tape {
  const choices: number[] = [];
  const marks: number[] = [];
  const below = (limit: number): number => {
    const choice = draw(limit); // also where there is no choice: a tape that is played again has it, too
    choices.push(choice);
    return choice;
  };
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T; // nobody picks from an empty list
  return {
    choices,
    marks,
    below,
    pick,
    next: () => below(WORD) / WORD,
    once: (inDraws) => below(inDraws) === inDraws - 1,
    shuffle(list) {
      const left = [...list];
      return list.map(() => left.splice(below(left.length), 1)[0] as (typeof left)[number]);
    },
    go(mean) {
      marks.push(choices.length);
      return below(mean) > 0;
    },
  };
}

/** The seed of an episode of a door. */
export function seedOf(seed: number, door: string, episode: number): number {
  let mixed = seed ^ Math.imul(episode + 1, 0x9e3779b1);
  for (const character of door) mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193);
  return mixed >>> 0;
}

export function encodeTape(choices: readonly number[]): string {
  return choices.map((choice) => choice.toString(36)).join(".");
}

export function decodeTape(text: string): number[] {
  return text === "" ? [] : text.split(".").map((word) => Number.parseInt(word, 36) || 0);
}
