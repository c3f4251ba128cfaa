/** What a started node asks of the rooms to its left: tasks and approvals; or nothing, and it is done at once. */
import { encodeRefusal, RuntimeError } from "../errors.ts";
import type { FactOf, Request } from "../kernel.ts";
import { nodeKey, type Execution, type WorkflowCommands, type WorkflowEvents } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import { workOf } from "../tasks/order.ts";
import type { PlannedNode } from "./plan.ts";

interface Span {
  readonly execution: string;
  readonly node: string;
  /** Of a map: the items to begin, `from` inclusive, `to` exclusive. */
  readonly from?: number;
  readonly to?: number;
}

/** The requests of a node that was started, or of the next items of a map. */
export function startWork(lookups: Lookups, state: WorkflowsState, span: Span): Request[] {
  const { execution, node } = span;
  const run = state.executions.get(execution);
  if (!run) return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node);
  if (!planned) return [];
  try {
    return requestsOf(lookups, state, run, planned, span);
  } catch (error) {
    const data = { execution, node, error: encodeRefusal(error, "expression/failed") };
    return [{ type: "node.fail", data }];
  }
}

function requestsOf(
  lookups: Lookups,
  state: WorkflowsState,
  run: Execution,
  planned: PlannedNode,
  span: Span,
): Request[] {
  const { node } = planned;
  const at = { execution: run.id, node: node.id };
  const id = nodeKey(run.id, node.id);
  switch (node.type) {
    case "task": {
      const { title = node.id, priority = run.priority } = node;
      const input = textOf(lookups, state, run, planned, "input");
      const data = { ...workOf(node), id, title, priority, input, parent: at };
      return [{ type: "task.create", data }];
    }
    case "approval": {
      const { message, approvers, timeout, onTimeout } = node;
      const payload = textOf(lookups, state, run, planned, "payload");
      const data = { id, message, approvers, timeout, onTimeout, payload, parent: at };
      return [{ type: "approval.request", data }];
    }
    case "map":
      if (span.from !== undefined && span.to !== undefined)
        return itemTasks(lookups, state, run, planned, span.from, span.to);
      if (state.nodes.get(id)?.total === 0) return [{ type: "node.complete", data: at }];
      return [{ type: "map.fill", data: at }];
    case "decision":
    case "parallel":
    case "join":
      return [{ type: "node.complete", data: at }];
  }
}

function textOf(
  { scopes }: Lookups,
  state: WorkflowsState,
  run: Execution,
  { expressions }: PlannedNode,
  field: string,
): string {
  const expression = expressions[field];
  return expression ? scopes.evaluateText(state, run, expression) : "null";
}

function itemTasks(
  { scopes }: Lookups,
  state: WorkflowsState,
  run: Execution,
  { node, expressions }: PlannedNode,
  from: number,
  to: number,
): Request[] {
  const { items, input } = expressions;
  if (node.type !== "map" || !items || !input) return [];
  const list = scopes.evaluate(state, run, items);
  const total = state.nodes.get(nodeKey(run.id, node.id))?.total;
  if (!Array.isArray(list) || list.length !== total)
    // it rests on what wasn't finished when the map began
    throw new RuntimeError("expression/failed", { node: node.id, items: items.source, reason: "the items changed" });
  const work = { ...workOf(node.task), priority: node.task.priority ?? run.priority };
  return list.slice(from, to).map((item: unknown, offset): Request => {
    const index = from + offset;
    const id = `${nodeKey(run.id, node.id)}/${String(index)}`;
    const text = scopes.evaluateText(state, run, input, { item: { item, index } });
    const title = `${node.title ?? node.id} ${String(index + 1)}`;
    const parent = { execution: run.id, node: node.id, index };
    const data = { ...work, id, title, input: text, parent };
    return { type: "task.create", data };
  });
}

/** Begins as many items of a map as its concurrency allows. */
export function fillMap(
  lookups: Lookups,
  state: WorkflowsState,
  { execution, node }: WorkflowCommands["map.fill"],
): FactOf<WorkflowEvents>[] {
  const run = state.executions.get(execution);
  const reached = state.nodes.get(nodeKey(execution, node));
  if (!run || reached?.status !== "running") return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node)?.node;
  if (planned?.type !== "map") return [];
  const { total = 0, begun = 0, done = 0 } = reached;
  const to = Math.min(total, done + planned.concurrency);
  return to > begun ? [{ type: "map.filled", data: { execution, node, from: begun, to } }] : [];
}
