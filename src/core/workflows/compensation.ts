/**
 * Undoing what a run has done. When it fails or is cancelled after nodes that say how they are undone, everything that
 * runs is stopped, and these are undone one after the other, the last one first; each by a task with its own retry. One
 * that fails for good doesn't keep the others from being undone, but the run says so in the end. What a run within a run
 * has done is for the one around it to undo, once it has ended well or was stopped with that one.
 */
import type { ErrorData } from "../errors.ts";
import type { Request } from "../kernel.ts";
import { workOf } from "../tasks/order.ts";
import type { TaskParent } from "../tasks/task.ts";
import type { WorkflowFact } from "./edges.ts";
import { undoId, undoKey, type Execution, type OpenWork, type Outcome, type WorkflowCommands } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import { openWork } from "./open-work.ts";

/** What runs in a run and in all within it, the innermost ones first. */
function openTree(state: WorkflowsState, run: Execution): OpenWork & { readonly children: string[] } {
  const { tasks, approvals, children = [], timers, waits } = openWork(state, run); // a run within it stops its own waiting
  const all = {
    tasks: [...tasks],
    approvals: [...approvals],
    children: [] as string[],
    ...(timers && { timers }),
    ...(waits && { waits }),
  };
  for (const id of children) {
    const child = state.executions.get(id);
    const inner = child && openTree(state, child);
    all.tasks.push(...(inner?.tasks ?? []));
    all.approvals.push(...(inner?.approvals ?? []));
    if (inner?.children) all.children.push(...inner.children);
    all.children.push(id);
  }
  return all;
}

/** Ends a run early, at once or after it has undone what it has done. */
export function endEarly(state: WorkflowsState, id: string, outcome: Outcome, handUp = false): WorkflowFact[] {
  const run = state.executions.get(id);
  if (!run || (run.status === "compensating" && !handUp)) return [];
  if (handUp || run.status === "compensating") return [endOf(run, outcome, openWork(state, run))];
  const open = openTree(state, run);
  const canUndo = [id, ...open.children].some((one) => (state.executions.get(one)?.undos ?? 0) > 0);
  if (!canUndo) return [endOf(run, outcome, openWork(state, run))];
  return [{ type: "execution.compensating", data: { id, ...outcome, ...open } }];
}

function endOf({ id, parent }: Execution, { error, reason = "cancelled" }: Outcome, open: OpenWork): WorkflowFact {
  const data = { id, ...(parent && { parent }), ...open };
  if (error) return { type: "execution.failed", data: { ...data, error } };
  return { type: "execution.cancelled", data: { ...data, reason } };
}

/** Undoes the next thing; or ends the run, when nothing is left. */
export function compensate(state: WorkflowsState, { id }: WorkflowCommands["execution.compensate"]): WorkflowFact[] {
  const run = state.executions.get(id);
  if (run?.status !== "compensating") return [];
  const undo = (run.undos ?? 0) - 1;
  if (undo >= 0) return [{ type: "compensation.started", data: { id, undo } }];
  return [endOf(run, run.outcome ?? {}, { tasks: [], approvals: [] })];
}

/** The task that undoes it. */
export function undoTask(lookups: Lookups, state: WorkflowsState, id: string, undo: number): Request[] {
  const run = state.executions.get(id);
  const entry = state.undos.get(undoKey(id, undo));
  if (!run || !entry) return [];
  const { at, workflow, version, input, turn } = entry;
  const node = lookups.planOf(state, workflow, version).nodes.get(at.node)?.node;
  if (node?.type !== "task" || !node.compensate) return [];
  const { priority = run.priority } = node.compensate;
  const title = `undo ${node.title ?? node.id}`;
  const parent: TaskParent = { execution: id, node: at.node, undo };
  const data = { ...workOf(node.compensate), id: undoId(at, turn), title, priority, input, parent };
  return [{ type: "task.create", data }];
}

/** A task that was to undo something has ended. */
export function undoEnded({ execution: id, undo = 0 }: TaskParent, error?: ErrorData): Request[] {
  return [{ type: "compensation.end", data: { id, undo, ...(error && { error }) } }];
}
