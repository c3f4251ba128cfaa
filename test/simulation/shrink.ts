/** Makes a failing plan small: deeds and faults that the failure doesn't need are left out. */
import type { Entries } from "../../src/testing/simulation/site.ts";
import { keepOf, type Plan } from "./plan.ts";
import { runPlan, type Outcome } from "./run.ts";

export interface Shrunk {
  /** The numbers of what is left. */
  readonly kept: readonly number[];
  readonly outcome: Outcome;
  readonly trials: number;
}

/** Delta debugging (Zeller, 2002) over faults and deeds; within so many milliseconds of real time. */
export async function shrink(entries: Entries, plan: Plan, failed: Outcome, budget: number): Promise<Shrunk> {
  const end = performance.now() + budget;
  const rule = failed.violations[0]?.rule;
  let kept = [...plan.faults, ...plan.deeds].map(({ number }) => number);
  let outcome = failed;
  let trials = 0;
  for (let size = Math.ceil(kept.length / 2); size >= 1 && performance.now() < end;) {
    let isSmaller = false;
    for (let at = 0; at < kept.length && performance.now() < end;) {
      const rest = kept.filter((_number, place) => place < at || place >= at + size);
      const trial = await runPlan(entries, keepOf(plan, new Set(rest)));
      trials++;
      if (trial.violations[0]?.rule === rule) {
        kept = rest;
        outcome = trial;
        isSmaller = true;
      } else at += size;
    }
    if (!isSmaller || size > kept.length) size = size === 1 ? 0 : Math.ceil(Math.min(size, kept.length) / 2);
  }
  return { kept: kept.toSorted((a, b) => a - b), outcome, trials };
}
