/** What the simulator says: violations, the story before them, and the totals. */
import type { FaultKind } from "./plan.ts";
import type { Outcome } from "./run.ts";

/** What a child tells of a seed. */
export type SeedResult = Omit<Outcome, "story" | "faults"> & {
  readonly seed: number;
  readonly faults: Iterable<readonly [FaultKind, number]>;
};

interface Totals {
  seeds: number;
  steps: number;
  events: number;
  violations: number;
  readonly faults: Map<FaultKind, number>;
}

export function createTotals(): Totals {
  return { seeds: 0, steps: 0, events: 0, violations: 0, faults: new Map() };
}

export function add(totals: Totals, { steps, events, violations, faults }: SeedResult): void {
  totals.seeds++;
  totals.steps += steps;
  totals.events += events;
  totals.violations += Math.min(1, violations.length);
  for (const [kind, count] of faults) totals.faults.set(kind, (totals.faults.get(kind) ?? 0) + count);
}

/** The one line of totals. */
export function lineOf({ seeds, steps, events, violations, faults }: Totals, ms: number): string {
  const befell = [...faults].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${kind} ${count}`);
  const all = [...faults.values()].reduce((sum, count) => sum + count, 0);
  const seconds = (ms / 1_000).toFixed(1);
  const told = `${seeds} seeds, ${steps} steps, ${events} events, ${all} faults`;
  return `${told} (${befell.join(", ")}), ${seconds} s, ${violations} violations`;
}

/** So many of the last steps are told. */
const STORY = 40;

export function tell({ violations, story }: Outcome): void {
  if (violations.length === 0) return;
  for (const { step, at, process, about } of story.slice(-STORY))
    console.log(`  step ${step}, ${(at / 1_000).toFixed(3)} s, ${process}: ${about}`);
  for (const { rule, text } of violations) console.log(`VIOLATION (${rule}): ${text}`);
}
