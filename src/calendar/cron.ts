/** Fire times of cron patterns, by the package `croner`; it is given every moment, and sets no timers here. */
import { Cron } from "croner";
import { RuntimeError } from "../core/errors.ts";
import type { Calendar } from "../core/ports.ts";

/** Seconds may be left out; croner alone would take a date for a pattern too. */
const PATTERN = /^(?:@[a-z]+|\S+(?:\s+\S+){4,6})$/u;

/** The end of the year 9999: croner throws where dates end, and some time before. */
const END = 253_402_300_799_999;

export const calendar: Calendar = {
  next: (cron, timeZone, after) => parse(cron, timeZone).nextRun(dateOf(after))?.getTime(),
  last: (cron, timeZone, at) =>
    parse(cron, timeZone)
      .previousRuns(1, dateOf(at + 1))[0]
      ?.getTime(),
  moment,
};

/** What is looked at is no earlier than 1970, and no later than there are moments. */
function dateOf(at: number): Date {
  return new Date(Math.max(0, Math.min(END, at)));
}

/** Seconds, and thousandths of them, may be left out. */
const MOMENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?$/u;

function moment(text: string, timeZone: string | undefined): number {
  const [all, local = "", offset] = MOMENT.exec(text) ?? [];
  const refuse = (expected: string): never => {
    throw new RuntimeError("timer/invalid", { until: text, ...(timeZone !== undefined && { timeZone }), expected });
  };
  if (all === undefined) return refuse("a date and time as 2030-01-31T09:00:00Z, or milliseconds since 1970");
  const fixed = Date.parse(local + (offset ?? "Z"));
  if (Number.isNaN(fixed) || fixed < 0 || !isDate(local)) return refuse("a date after 1970 that there is");
  if (offset !== undefined) return fixed;
  if (timeZone === undefined) return refuse("an offset as +02:00 or Z, or a time zone");
  checkZone(timeZone, "timer/invalid");
  // A date is a pattern that fires once; its thousandths are added again.
  const seconds = new Date(fixed).toISOString().slice(0, 19);
  const time = new Cron(seconds, { timezone: timeZone, paused: true }).nextRun(new Date(-1e9))?.getTime();
  return time === undefined ? refuse("a date after 1970 that there is") : time + (fixed % 1_000);
}

/** Some engines read the 31st of February as the 3rd of March, others not at all. */
function isDate(local: string): boolean {
  const read = Date.parse(`${local}Z`);
  return !Number.isNaN(read) && new Date(read).toISOString().startsWith(local.slice(0, 16));
}

export interface FireTimesOptions {
  /** IANA name, as "Europe/Berlin". Default "UTC". */
  readonly timeZone?: string;
  /** Default 10, at most 1,000. */
  readonly count?: number;
  /** Only those after this moment. Default now. */
  readonly from?: number;
}

/**
 * The next moments at which a cron pattern fires, in milliseconds since 1970; fewer than asked for when there are no more.
 * @throws RuntimeError `schedule/invalid`, `command/invalid`
 */
export function nextFireTimes(
  cron: string,
  { timeZone = "UTC", count = 10, from = Date.now() }: FireTimesOptions = {},
): readonly number[] {
  if (!Number.isInteger(count) || count < 1 || count > 1_000)
    throw new RuntimeError("command/invalid", {
      at: "count",
      found: count,
      expected: "a whole number from 1 to 1,000",
    });
  if (!Number.isFinite(from)) throw new RuntimeError("command/invalid", { at: "from", expected: "milliseconds" });
  const pattern = parse(cron, timeZone);
  return pattern.nextRuns(count, dateOf(from)).map((time) => time.getTime());
}

function checkZone(timeZone: string, code: "schedule/invalid" | "timer/invalid"): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw new RuntimeError(code, { timeZone, reason: "no time zone that is known here" });
  }
}

function parse(cron: string, timezone: string): Cron {
  if (!PATTERN.test(cron.trim()))
    throw new RuntimeError("schedule/invalid", { cron, reason: "five to seven fields parted by spaces, or as @daily" });
  checkZone(timezone, "schedule/invalid");
  try {
    return new Cron(cron.trim(), { timezone, paused: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^\w+: /u, "") : String(cause);
    throw new RuntimeError("schedule/invalid", { cron, reason }, { cause });
  }
}
