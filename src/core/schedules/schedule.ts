/** Runs that begin at the moments of a cron pattern. */
import * as v from "valibot";
import type { ErrorData } from "../errors.ts";
import type { Actor } from "../hosting/hosting.ts";
import type { JsonText } from "../json.ts";
import { PRIORITIES } from "../tasks/priority.ts";

const DAY = 86_400_000;

/** The most schedules, runs that wait behind one of the same schedule, and fire times that are looked at in one step. */
export const MAX_SCHEDULES = 1_000;
export const MAX_WAITING = 100;
/** The most runs of one schedule at once. */
export const MAX_RUNNING = 1_000;
export const MAX_TIMES = 100;

/** So late, in milliseconds, counts as being on time. */
export const ON_TIME = 60_000;

/** What happens when a run of the schedule is still there: leave the new one out, let it wait, cancel the old one, or have both. */
export const OVERLAPS = ["skip", "queue", "cancel-running", "allow"] as const;
/** What happens to what was missed while nobody was there: all of it, one run for all of it, or nothing. */
export const CATCH_UPS = ["all", "one", "none"] as const;

/** A schedule's id begins the ids of its runs: `id@moment`. */
const id = v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/u, "1 to 100 letters, digits, '_', '.' or '-'"));
const moment = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(8_640_000_000_000_000));
const span = (least: number, most: number): v.GenericSchema<number> =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

export const ScheduleSetSchema = v.strictObject({
  id,
  workflow: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  /** Five fields, six with seconds first, seven with years last, or a name as `@daily`. */
  cron: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  /** IANA name. */
  timeZone: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(100)), "UTC"),
  /** JSON text: the input of every run. */
  input: v.optional(v.string(), "null"),
  priority: v.optional(v.picklist(PRIORITIES), "medium"),
  overlap: v.optional(v.picklist(OVERLAPS), "skip"),
  catchUp: v.optional(v.picklist(CATCH_UPS), "one"),
  /** What was missed longer ago, in milliseconds, isn't caught up. */
  window: v.optional(span(ON_TIME, 366 * DAY), DAY),
  /** Every run begins up to so many milliseconds later, by chance; less than there is between two runs. */
  jitter: v.optional(span(0, DAY), 0),
  startAt: v.optional(moment),
  endAt: v.optional(moment),
  paused: v.optional(v.boolean(), false),
});
export type ScheduleSettings = v.InferOutput<typeof ScheduleSetSchema>;
/** The same as a caller gives it: defaults may be left out. */
export type ScheduleRequest = v.InferInput<typeof ScheduleSetSchema>;

/** Who has set it, where that was known: its runs are that one's. */
interface SetBy {
  readonly setBy?: string | undefined;
}

/** What comes next; nothing when it is paused or has no more moments. */
export interface ScheduleNext {
  /** By the pattern. */
  readonly nextAt?: number | undefined;
  /** With the jitter. */
  readonly dueAt?: number | undefined;
}

export interface Schedule extends ScheduleSettings, ScheduleNext, SetBy {
  readonly setAt: number;
  /** The latest moment of the pattern that was dealt with. */
  readonly lastAt?: number | undefined;
  /** Its runs that live. */
  readonly running: readonly string[];
  /** Moments whose runs wait for those to end. */
  readonly waiting: readonly number[];
  readonly fired: number;
  readonly skipped: number;
  /** Why it has no next moment, though it should: its time zone isn't known here, for example. */
  readonly error?: ErrorData | undefined;
}

/** missed: nobody was there · overlap: another run was · full: too many waited or ran already. */
export type SkipReason = "missed" | "overlap" | "full";

export interface ScheduleEvents {
  "schedule.set": ScheduleSettings & ScheduleNext & SetBy;
  "schedule.fired": SetBy & {
    readonly id: string;
    /** The moment by the pattern. */
    readonly at: number;
    readonly execution: string;
    /** The run was waiting. */
    readonly waited?: boolean | undefined;
    /** Runs that are cancelled for it. */
    readonly cancels: readonly string[];
    readonly workflow: string;
    readonly input: JsonText;
    readonly priority: ScheduleSettings["priority"];
  };
  "schedule.queued": { readonly id: string; readonly at: number };
  /** Moments from the first to the last that no run was begun for; more than counted if it says so. */
  "schedule.skipped": {
    readonly id: string;
    readonly reason: SkipReason;
    readonly from: number;
    readonly to: number;
    readonly count: number;
    readonly more?: boolean | undefined;
  };
  /** All moments up to `lastAt` are dealt with. */
  "schedule.planned": ScheduleNext & { readonly id: string; readonly lastAt: number };
  /** Its next moment can't be found: it stands still until it is set again. */
  "schedule.failed": { readonly id: string; readonly error: ErrorData };
  "schedule.removed": { readonly id: string };
}

export interface ScheduleCommands {
  "schedule.set": ScheduleSettings & { readonly actor?: Actor | undefined };
  "schedule.remove": { readonly id: string };
  "schedule.wake": { readonly id: string };
  /** A run of the schedule has ended. */
  "schedule.drain": { readonly id: string };
}

export function runOf(id: string, at: number): string {
  return `${id}@${String(at)}`;
}

/** The id of the schedule that a run may be of. */
export function scheduleOf(run: string): string {
  return run.slice(0, Math.max(0, run.lastIndexOf("@")));
}
