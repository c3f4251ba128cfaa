/** Where a node stands, and which of its edges are taken. */
import { RuntimeError } from "../errors.ts";
import type { FactOf } from "../kernel.ts";
import { nodeKey, type At, type Execution, type NodeState, type Target, type WorkflowEvents } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import type { Graph, PlannedEdge, PlannedNode } from "./graph.ts";
import type { Local } from "./scope.ts";
import { textOf, withElements } from "./values.ts";
import { assignmentOf } from "./variables.ts";

export type WorkflowFact = FactOf<WorkflowEvents>;

/** A node that a token has reached, with what is known of it. */
export interface Place {
  readonly run: Execution;
  readonly reached: NodeState;
  readonly graph: Graph;
  readonly planned: PlannedNode;
}

export function placeOf(lookups: Lookups, state: WorkflowsState, { execution, node }: At): Place | undefined {
  const run = state.executions.get(execution);
  const reached = state.nodes.get(nodeKey(execution, node));
  if (!run || !reached || run.status === "compensating") return undefined;
  const graph = lookups.planOf(state, run.workflow, run.version);
  const planned = graph.nodes.get(node);
  return planned && { run, reached, graph, planned };
}

/**
 * How a node that ended well goes on: what it does to variables, and the edges that are taken then.
 * @throws RuntimeError `expression/failed`, `workflow/variable-type`
 */
export function leave(
  lookups: Lookups,
  state: WorkflowsState,
  { run, planned }: Place,
  output: () => string | undefined,
  failure?: Local["failure"],
): Pick<WorkflowEvents["node.completed"], "taken" | "dead" | "set" | "undo"> {
  const { id: node } = planned.node;
  const local: Local = { at: node, ending: { node, output }, ...(failure && { failure }) };
  const values = new Map<string, () => string>();
  const set = planned.sets.map(([variable, expression]) => {
    const value = lookups.scopes.evaluate(state, run, expression, local);
    const one = assignmentOf(state, run, variable, value);
    // Made only for a condition that asks: a long list is not written anew for each of its elements.
    const made = (): string => withElements(textOf(state, one.execution, one.name), one.add ?? []);
    values.set(variable.name, () => one.value ?? made());
    return one;
  });
  const taken = choose(lookups, state, run, planned, { ...local, set: values });
  const undo = failure ? {} : undoOf(lookups, state, run, planned, local);
  return { taken, dead: othersOf(planned.outs, taken), ...(set.length > 0 && { set }), ...undo };
}

/** How a task's node can be undone from now on. */
function undoOf(
  { scopes }: Lookups,
  state: WorkflowsState,
  run: Execution,
  { node, expressions: { undo } }: PlannedNode,
  local: Local,
): Pick<WorkflowEvents["node.completed"], "undo"> {
  if (node.type !== "task" || !node.compensate) return {};
  return { undo: undo ? { input: scopes.evaluateText(state, run, undo, local) } : {} };
}

/** Which edges a node that ended well goes on along: of a decision for the first one, only that. */
export function choose(
  lookups: Lookups,
  state: WorkflowsState,
  run: Execution,
  { node, outs }: PlannedNode,
  local: Local,
): Target[] {
  const first = node.type === "decision" && node.mode === "first";
  const taken: Target[] = [];
  let fallback: Target | undefined;
  for (const edge of outs) {
    if (edge.codes) continue;
    if (first && !edge.when) fallback = edge.target;
    else if (isOpen(lookups, state, run, node.id, edge, local)) {
      if (first) return [edge.target];
      taken.push(edge.target);
    }
  }
  return fallback ? [fallback] : taken;
}

/** True when the edge has no condition, or its condition holds. */
export function isOpen(
  { scopes }: Lookups,
  state: WorkflowsState,
  run: Execution,
  from: string,
  { target, when }: PlannedEdge,
  local: Local,
): boolean {
  if (!when) return true;
  return isTrue(scopes.evaluate(state, run, when, local), { edge: `${from} → ${target[0]}`, when: when.source });
}

export function targetsOf(edges: readonly PlannedEdge[]): Target[] {
  return edges.map(({ target }) => target);
}

/** Two edges may lead to one node; each has a target of its own. */
export function othersOf(edges: readonly PlannedEdge[], taken: readonly Target[]): Target[] {
  if (taken.length === edges.length) return [];
  const chosen = new Set(taken);
  return targetsOf(edges).filter((target) => !chosen.has(target));
}

/** @throws RuntimeError `expression/failed` with the place when it is no condition */
export function isTrue(value: unknown, place: Readonly<Record<string, unknown>>): boolean {
  if (typeof value === "boolean") return value;
  throw new RuntimeError("expression/failed", { ...place, expected: "true or false" });
}
