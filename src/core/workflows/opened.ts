/** Outputs that expressions look into: those have to be in the records, as far as they can. */
import type { Expression } from "../expressions/index.ts";
import { decodeJson } from "../json.ts";
import type { TaskParent } from "../tasks/task.ts";
import type { WorkflowsState } from "./fold.ts";
import { namingOf } from "./named.ts";
import { planWorkflow, type Plan } from "./plan.ts";

/**
 * True when an expression of the run asks for more of the node than its whole output. Planned anew at each call: it is
 * asked for large outputs only, whose writing costs more.
 */
export function opensOutput({ executions, versions }: WorkflowsState, { execution, node }: TaskParent): boolean {
  const run = executions.get(execution);
  const text = run && versions.get(`${run.workflow}@${run.version}`)?.text;
  return text !== undefined && opens(planWorkflow(decodeJson(text)), node);
}

function opens({ nodes, output }: Plan, node: string): boolean {
  if (output && looksInto(output, node)) return true;
  for (const { expressions, outs } of nodes.values()) {
    const { items, ...passing } = expressions;
    if ([items, ...outs.map(({ when }) => when)].some((reading) => reading && names(reading, node))) return true;
    if (Object.values(passing).some((expression) => looksInto(expression, node))) return true;
  }
  return false;
}

function names(expression: Expression, node: string): boolean {
  return namingOf(expression).names.includes(node);
}

/** A plain path to the whole output passes it on unopened. */
function looksInto(expression: Expression, node: string): boolean {
  const { path } = expression;
  return names(expression, node) && !(path?.length === 3 && path[2] === "output");
}
