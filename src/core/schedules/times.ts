/** Which moments of a schedule are due, which were missed, and which is next. */
import type { Env } from "../kernel.ts";
import { MAX_TIMES, ON_TIME, type Schedule, type ScheduleNext, type ScheduleSettings } from "./schedule.ts";

export interface Times {
  /** Runs begin for these, the oldest first. */
  readonly due: readonly number[];
  /** Nothing begins for these; `count` of them, or more. */
  readonly missed: { readonly from: number; readonly to: number; readonly count: number; readonly more: boolean };
  /** All up to this one are dealt with. */
  readonly lastAt: number;
}

/** The next moment after the given one, with a jitter that is drawn now and recorded. */
export function planNext(settings: ScheduleSettings, after: number, { calendar, random }: Env): ScheduleNext {
  const { cron, timeZone, jitter, startAt = 0, endAt = Infinity } = settings;
  const nextAt = calendar.next(cron, timeZone, Math.max(after, startAt - 1));
  if (nextAt === undefined || nextAt > endAt) return {};
  return { nextAt, dueAt: nextAt + Math.floor(random() * (jitter + 1)) };
}

/** At most {@link MAX_TIMES} at once: what is due beyond them is planned next, and so comes in the next step. */
export function timesOf(schedule: Schedule, { now, calendar }: Env): Times {
  const { cron, timeZone, catchUp, window, jitter, endAt = Infinity, nextAt: first = now } = schedule;
  const until = Math.min(now, endAt);
  const next = (after: number): number => calendar.next(cron, timeZone, after) ?? Infinity;
  const inTime = now - jitter - ON_TIME;
  const begins = catchUp === "all" ? Math.min(now - window, inTime) : inTime;
  let at = first;
  let count = 0;
  let to = first;
  for (; at < begins && at <= until && count < MAX_TIMES; at = next(at)) {
    to = at;
    count++;
  }
  const more = at < begins && at <= until;
  if (more) at = next(begins - 1);
  const due: number[] = [];
  for (; at <= until && due.length < MAX_TIMES; at = next(at)) due.push(at);
  if (more) to = calendar.last(cron, timeZone, Math.min((due[0] ?? until + 1) - 1, until)) ?? to;
  const missed = { from: first, to, count, more };
  const lastAt = due.at(-1) ?? to;
  const isCaughtUp = catchUp === "one" && due.length === 0 && count > 0 && now - to <= window;
  if (!isCaughtUp) return { due, missed, lastAt };
  const before = count === 1 ? to : (calendar.last(cron, timeZone, to - 1) ?? first);
  return { due: [to], missed: { ...missed, to: before, count: more ? count : count - 1 }, lastAt };
}
