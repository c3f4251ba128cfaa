/** Rounds, medians and spread. */
import type { Place, Row } from "../row.ts";

/** What one contender does in one round: work that it checks itself. */
export interface Contender {
  readonly name: string;
  readonly role: "ours" | "bound" | "peer" | "limit";
  /** Of ours: what is special about this row. */
  readonly variant?: string;
  /** Does the work and gives one value per figure of the benchmark. */
  readonly round: () => Promise<readonly number[]>;
}

export interface Figure {
  readonly figure: string;
  readonly unit: string;
  readonly better: Row["better"];
  /** What the system's document says of it; it stands where the bound does. */
  readonly claim?: number;
  readonly place?: Place;
}

export interface Benchmark {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** One round, without one before it that warms up: for what takes a minute. */
  readonly once?: boolean;
  /** Makes the contenders, ready to run. */
  readonly open: () => Promise<readonly Contender[]>;
}

/** Sizes for a look, or for figures that are kept. */
export interface Scale {
  readonly quick: boolean;
  readonly rounds: number;
}

/** All contenders by turns in every round, so that a slow moment of the machine hits all of them. */
export async function run({ figures, open, once = false }: Benchmark, asked: number): Promise<Row[]> {
  const rounds = once ? 1 : asked;
  const contenders = await open();
  const values = new Map<Contender, (readonly number[])[]>(contenders.map((one) => [one, []]));
  for (let round = once ? 0 : -1; round < rounds; round++)
    for (const one of contenders) {
      const found = await one.round();
      if (round >= 0) values.get(one)?.push(found); // the first warms up
    }
  const ours = contenders.filter(({ role }) => role === "ours");
  return figures.flatMap((figure, place) => {
    const at = (one: Contender): number[] => (values.get(one) ?? []).map((round) => round[place] ?? NaN);
    return ours.map((our) => rowOf(figure, our, contenders, at));
  });
}

function rowOf(
  { figure, unit, better, claim, place }: Figure,
  our: Contender,
  all: readonly Contender[],
  valuesOf: (one: Contender) => readonly number[],
): Row {
  const others = all.filter(({ role }) => role !== "ours");
  const bound = others.find(({ role }) => role === "bound");
  const claimed = claim === undefined ? undefined : tidy(median(valuesOf(our)) / claim);
  const peers = others.filter(({ role }) => role === "peer");
  const mine = valuesOf(our);
  const ratioTo = (other: Contender): number =>
    median(valuesOf(other).map((value, round) => (mine[round] ?? NaN) / value));
  const ratios = Object.fromEntries(others.map((one) => [one.name, tidy(ratioTo(one))]));
  const toPeers = peers.map((one) => ratios[one.name] ?? NaN);
  const medians = (role: Contender["role"]): Record<string, number> =>
    Object.fromEntries(others.filter((one) => one.role === role).map((one) => [one.name, tidy(median(valuesOf(one)))]));
  return {
    figure: our.variant === undefined ? figure : `${figure}, ${our.variant}`,
    unit,
    better,
    ours: tidy(median(mine)),
    bound: claim ?? (bound ? tidy(median(valuesOf(bound))) : null),
    peers: medians("peer"),
    limits: medians("limit"),
    ratioToBound: claimed ?? (bound ? (ratios[bound.name] ?? null) : null),
    ratioToBestPeer: peers.length === 0 ? null : better === "more" ? Math.min(...toPeers) : Math.max(...toPeers),
    ratios: claimed === undefined ? ratios : { ...ratios, bound: claimed },
    ...(claim !== undefined && { claimed: true }),
    ...(place && { place: our.variant === undefined ? place : { ...place, line: `${place.line}, ${our.variant}` } }),
    rounds: mine.length,
    spread: Object.fromEntries([our, ...others].map((one) => [one.name, spreadOf(valuesOf(one))])),
  };
}

function spreadOf(values: readonly number[]): [number, number] {
  return [tidy(Math.min(...values)), tidy(Math.max(...values))];
}

/** Four digits: a loaded machine gives no more. */
export function tidy(value: number): number {
  return Number(value.toPrecision(4));
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/** A round that does so many units of work at once: units per second. */
export function rate(work: () => Promise<number>): Contender["round"] {
  return async () => {
    const started = performance.now();
    const units = await work();
    return [(units * 1_000) / (performance.now() - started)];
  };
}

/** A round of works one after the other: milliseconds per piece, median and 99th percentile. */
export function latency(count: number, work: () => Promise<unknown>): Contender["round"] {
  return async () => {
    const times: number[] = [];
    for (let at = 0; at < count; at++) {
      const started = performance.now();
      await work();
      times.push(performance.now() - started);
    }
    return [percentile(times, 0.5), percentile(times, 0.99)];
  };
}

/** The same for works that say themselves how long they took, such as those that need to prepare something first. */
export function told(count: number, work: (at: number) => Promise<number>): Contender["round"] {
  return async () => {
    const times: number[] = [];
    for (let at = 0; at < count; at++) times.push(await work(at));
    return [percentile(times, 0.5), percentile(times, 0.99)];
  };
}

/** A loop of arithmetic: how fast the machine was just now, in rounds per microsecond. */
export function calibrate(): number {
  const started = performance.now();
  let mixed = 1;
  for (let at = 0; at < 50_000_000; at++) mixed = Math.imul(mixed ^ at, 0x01000193);
  return tidy((50_000 + (mixed & 1)) / (performance.now() - started));
}

export function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the work was not done: ${what}`);
}
