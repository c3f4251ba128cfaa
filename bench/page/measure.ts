/** Rounds, medians and spread. */

/** What one contender does in one round: work of so many units, checked by itself. */
export interface Contender {
  readonly name: string;
  /** Does the work and returns how many units were really done. */
  readonly round: () => Promise<number>;
}

export interface Measured {
  readonly name: string;
  /** Units per second: the median of the rounds, the lowest and the highest. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** All contenders by turns in every round, so that a slow moment of the machine hits all of them. */
export async function interleave(contenders: readonly Contender[], rounds: number): Promise<Measured[]> {
  const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++)
    for (const { name, round: work } of contenders) {
      const started = performance.now();
      const units = await work();
      if (round >= 0) rates.get(name)?.push((units * 1000) / (performance.now() - started)); // the first warms up
    }
  return contenders.map(({ name }) => ({ name, ...summary(rates.get(name) ?? []) }));
}

export function summary(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return { median: middle, low: sorted[0] ?? NaN, high: sorted.at(-1) ?? NaN };
}

/** A loop of arithmetic: how fast the machine was just now, in rounds per millisecond. */
export function calibrate(): number {
  const started = performance.now();
  let mixed = 1;
  for (let at = 0; at < 20_000_000; at++) mixed = Math.imul(mixed ^ at, 0x01000193);
  return (20_000 + (mixed & 1)) / (performance.now() - started);
}

export function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the work was not done: ${what}`);
}
