/** A definition made ready to run: checked, its expressions parsed, its edges by node. */
import * as v from "valibot";
import { RuntimeError } from "../errors.ts";
import { parseExpression, type Expression } from "../expressions/index.ts";
import { WorkflowSchema, type Workflow, type WorkflowNode } from "./definition.ts";
import type { Target } from "./execution.ts";
import { namingOf } from "./named.ts";
import { errorAt, invalidWorkflow, placeOf, type Problem } from "./proofs/problem.ts";

export interface PlannedEdge {
  readonly target: Target;
  readonly when?: Expression | undefined;
}

export interface PlannedNode {
  readonly node: WorkflowNode;
  readonly outs: readonly PlannedEdge[];
  readonly inlets: number;
  /** The node's expressions by the name of their field. */
  readonly expressions: Readonly<Record<string, Expression>>;
}

export interface Plan {
  readonly workflow: Workflow;
  readonly nodes: ReadonlyMap<string, PlannedNode>;
  readonly roots: readonly Target[];
  readonly sinks: readonly string[];
  readonly output?: Expression | undefined;
}

/** A definition that was read: the plan as far as there is one, and what hinders it from running. */
export interface Reading {
  /** Of a definition that has the form of one, though it may have other problems. */
  readonly plan?: Plan;
  readonly problems: readonly Problem[];
}

/**
 * Makes a definition ready to run. What can run but shouldn't is found by `validate`, and refused when it is registered.
 * @throws RuntimeError `workflow/invalid` with `problems`: what is wrong, and at which nodes.
 */
export function planWorkflow(definition: unknown): Plan {
  const { plan, problems } = readPlan(definition);
  if (!plan || problems.length > 0) throw invalidWorkflow(problems);
  return plan;
}

/** The same without throwing, and going on as far as it can. */
export function readPlan(definition: unknown): Reading {
  const parsed = v.safeParse(WorkflowSchema, definition);
  if (!parsed.success) return { problems: parsed.issues.map(schemaProblem) };
  const workflow = parsed.output;
  const problems = shapeProblems(workflow);
  return { plan: link(workflow, problems), problems };
}

function schemaProblem(issue: v.BaseIssue<unknown>): Problem {
  const path = v.getDotPath(issue) ?? "";
  return errorAt("schema", path === "" ? issue.message : `${path}: ${issue.message}`);
}

function shapeProblems({ nodes, edges }: Workflow): Problem[] {
  const problems: Problem[] = [];
  const ids = new Set<string>();
  for (const { id } of nodes) {
    if (ids.has(id)) problems.push(errorAt("duplicate-node", `two nodes have the id '${id}'`, id));
    ids.add(id);
  }
  const seen = new Set<string>();
  for (const { from, to } of edges) {
    for (const end of [from, to])
      if (!ids.has(end))
        problems.push(
          atEdge(errorAt("edge-nowhere", `the edge ${from} → ${to} names no node '${end}'`, end), from, to),
        );
    const key = `${from} ${to}`;
    if (seen.has(key))
      problems.push(atEdge(errorAt("duplicate-edge", `two edges ${from} → ${to}`, from, to), from, to));
    seen.add(key);
  }
  return problems;
}

function atEdge(problem: Problem, from: string, to: string): Problem {
  return { ...problem, edge: [from, to] };
}

type Kinds = ReadonlyMap<string, WorkflowNode["type"]>;

function link(workflow: Workflow, problems: Problem[]): Plan {
  const kinds: Kinds = new Map(workflow.nodes.map(({ id, type }) => [id, type]));
  const findings: Findings = { kinds, problems, read: new Map() };
  const outs = new Map<string, PlannedEdge[]>(workflow.nodes.map(({ id }) => [id, []]));
  const inlets = new Map<string, number>();
  const defaults = new Map<string, number>();
  for (const edge of workflow.edges) {
    const kind = kinds.get(edge.to);
    if (!kind || !kinds.has(edge.from)) continue; // shapeProblems has refused it
    inlets.set(edge.to, (inlets.get(edge.to) ?? 0) + 1);
    if (edge.when === undefined) defaults.set(edge.from, (defaults.get(edge.from) ?? 0) + 1);
    const when =
      edge.when && parse(edge.when, "condition", { nodes: [edge.from, edge.to], edge: [edge.from, edge.to] }, findings);
    outs.get(edge.from)?.push({ target: [edge.to, kind], ...(when && { when }) });
  }
  const nodes = new Map<string, PlannedNode>();
  for (const node of workflow.nodes) {
    const planned: PlannedNode = {
      node,
      outs: outs.get(node.id) ?? [],
      inlets: inlets.get(node.id) ?? 0,
      expressions: expressionsOf(node, findings),
    };
    nodes.set(node.id, planned);
    problems.push(...nodeProblems(planned, defaults.get(node.id) ?? 0));
  }
  problems.push(...cycleProblems(nodes));
  const output = workflow.output && parse(workflow.output, "output", { nodes: [] }, findings);
  const all = [...nodes.values()];
  return {
    workflow,
    nodes,
    roots: all.filter((one) => one.inlets === 0).map(({ node }) => [node.id, node.type]),
    sinks: all.filter((one) => one.outs.length === 0).map(({ node }) => node.id),
    ...(output && { output }),
  };
}

