/** Seeded chance: the same seed, the same draws, on every runtime (mulberry32, Ettinger 2017). */
export interface Chance {
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly next: () => number;
  /** A whole number below `limit`. */
  below(limit: number): number;
  /** True once in so many draws on average. */
  once(inDraws: number): boolean;
  pick<T>(list: readonly T[]): T;
  shuffle<T>(list: readonly T[]): T[];
}

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    once: (inDraws) => below(inDraws) === 0,
    pick(list) {
      const picked = list[below(list.length)];
      if (picked === undefined) throw new Error("nothing to pick from");
      return picked;
    },
    shuffle(list) {
      const shuffled = [...list];
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = below(at + 1);
        const [a, b] = [shuffled[at], shuffled[other]];
        if (a !== undefined && b !== undefined) [shuffled[at], shuffled[other]] = [b, a];
      }
      return shuffled;
    },
  };
}

/** The seed of this run: from SEED, else a fixed one, so that a failure can be run again. */
export function seedOf(fallback: number): number {
  const given = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env["SEED"];
  return given === undefined ? fallback : Number(given);
}

/** How many rounds a long test takes: so many, or the share of them that ROUNDS says. */
export function roundsOf(usual: number): number {
  const share = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env["ROUNDS"];
  return share === undefined ? usual : Math.ceil(usual * Number(share));
}
