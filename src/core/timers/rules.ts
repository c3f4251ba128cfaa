import { encodeRefusal, RuntimeError } from "../errors.ts";
import type { Env, Rules } from "../kernel.ts";
import type { TimersState } from "./fold.ts";
import type { TimerCommands, TimerEvents } from "./timer.ts";

export interface TimersView {
  readonly timers: TimersState;
}

export const timersRules: Rules<TimersView, TimerCommands, TimerEvents> = {
  decide: {
    "timer.set": ({ timers }, { for: span, until, timeZone, ...timer }, env) => {
      if (timers.timers.has(timer.id)) return [];
      try {
        const dueAt = span === undefined ? momentOf(until, timeZone, env) : env.now + spanOf(span);
        return [{ type: "timer.set", data: { ...timer, dueAt } }];
      } catch (error) {
        const { id, parent } = timer;
        return [{ type: "timer.refused", data: { id, error: encodeRefusal(error), ...(parent && { parent }) } }];
      }
    },
    "timer.wake": ({ timers }, { id }, { now }) => {
      const timer = timers.timers.get(id);
      if (!timer || timer.left !== undefined || timer.dueAt > now) return [];
      const { dueAt, late, tolerance, parent } = timer;
      const by = now - dueAt;
      const rang = { id, dueAt, by, ...(parent && { parent }) };
      if (late === "fire" || by <= tolerance) return [{ type: "timer.fired", data: rang }];
      return [{ type: "timer.missed", data: { ...rang, late } }];
    },
    "timer.hold": ({ timers }, { id }, { now }) => {
      const timer = timers.timers.get(id);
      if (timer?.onPause !== "hold" || timer.left !== undefined) return [];
      const { dueAt, parent } = timer;
      return [{ type: "timer.held", data: { id, left: Math.max(0, dueAt - now), ...(parent && { parent }) } }];
    },
    "timer.release": ({ timers }, { id }, { now }) => {
      const { left, parent } = timers.timers.get(id) ?? {};
      if (left === undefined) return [];
      return [{ type: "timer.released", data: { id, dueAt: now + left, ...(parent && { parent }) } }];
    },
    "timer.cancel": ({ timers }, data) => (timers.timers.has(data.id) ? [{ type: "timer.cancelled", data }] : []),
  },
};

/** A hundred years, in milliseconds. */
const LONGEST = 100 * 366 * 86_400_000;

/** The last moment that there is, in milliseconds since 1970. */
const LAST = 8_640_000_000_000_000;

function spanOf(span: unknown): number {
  if (typeof span === "number" && span >= 0 && span <= LONGEST) return Math.round(span);
  throw new RuntimeError("timer/invalid", { for: span, expected: `milliseconds from 0 to ${String(LONGEST)}` });
}

function momentOf(until: unknown, timeZone: string | undefined, { calendar }: Env): number {
  if (typeof until === "string") return calendar.moment(until, timeZone);
  if (typeof until === "number" && until >= 0 && until <= LAST) return Math.round(until);
  throw new RuntimeError("timer/invalid", { until, expected: "milliseconds since 1970, or a date and time" });
}