interface Findings {
  readonly kinds: Kinds;
  readonly problems: Problem[];
  /** What was read already, by roots and source: large graphs say the same again and again. */
  readonly read: Map<string, Expression>;
}

function parse(
  source: string,
  field: string,
  about: Pick<Problem, "nodes" | "edge">,
  { kinds, problems, read }: Findings,
  roots: readonly string[] = ["input", "nodes"],
): Expression | undefined {
  const key = `${roots.join()} ${source}`;
  const known = read.get(key);
  if (known) return known;
  const refuse = (code: Problem["code"], reason: string): void => {
    problems.push({ code, severity: "error", ...about, message: `${field} of ${placeOf(about)}: ${reason}` });
  };
  try {
    const expression = parseExpression(source, { roots });
    const { names, isVague } = namingOf(expression);
    const unknown = names.filter((name) => !kinds.has(name));
    for (const name of unknown) refuse("reads-unknown", `there is no node '${name}', which it names`);
    if (isVague) refuse("reads-vague", "it must say which node it means, as in nodes.a.output");
    if (!isVague && unknown.length === 0) read.set(key, expression);
    return expression;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    refuse("expression-invalid", error.message);
    return undefined;
  }
}

function expressionsOf(node: WorkflowNode, findings: Findings): Record<string, Expression> {
  const sources: Record<string, readonly [source: string, roots?: readonly string[]]> = {};
  if (node.type === "task") sources["input"] = [node.input];
  if (node.type === "approval") sources["payload"] = [node.payload];
  if (node.type === "map") {
    sources["items"] = [node.items];
    sources["input"] = [node.task.input, ["input", "nodes", "item", "index"]];
  }
  const parsed: Record<string, Expression> = {};
  for (const [field, [source, roots]] of Object.entries(sources)) {
    const expression = parse(source, field, { nodes: [node.id] }, findings, roots);
    if (expression) parsed[field] = expression;
  }
  return parsed;
}

function nodeProblems({ node, outs, inlets }: PlannedNode, defaults: number): Problem[] {
  const { id } = node;
  if (node.type === "decision" && node.mode === "first" && defaults !== 1) {
    const message = `the decision '${id}' needs one edge without a condition, for when no other holds; it has ${String(defaults)}`;
    return [errorAt("decision-default", message, id)];
  }
  if (node.type === "decision" && outs.length === 0)
    return [errorAt("decision-empty", `the decision '${id}' has no edge to decide on`, id)];
  if (node.type === "join" && typeof node.mode === "number" && node.mode > inlets) {
    const message = `the join '${id}' waits for ${String(node.mode)} of ${String(inlets)} inlets and can never go on`;
    return [errorAt("join-never-fires", message, id)];
  }
  return [];
}

/** Kahn's algorithm (1962); what is left over holds a cycle, which is then walked to name its path. */
function cycleProblems(nodes: ReadonlyMap<string, PlannedNode>): Problem[] {
  const open = new Map([...nodes].map(([id, { inlets }]) => [id, inlets]));
  const free = [...open].filter(([, inlets]) => inlets === 0).map(([id]) => id);
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    open.delete(id);
    for (const { target } of nodes.get(id)?.outs ?? []) {
      const left = (open.get(target[0]) ?? 0) - 1;
      open.set(target[0], left);
      if (left === 0) free.push(target[0]);
    }
  }
  if (open.size === 0) return [];
  const path = walkCycle(nodes, open);
  return [errorAt("cycle", `a cycle: ${path.join(" → ")}`, ...path)];
}

function walkCycle(nodes: ReadonlyMap<string, PlannedNode>, open: ReadonlyMap<string, number>): string[] {
  // Whatever is left has a predecessor that is left too, so walking backwards must come around.
  const before = new Map<string, string>();
  for (const id of open.keys())
    for (const { target } of nodes.get(id)?.outs ?? []) if (open.has(target[0])) before.set(target[0], id);
  const seen = new Set<string>();
  let at = [...open.keys()][0] ?? "";
  while (!seen.has(at)) {
    seen.add(at);
    at = before.get(at) ?? at;
  }
  const path = [...seen];
  const cycle = path.slice(path.indexOf(at)).reverse();
  return [...cycle, cycle[0] ?? at];
}
