import { undoId, undoKey, workKey, type Execution, type NodeState, type OpenWork } from "./execution.ts";
import { delayKey, planKey } from "./keys.ts";
import type { WorkflowsState } from "./fold.ts";
import { nodesOf } from "./nodes.ts";

/** What still runs of an execution. */
export function openWork(state: WorkflowsState, execution: Execution): OpenWork {
  const { id, status, undos = 0 } = execution;
  if (status !== "compensating") return openWorkOf(state, nodesOf(state, execution));
  const undoing = state.undos.get(undoKey(id, undos - 1));
  return { tasks: undoing ? [undoId(undoing.at, undoing.turn)] : [], approvals: [] };
}

/** The task or run of the turn that a loop or a dynamic node is in, if it has one. */
export function turnWork(node: NodeState): readonly string[] {
  const { kind, begun = 0, done = 0, plan, graph, refused } = node;
  if (begun <= done || plan !== undefined) return [];
  const id = `${workKey(node)}/${String(done)}`;
  return [kind === "dynamic" && graph === undefined ? planKey(id, refused) : id];
}

/** What still runs of nodes: tasks, approvals, timers, waits, and runs within their run. */
export function openWorkOf({ executions, items }: WorkflowsState, nodes: readonly NodeState[]): OpenWork {
  const tasks: string[] = [];
  const approvals: string[] = [];
  const children: string[] = [];
  const timers: string[] = [];
  const waits: string[] = [];
  const add = (id: string): void => {
    (executions.has(id) ? children : tasks).push(id);
  };
  for (const node of nodes) {
    const { kind, status, handled, begun = 0 } = node;
    if (status !== "running" && (status !== "failed" || handled)) continue;
    const id = workKey(node);
    if (node.delayed) timers.push(delayKey(id));
    else if (kind === "approval") approvals.push(id);
    else if (kind === "timer") timers.push(id);
    else if (kind === "event") waits.push(id);
    else if (kind === "monitor") {
      timers.push(id); // its timeout
      waits.push(id);
    } else if (kind === "task" || kind === "subworkflow") add(id);
    else if (kind === "loop" || kind === "dynamic") turnWork(node).forEach(add);
    else if (kind === "map")
      for (let index = 0; index < begun; index++)
        if (!items.has(`${node.id}/${String(index)}`)) add(`${id}/${String(index)}`);
  }
  return {
    tasks,
    approvals,
    ...(children.length > 0 && { children }),
    ...(timers.length > 0 && { timers }),
    ...(waits.length > 0 && { waits }),
  };
}
