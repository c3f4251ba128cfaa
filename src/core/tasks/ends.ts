/** How the latest tasks ended: what a new task that comes after them must know, once they have left the live state. */
import type { FinalStatus } from "./transitions.ts";

/** So many are remembered, and none for longer than {@link REMEMBERED_FOR}. */
export const MAX_REMEMBERED = 20_000;

/** In milliseconds. */
export const REMEMBERED_FOR = 86_400_000;

/** aliased: the id was of a repeated task, `cause` is the first one's. */
export type Outcome = FinalStatus | "aliased";

export interface End {
  readonly outcome: Outcome;
  readonly at: number;
  /** The task that this one failed or was skipped for, or the one that it repeats. */
  readonly cause?: string | undefined;
}

/** Ids of finished tasks with their ends, oldest first. */
export type Ends = Map<string, End>;

/** Remembers an end, and forgets what is too old or too much. */
export function remember(ends: Ends, id: string, end: End): void {
  ends.delete(id); // so that it is the latest
  ends.set(id, end);
  for (const [oldest, { at }] of ends) {
    if (ends.size <= MAX_REMEMBERED && end.at - at <= REMEMBERED_FOR) return;
    ends.delete(oldest);
  }
}

/** The id of the task that really exists: a repeated one stands for the first. */
export function resolveAlias(ends: Ends, id: string): string {
  const end = ends.get(id);
  return end?.outcome === "aliased" && end.cause !== undefined ? end.cause : id;
}

/** In columns, since there are many: ids, the times between them, outcomes, and the few causes by id. */
export interface SavedEnds {
  readonly ids: readonly string[];
  readonly gaps: readonly number[];
  readonly outcomes: string;
  readonly causes: readonly (readonly [string, string])[];
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

export function saveEnds(ends: Ends): SavedEnds {
  let before = 0;
  const list = [...ends];
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

export function restoreEnds(ends: Ends, { ids, gaps, outcomes, causes }: SavedEnds): void {
  const causeById = new Map(causes);
  let at = 0;
  for (const [place, id] of ids.entries()) {
    at += gaps[place] ?? 0;
    const outcome = OUTCOMES.get(outcomes[place] ?? "") ?? "failed";
    const cause = causeById.get(id);
    ends.set(id, { outcome, at, ...(cause !== undefined && { cause }) });
  }
}
