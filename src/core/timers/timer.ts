/** A moment that a piece of work waits for. It is absolute: neither a restart nor a sleep moves it. */
import type { ErrorData } from "../errors.ts";
import type { TaskParent } from "../tasks/task.ts";

/**
 * What becomes of a timer when nobody was there at its moment, and it is later than the tolerance. fire: it fires all
 * the same, as soon as somebody is. skip: what follows it is left out. expire: it is a failure, `timer/expired`.
 */
export const LATE_POLICIES = ["fire", "skip", "expire"] as const;
export type LatePolicy = (typeof LATE_POLICIES)[number];

/** So late, in milliseconds, counts as being on time. */
export const TOLERANCE = 60_000;

export interface Timer {
  readonly id: string;
  readonly dueAt: number;
  readonly late: LatePolicy;
  /** Milliseconds after the due time within which `late` doesn't apply. */
  readonly tolerance: number;
  /** run, the default: it goes on while its run is paused; hold: that time doesn't count. */
  readonly onPause?: "run" | "hold" | undefined;
  /** While it is held: how many milliseconds are left. */
  readonly left?: number | undefined;
  readonly setAt: number;
  readonly parent?: TaskParent | undefined;
}

interface Rang {
  readonly id: string;
  readonly dueAt: number;
  /** Milliseconds after the due time. */
  readonly by: number;
  readonly parent?: TaskParent | undefined;
}

export interface TimerEvents {
  "timer.set": Omit<Timer, "setAt" | "left">;
  "timer.held": { readonly id: string; readonly left: number; readonly parent?: TaskParent | undefined };
  "timer.released": { readonly id: string; readonly dueAt: number; readonly parent?: TaskParent | undefined };
  /** Its moment is none. */
  "timer.refused": { readonly id: string; readonly error: ErrorData; readonly parent?: TaskParent | undefined };
  "timer.fired": Rang;
  /** Nobody was there in time. */
  "timer.missed": Rang & { readonly late: Exclude<LatePolicy, "fire"> };
  "timer.cancelled": { readonly id: string; readonly reason: string };
}

export interface TimerCommands {
  "timer.set": Omit<Timer, "setAt" | "dueAt" | "left"> & {
    /** Milliseconds from now. */
    readonly for?: unknown;
    /** Milliseconds since 1970, or ISO 8601. */
    readonly until?: unknown;
    /** Of an `until` without an offset. */
    readonly timeZone?: string | undefined;
  };
  "timer.hold": { readonly id: string };
  "timer.release": { readonly id: string };
  "timer.wake": { readonly id: string };
  "timer.cancel": { readonly id: string; readonly reason: string };
}
