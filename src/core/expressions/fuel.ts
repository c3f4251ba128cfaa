/** What an evaluation may cost: it pays before it works. */
import { RuntimeError } from "../errors.ts";
import { clip, type Sourced } from "./faults.ts";

/** The steps of one evaluation when the caller says nothing. */
export const DEFAULT_FUEL = 100_000;
/** The longest string that an expression builds, in UTF-16 units. */
export const MAX_STRING = 1_048_576;
/** The longest list that an expression builds. */
export const MAX_LIST = 100_000;

/** One evaluation under way. */
export interface Run extends Sourced {
  readonly scope: Readonly<Record<string, unknown>>;
  readonly limit: number;
  fuel: number;
  /** Whether a list or a map was built, so that the result may be larger than the scope. */
  built: boolean;
  /** The variables of the macros that are under way, the innermost first. */
  bound: Bound | undefined;
}

/** A variable of a macro. */
export interface Bound {
  readonly name: string;
  readonly outer: Bound | undefined;
  value: unknown;
}

/**
 * Pays for work. One step is a node of the tree, an element looked at, a quarter of an entry, 4 elements copied, 32
 * characters read, or 256 comparisons of a search: about as much time each.
 * @throws RuntimeError `expression/fuel` when the budget is used up.
 */
export function spend(run: Run, steps: number): void {
  run.fuel -= steps;
  if (!(run.fuel >= 0)) throw exceeded(run, "steps", run.limit); // so written, NaN is no budget either
}

/** What was to be done or built is over its bound. */
export function exceeded({ source }: Sourced, what: string, limit: number): RuntimeError {
  const message = `an expression may use at most ${limit} ${what}`;
  return new RuntimeError("expression/fuel", { source: clip(source), what, limit }, { message });
}
