/** Where a path may end though its author drew it on, where a run may wait for ever, and which failures nobody handles. */
import type { WorkflowNode } from "../definition.ts";
import type { Graph, PlannedNode } from "../graph.ts";
import { errorAt, listOf, warningAt, type Problem } from "./problem.ts";
import { constantOf } from "./conditions.ts";
import type { Tokens } from "./tokens.ts";

export function endProblems(graph: Graph, { choices, placed }: Tokens): Problem[] {
  const problems: Problem[] = [];
  for (const { planned, completed, outs } of placed.values()) {
    const { node } = planned;
    const normal = outs.filter((_presence, at) => !planned.outs[at]?.codes);
    if (normal.length === 0) problems.push(...pathEnd(node));
    if (normal.length === 0 || completed.terms.length === 0) continue;
    if (choices.implies(completed, choices.or(normal)) !== false) continue;
    const message = `a path may end at '${node.id}', when none of its conditions holds: add an edge for that case`;
    problems.push(warningAt("path-may-end", message, node.id));
  }
  return [...problems, ...waits(graph), ...failures(graph)];
}

const PASSING: ReadonlySet<WorkflowNode["type"]> = new Set(["parallel"]);

function pathEnd({ id, type }: WorkflowNode): Problem[] {
  if (!PASSING.has(type)) return [];
  return [warningAt("path-ends", `the path ends at '${id}', a ${type} node that leads nowhere`, id)];
}

/** Conditions that give something else than true or false, or nothing, in every run. */
export function conditionProblems({ nodes }: Graph): Problem[] {
  return [...nodes.values()].flatMap(constantProblems);
}

function constantProblems({ node: { id }, outs }: PlannedNode): Problem[] {
  return outs.flatMap(({ target: [to], when }) => {
    const constant = when && constantOf(when);
    if (!constant || ("value" in constant && typeof constant.value === "boolean")) return [];
    const why = "fails" in constant ? constant.fails : `it is ${JSON.stringify(constant.value)}, not true or false`;
    const message = `the condition of ${id} → ${to} fails whenever it is asked: ${why}`;
    return [{ ...errorAt("expression-fails", message, id, to), edge: [id, to] } as const];
  });
}

function waits({ nodes }: Graph): Problem[] {
  const open: string[] = [];
  for (const { node } of nodes.values())
    if ((node.type === "approval" || node.type === "event" || node.type === "monitor") && node.timeout === undefined)
      open.push(node.id);
  if (open.length === 0) return [];
  const has = open.length === 1 ? "has" : "have";
  const message = `${listOf(open)} ${has} no timeout: a run waits there for as long as no answer comes, no message, or no such metrics`;
  return [warningAt("endless-wait", message, ...open)];
}

function failures(graph: Graph): Problem[] {
  const open: string[] = [];
  for (const planned of graph.nodes.values())
    if (mayFail(planned.node) && !isHandled(graph, planned)) open.push(planned.node.id);
  if (open.length === 0) return [];
  return [
    warningAt("failure-unhandled", `no error edge handles a failure of ${listOf(open)}: it fails the run`, ...open),
  ];
}

function mayFail(node: WorkflowNode): boolean {
  switch (node.type) {
    case "approval":
      return node.onReject === "fail";
    case "event":
    case "monitor":
      return node.timeout !== undefined && node.onTimeout !== "continue";
    case "timer":
      return node.late === "expire";
    case "map":
      return node.onError === "fail";
    case "task":
    case "loop":
    case "dynamic":
    case "subworkflow":
      return true;
    default:
      return false; // what only an expression of theirs can make fail
  }
}

/** Whether every failure of the node is taken care of, whatever its code is. */
function isHandled({ handlers, branches }: Graph, { node: { id }, outs }: PlannedNode): boolean {
  if (branches.has(id) || outs.some(({ codes, when }) => codes === "all" && !when)) return true;
  const first = handlers.find(
    ({ handler: { codes, action }, scope }) => !codes && action !== "retry" && scope?.has(id) !== false,
  );
  return first?.handler.action === "replace";
}
