import type { DueIndex, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { Timer, TimerEvents } from "./timer.ts";

export interface TimersState {
  /** Those that are still to come. */
  readonly timers: Table<Timer>;
  readonly due: DueIndex;
}

export const timersFold: Fold<TimersState, TimerEvents> = {
  create: (kit) => ({ timers: kit.table<Timer>(), due: kit.due("timer.wake") }),
  apply: {
    "timer.set": (state, data, at) => {
      state.timers.set(data.id, { ...copyJson(data), setAt: at });
      state.due.set(data.id, data.dueAt);
    },
    "timer.held": (state, { id, left }) => {
      const timer = state.timers.get(id);
      if (timer) state.timers.set(id, { ...timer, left });
      state.due.delete(id);
    },
    "timer.released": (state, { id, dueAt }) => {
      const { left: _, ...timer } = state.timers.get(id) ?? {};
      if ("id" in timer) state.timers.set(id, { ...timer, dueAt });
      state.due.set(id, dueAt);
    },
    "timer.fired": end,
    "timer.missed": end,
    "timer.cancelled": end,
  },
  save: ({ timers }) => saveTable(timers),
  restore(state, saved = []) {
    const timers = saved as readonly Timer[];
    restoreTable(state.timers, timers);
    for (const { id, dueAt, left } of timers) if (left === undefined) state.due.set(id, dueAt);
  },
};

function end(state: TimersState, { id }: { readonly id: string }): void {
  state.timers.delete(id);
  state.due.delete(id);
}
