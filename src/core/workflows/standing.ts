/** Where a live run stands, in the form in which the archive has one that has ended. */
import type { TasksState } from "../tasks/fold.ts";
import type { Task } from "../tasks/task.ts";
import type { Execution, NodeState } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import { nodesOf } from "./nodes.ts";
import { openWork } from "./open-work.ts";
import { variablesOf } from "./values.ts";

/** A run with its nodes and variables; what it was given, and what was put out so far, is left out. */
export type StandingRun = Omit<Execution, "input" | "item" | "output" | "nodes"> & {
  readonly nodes: readonly Omit<NodeState, "output">[];
};

/** A task of a run. */
export type StandingTask = Pick<Task, "id" | "parent" | "createdAt" | "finishedAt">;

export interface Standing {
  /** The run that was asked for comes first; none when it doesn't live. */
  readonly runs: readonly StandingRun[];
  readonly tasks: readonly StandingTask[];
}

/** `within`: also what lives within it, to whatever depth. */
export function standingOf(
  view: { readonly workflows: WorkflowsState; readonly tasks: TasksState },
  id: string,
  within = false,
): Standing {
  const runs: StandingRun[] = [];
  const tasks: StandingTask[] = [];
  const look = (at: string): void => {
    const run = view.workflows.executions.get(at);
    if (!run) return;
    const { input: _, item: __, ...record } = run;
    const nodes = nodesOf(view.workflows, run).map(({ output: ___, ...node }) => node);
    runs.push({ ...record, nodes, ...variablesOf(view.workflows, at) });
    if (!within) return;
    const open = openWork(view.workflows, run);
    for (const one of open.tasks) {
      const { parent, createdAt } = view.tasks.tasks.get(one) ?? {};
      if (parent && createdAt !== undefined) tasks.push({ id: one, parent, createdAt });
    }
    open.children?.forEach(look);
  };
  look(id);
  return { runs, tasks };
}
