/** Outputs that expressions look into: those have to be in the records, as far as they can. */
import type { Expression } from "../expressions/index.ts";
import type { TaskParent } from "../tasks/task.ts";
import type { WorkflowsState } from "./fold.ts";
import { createLookups } from "./lookups.ts";
import { namingOf } from "./named.ts";
import type { Graph } from "./graph.ts";

/**
 * True when an expression of the run asks for more of the node than its whole output, or when the run puts that out and
 * an expression of the run that it belongs to does. Planned anew at each call: it is asked for large outputs only,
 * whose writing costs more.
 */
export function opensOutput(state: WorkflowsState, parent: TaskParent): boolean {
  const run = state.executions.get(parent.execution);
  if (!run) return false;
  const graph = createLookups().planOf(state, run.workflow, run.version);
  if (opens(graph, parent.node)) return true;
  const { output, sinks } = graph;
  const isPassedOn = output ? isWhole(output, parent.node) : sinks.length === 1 && sinks[0] === parent.node;
  return isPassedOn && run.parent !== undefined && opensOutput(state, run.parent);
}

/** Fields whose value a node only passes on, where it is a plain path. */
const PASSING: ReadonlySet<string> = new Set(["input", "payload"]);

function opens({ nodes, output, bodies }: Graph, node: string): boolean {
  if (output && looksInto(output, node)) return true;
  const own = nodes.get(node);
  if (own?.node.type === "dynamic" && own.node.rounds !== undefined) return true; // the next graph may look into it
  for (const name of ["while", "until", "input"]) {
    // A loop's own output is `last`, in its conditions and in its body.
    const last = own?.expressions[name];
    if (last?.roots.includes("last") && last.path?.length !== 1) return true;
  }
  if (looksAtLast(bodies.get(node))) return true;
  for (const { node: reader, expressions, outs, sets } of nodes.values()) {
    if (outs.some(({ when }) => when && names(when, node))) return true;
    if (sets.some(([, value]) => names(value, node))) return true;
    const passes = reader.type !== "subworkflow" && reader.type !== "dynamic" && !bodies.has(reader.id); // their graphs may look into their input
    for (const [field, expression] of Object.entries(expressions))
      if (passes && PASSING.has(field) ? looksInto(expression, node) : names(expression, node)) return true;
  }
  return false;
}

/** The body of a loop looks into what the iteration before put out; or into its input, which that may be. */
function looksAtLast(body: Graph | undefined): boolean {
  if (!body) return false;
  const expressions = [...body.nodes.values()].flatMap((one) => [
    ...Object.values(one.expressions),
    ...one.outs.flatMap(({ when }) => when ?? []),
  ]);
  return expressions.some(
    ({ roots, path }) => (roots.includes("last") || roots.includes("input")) && path?.length !== 1,
  );
}

function names(expression: Expression, node: string): boolean {
  return namingOf(expression).names.includes(node);
}

/** A plain path to the whole output passes it on unopened. */
function looksInto(expression: Expression, node: string): boolean {
  return names(expression, node) && !isWhole(expression, node);
}

function isWhole({ path }: Expression, node: string): boolean {
  return path?.length === 3 && path[0] === "nodes" && path[1] === node && path[2] === "output";
}
