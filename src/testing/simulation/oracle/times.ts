/** Rules of moments: nothing happens before its own, and a timer not long after it while a host is there. */
import { textOf, type Claim, type Data, type Rules } from "./rule.ts";

/** What the oracle is told of clocks. */
export interface Clocks {
  /** How many milliseconds the clock on the wall was set back, in all. */
  readonly setBack: number;
  /** Clocks and hosts have always gone on. */
  readonly isSteady: boolean;
}

/** So many milliseconds late is no fault: a timer isn't armed before it is durable, and a disk may be that slow. */
const LATE = 20_000;

export function createTimeRules(claim: Claim, clocks: Clocks): Rules {
  /** The earliest moment of the next attempt, by task. */
  const notBefore = new Map<string, number>();
  const timers = new Map<string, number>();
  let hostSince = 0;
  const wait = (id: unknown, moment: unknown): void => {
    if (typeof moment === "number") notBefore.set(textOf(id), moment);
  };
  const set = ({ id, dueAt }: Data): void => void timers.set(textOf(id), Number(dueAt));
  return {
    "host.started": (_data, at) => {
      hostSince = at;
    },
    "task.created": ({ id, startAt }) => {
      notBefore.delete(textOf(id));
      wait(id, startAt);
    },
    "task.failed": ({ id, retryAt }) => {
      wait(id, retryAt);
    },
    "task.assigned": ({ id }, at) => {
      const early = (notBefore.get(textOf(id)) ?? 0) - at;
      claim(early <= clocks.setBack, "times", () => `task ${textOf(id)} was given away ${early} ms before its time`);
    },
    "timer.set": set,
    "timer.released": set,
    "timer.fired": ({ id }, at) => {
      const dueAt = timers.get(textOf(id)) ?? 0;
      claim(at + clocks.setBack >= dueAt, "times", () => `timer ${textOf(id)} fired ${dueAt - at} ms before its time`);
      const late = at - Math.max(dueAt, hostSince);
      const isLate = clocks.isSteady && late > LATE;
      claim(!isLate, "times", () => `timer ${textOf(id)} fired ${late} ms late, while a host was there`);
    },
  };
}
