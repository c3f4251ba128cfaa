/** How the latest tasks ended: what a new task that comes after them must know, once they have left the live state. */
import type { FinalStatus } from "./transitions.ts";

/** At least so many of the latest ends are remembered, and at most twice as many. */
export const REMEMBERED = 10_000;

/** Ends are remembered for so long at least, if there aren't too many, and for twice as long at most, in milliseconds. */
export const REMEMBERED_FOR = 86_400_000;

/** aliased: the id was of a repeated task, `cause` is the first one's. */
export type Outcome = FinalStatus | "aliased";

export interface End {
  readonly outcome: Outcome;
  readonly at: number;
  /** The task that this one failed or was skipped for, or the one that it repeats. */
  readonly cause?: string | undefined;
}

/**
 * Two generations by id: when the younger one is full or a day old, it becomes the older one, and what that was is
 * forgotten. Forgetting one by one would cost more the more is remembered: a Map with holes at its front is slow to begin.
 */
export interface Ends {
  young: Map<string, End>;
  old: Map<string, End>;
  /** When the first one of the young generation ended. */
  since: number;
}

export function createEnds(): Ends {
  return { young: new Map(), old: new Map(), since: 0 };
}

export function endOf({ young, old }: Ends, id: string): End | undefined {
  return young.get(id) ?? old.get(id);
}

/** The ids of all that are remembered. */
export function endedIds({ young, old }: Ends): string[] {
  return [...new Set([...old.keys(), ...young.keys()])];
}

/** Remembers an end, and forgets what is too old or too much. */
export function remember(ends: Ends, id: string, end: End): void {
  if (ends.young.size >= REMEMBERED || end.at - ends.since > REMEMBERED_FOR) {
    ends.old = ends.young;
    ends.young = new Map();
  }
  if (ends.young.size === 0) ends.since = end.at;
  ends.young.set(id, end);
}

/** The id of the task that really exists: a repeated one stands for the first. */
export function resolveAlias(ends: Ends, id: string): string {
  const end = endOf(ends, id);
  return end?.outcome === "aliased" && end.cause !== undefined ? end.cause : id;
}

/** In columns, since there are many: ids, the times between them, outcomes, and the few causes by id. */
interface Columns {
  readonly ids: readonly string[];
  readonly gaps: readonly number[];
  readonly outcomes: string;
  readonly causes: readonly (readonly [string, string])[];
}

export interface SavedEnds {
  readonly old: Columns;
  readonly young: Columns;
  readonly since: number;
}

const LETTERS: Readonly<Record<Outcome, string>> = {
  completed: "c",
  failed: "f",
  cancelled: "x",
  "timed-out": "t",
  skipped: "s",
  aliased: "a",
};
const OUTCOMES = new Map(Object.entries(LETTERS).map(([outcome, letter]) => [letter, outcome as Outcome]));

export function saveEnds({ old, young, since }: Ends): SavedEnds {
  return { old: columnsOf(old), young: columnsOf(young), since };
}

function columnsOf(generation: ReadonlyMap<string, End>): Columns {
  let before = 0;
  const list = [...generation];
  const gaps = list.map(([, { at }]) => {
    const gap = at - before;
    before = at;
    return gap;
  });
  return {
    ids: list.map(([id]) => id),
    gaps,
    outcomes: list.map(([, { outcome }]) => LETTERS[outcome]).join(""),
    causes: list.flatMap(([id, { cause }]) => (cause === undefined ? [] : [[id, cause] as const])),
  };
}

export function restoreEnds(ends: Ends, { old, young, since }: SavedEnds): void {
  fill(ends.old, old);
  fill(ends.young, young);
  ends.since = since;
}

function fill(generation: Map<string, End>, { ids, gaps, outcomes, causes }: Columns): void {
  const causeById = new Map(causes);
  let at = 0;
  for (const [place, id] of ids.entries()) {
    at += gaps[place] ?? 0;
    const outcome = OUTCOMES.get(outcomes[place] ?? "") ?? "failed";
    const cause = causeById.get(id);
    generation.set(id, { outcome, at, ...(cause !== undefined && { cause }) });
  }
}
