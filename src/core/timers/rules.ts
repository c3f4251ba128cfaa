import type { Rules } from "../kernel.ts";
import type { TimersState } from "./fold.ts";
import type { TimerCommands, TimerEvents } from "./timer.ts";

export interface TimersView {
  readonly timers: TimersState;
}

export const timersRules: Rules<TimersView, TimerCommands, TimerEvents> = {
  decide: {
    "timer.set": ({ timers }, data) => (timers.timers.has(data.id) ? [] : [{ type: "timer.set", data }]),
    "timer.wake": ({ timers }, { id }, { now }) => {
      const timer = timers.timers.get(id);
      if (!timer || timer.dueAt > now) return [];
      const { dueAt, late, tolerance, parent } = timer;
      const by = now - dueAt;
      const rang = { id, dueAt, by, ...(parent && { parent }) };
      if (late === "fire" || by <= tolerance) return [{ type: "timer.fired", data: rang }];
      return [{ type: "timer.missed", data: { ...rang, late } }];
    },
    "timer.cancel": ({ timers }, data) => (timers.timers.has(data.id) ? [{ type: "timer.cancelled", data }] : []),
  },
};
