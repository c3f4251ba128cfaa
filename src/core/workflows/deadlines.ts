/** Runs that have to be over by a moment: by the clock, whether they are paused, or nobody was there. */
import { encodeRefusal, RuntimeError } from "../errors.ts";
import type { DueIndex, Fold, Rules, Table } from "../kernel.ts";
import { restoreTable, saveTable } from "../tables.ts";
import { endEarly } from "./compensation.ts";
import type { WorkflowCommands, WorkflowEvents } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";

interface Deadline {
  /** The run's. */
  readonly id: string;
  readonly at: number;
}

export interface DeadlinesState {
  readonly deadlines: Table<Deadline>;
  readonly due: DueIndex;
}

export const deadlinesFold: Fold<DeadlinesState, WorkflowEvents> = {
  create: (kit) => ({ deadlines: kit.table<Deadline>(), due: kit.due("execution.wake") }),
  apply: {
    "execution.started": (state, { id, deadline }) => {
      if (deadline === undefined) return;
      state.deadlines.set(id, { id, at: deadline });
      state.due.set(id, deadline);
    },
    "execution.expired": forget,
    "execution.compensating": forget,
    "execution.completed": forget,
    "execution.failed": forget,
    "execution.cancelled": forget,
  },
  save: ({ deadlines }) => saveTable(deadlines),
  restore(state, saved = []) {
    const deadlines = saved as readonly Deadline[];
    restoreTable(state.deadlines, deadlines);
    for (const { id, at } of deadlines) state.due.set(id, at);
  },
};

function forget({ deadlines, due }: DeadlinesState, { id }: { readonly id: string }): void {
  if (!deadlines.has(id)) return;
  deadlines.delete(id);
  due.delete(id);
}

interface View {
  readonly deadlines: DeadlinesState;
  readonly workflows: WorkflowsState;
}

export const deadlinesRules: Rules<View, WorkflowCommands, WorkflowEvents> = {
  decide: {
    "execution.wake": ({ deadlines: { deadlines }, workflows }, { id }, { now }) => {
      const { at } = deadlines.get(id) ?? {};
      if (at === undefined || at > now) return [];
      const { workflow } = workflows.executions.get(id) ?? {};
      const error = encodeRefusal(new RuntimeError("execution/deadline", { workflow, deadline: at }));
      return [{ type: "execution.expired", data: { id, deadline: at } }, ...endEarly(workflows, id, { error })];
    },
  },
};
