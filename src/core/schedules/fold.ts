import type { DueIndex, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { WorkflowEvents } from "../workflows/execution.ts";
import { scheduleOf, type Schedule, type ScheduleEvents } from "./schedule.ts";

export interface SchedulesState {
  readonly schedules: Table<Schedule>;
  readonly due: DueIndex;
}

type Ends = Pick<
  WorkflowEvents,
  "execution.refused" | "execution.completed" | "execution.failed" | "execution.cancelled"
>;

export const schedulesFold: Fold<SchedulesState, ScheduleEvents & Ends> = {
  create: (kit) => ({ schedules: kit.table<Schedule>(), due: kit.due("schedule.wake") }),
  apply: {
    "schedule.set": (state, data, at) => {
      const { lastAt, running = [], waiting = [], fired = 0, skipped = 0 } = state.schedules.get(data.id) ?? {};
      put(state, { ...data, setAt: at, lastAt, running, waiting, fired, skipped });
    },
    "schedule.fired": (state, { id, at, execution, waited }) => {
      change(state, id, ({ running, waiting, fired, lastAt }) => ({
        running: [...running, execution],
        waiting: waited ? waiting.slice(1) : waiting,
        fired: fired + 1,
        lastAt: Math.max(lastAt ?? at, at),
      }));
    },
    "schedule.queued": (state, { id, at }) => {
      change(state, id, ({ waiting }) => ({ waiting: [...waiting, at] }));
    },
    "schedule.skipped": (state, { id, count }) => {
      change(state, id, ({ skipped }) => ({ skipped: skipped + count }));
    },
    "schedule.planned": (state, { id, nextAt, dueAt, lastAt }) => {
      change(state, id, () => ({ nextAt, dueAt, lastAt }));
    },
    "schedule.failed": (state, { id, error }) => {
      change(state, id, () => ({ nextAt: undefined, dueAt: undefined, error: copyJson(error) }));
    },
    "schedule.removed": (state, { id }) => {
      state.schedules.delete(id);
      state.due.delete(id);
    },
    "execution.refused": ended,
    "execution.completed": ended,
    "execution.failed": ended,
    "execution.cancelled": ended,
  },
  save: ({ schedules }) => saveTable(schedules),
  restore(state, saved = []) {
    const schedules = saved as readonly Schedule[];
    restoreTable(state.schedules, schedules);
    for (const { id, dueAt } of schedules) if (dueAt !== undefined) state.due.set(id, dueAt);
  },
};

function put(state: SchedulesState, schedule: Schedule): void {
  const { nextAt, dueAt, lastAt, ...rest } = schedule;
  const { id } = rest;
  state.schedules.set(id, { ...rest, nextAt, dueAt, lastAt }); // in one order, so that a restored one is written the same
  if (dueAt === undefined) state.due.delete(id);
  else state.due.set(id, dueAt);
}

function change(state: SchedulesState, id: string, to: (schedule: Schedule) => Partial<Schedule>): void {
  const schedule = state.schedules.get(id);
  if (schedule) put(state, { ...schedule, ...to(schedule) });
}

function ended(state: SchedulesState, { id: run }: { readonly id: string }): void {
  const id = scheduleOf(run);
  if (state.schedules.get(id)?.running.includes(run))
    change(state, id, ({ running }) => ({ running: running.filter((other) => other !== run) }));
}
