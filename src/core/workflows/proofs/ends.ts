/** Where a path may end though its author drew it on, where a run may wait for ever, and which failures nobody handles. */
import type { WorkflowNode } from "../definition.ts";
import type { Plan, PlannedNode } from "../plan.ts";
import { errorAt, listOf, warningAt, type Problem } from "./problem.ts";
import { constantOf } from "./conditions.ts";
import type { Tokens } from "./tokens.ts";

export function endProblems(plan: Plan, { choices, placed }: Tokens): Problem[] {
  const problems: Problem[] = [];
  for (const { planned, presence, outs } of placed.values()) {
    const { node } = planned;
    if (outs.length === 0) problems.push(...pathEnd(node));
    if (outs.length === 0 || presence.terms.length === 0) continue;
    const some = choices.or(outs);
    if (choices.implies(presence, some) !== false) continue;
    const message = `a path may end at '${node.id}', when none of its conditions holds: add an edge for that case`;
    problems.push(warningAt("path-may-end", message, node.id));
  }
  return [...problems, ...waits(plan), ...failures(plan)];
}

const PASSING: ReadonlySet<WorkflowNode["type"]> = new Set(["parallel"]);

function pathEnd({ id, type }: WorkflowNode): Problem[] {
  if (!PASSING.has(type)) return [];
  return [warningAt("path-ends", `the path ends at '${id}', a ${type} node that leads nowhere`, id)];
}

/** Conditions that give something else than true or false, or nothing, in every run. */
export function conditionProblems({ nodes }: Plan): Problem[] {
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

function waits({ nodes }: Plan): Problem[] {
  const open: string[] = [];
  for (const { node } of nodes.values()) if (node.type === "approval" && node.timeout === undefined) open.push(node.id);
  if (open.length === 0) return [];
  const [ask, has] = open.length === 1 ? ["the approval", "has"] : ["the approvals", "have"];
  const message = `${ask} ${listOf(open)} ${has} no timeout: a run waits there for as long as nobody answers`;
  return [warningAt("endless-wait", message, ...open)];
}

function failures({ nodes }: Plan): Problem[] {
  const open: string[] = [];
  for (const { node } of nodes.values()) if (mayFail(node)) open.push(node.id);
  if (open.length === 0) return [];
  return [
    warningAt("failure-unhandled", `no error edge handles a failure of ${listOf(open)}: it fails the run`, ...open),
  ];
}

function mayFail(node: WorkflowNode): boolean {
  if (node.type === "approval") return node.onReject === "fail";
  if (node.type === "map") return node.onError === "fail";
  return node.type === "task";
}
