/** A definition made ready to run: checked, its expressions parsed, its edges by node. */
import * as v from "valibot";
import { RuntimeError } from "../errors.ts";
import { parseExpression, type Expression } from "../expressions/index.ts";
import { WorkflowSchema, type Workflow, type WorkflowNode } from "./definition.ts";
import type { Target } from "./execution.ts";
import { namingOf } from "./named.ts";

/** What is wrong with a definition: the nodes or edges it is about, and a sentence. */
export interface Problem {
  readonly nodes: readonly string[];
  readonly message: string;
}

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

/**
 * Checks a definition wholly.
 * @throws RuntimeError `workflow/invalid` with `problems`: what is wrong, and at which nodes.
 */
export function planWorkflow(definition: unknown): Plan {
  const parsed = v.safeParse(WorkflowSchema, definition);
  if (!parsed.success) throw invalid(parsed.issues.map(schemaProblem));
  const workflow = parsed.output;
  const problems = shapeProblems(workflow);
  if (problems.length > 0) throw invalid(problems);
  const plan = link(workflow, problems);
  if (problems.length > 0) throw invalid(problems);
  return plan;
}

function invalid(problems: readonly Problem[]): RuntimeError {
  const shown = problems.slice(0, 20);
  const first = shown[0]?.message ?? "invalid";
  const more = problems.length > 1 ? ` (and ${String(problems.length - 1)} more)` : "";
  return new RuntimeError("workflow/invalid", { problems: shown }, { message: `${first}${more}` });
}

function schemaProblem(issue: v.BaseIssue<unknown>): Problem {
  const path = v.getDotPath(issue) ?? "";
  return { nodes: [], message: path === "" ? issue.message : `${path}: ${issue.message}` };
}

function shapeProblems({ nodes, edges }: Workflow): Problem[] {
  const problems: Problem[] = [];
  const ids = new Set<string>();
  for (const { id } of nodes) {
    if (ids.has(id)) problems.push({ nodes: [id], message: `two nodes have the id '${id}'` });
    ids.add(id);
  }
  const seen = new Set<string>();
  for (const { from, to } of edges) {
    for (const end of [from, to])
      if (!ids.has(end)) problems.push({ nodes: [end], message: `the edge ${from} → ${to} names no node '${end}'` });
    const key = `${from} ${to}`;
    if (seen.has(key)) problems.push({ nodes: [from, to], message: `two edges ${from} → ${to}` });
    seen.add(key);
  }
  return problems;
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
    if (!kind) continue; // shapeProblems has refused it
    inlets.set(edge.to, (inlets.get(edge.to) ?? 0) + 1);
    if (edge.when === undefined) defaults.set(edge.from, (defaults.get(edge.from) ?? 0) + 1);
    const when = edge.when && parse(edge.when, "condition", [edge.from, edge.to], findings);
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
  const output = workflow.output && parse(workflow.output, "output", [], findings);
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
  nodes: readonly string[],
  { kinds, problems, read }: Findings,
  roots: readonly string[] = ["input", "nodes"],
): Expression | undefined {
  const key = `${roots.join()} ${source}`;
  const known = read.get(key);
  if (known) return known;
  const refuse = (reason: string): void => {
    const place = nodes.length === 0 ? "the workflow" : nodes.join(" → ");
    problems.push({ nodes, message: `${field} of ${place}: ${reason}` });
  };
  try {
    const expression = parseExpression(source, { roots });
    const { names, isVague } = namingOf(expression);
    const unknown = names.filter((name) => !kinds.has(name));
    for (const name of unknown) refuse(`there is no node '${name}', which it names`);
    if (isVague) refuse("it must say which node it means, as in nodes.a.output");
    if (!isVague && unknown.length === 0) read.set(key, expression);
    return expression;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    refuse(error.message);
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
    const expression = parse(source, field, [node.id], findings, roots);
    if (expression) parsed[field] = expression;
  }
  return parsed;
}

function nodeProblems({ node, outs, inlets }: PlannedNode, defaults: number): Problem[] {
  const { id } = node;
  if (node.type === "decision" && node.mode === "first") {
    if (defaults !== 1)
      return [
        {
          nodes: [id],
          message: `the decision '${id}' needs one edge without a condition, for when no other holds; it has ${String(defaults)}`,
        },
      ];
  }
  if (node.type === "decision" && outs.length === 0)
    return [{ nodes: [id], message: `the decision '${id}' has no edge to decide on` }];
  if (node.type === "join" && typeof node.mode === "number" && node.mode > inlets) {
    const message = `the join '${id}' waits for ${String(node.mode)} of ${String(inlets)} inlets and can never go on`;
    return [{ nodes: [id], message }];
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
  return [{ nodes: path, message: `a cycle: ${path.join(" → ")}` }];
}

function walkCycle(nodes: ReadonlyMap<string, PlannedNode>, open: ReadonlyMap<string, number>): string[] {
  // Whatever is left has a predecessor that is left too, so walking backwards must come around.
  const before = new Map<string, string>();
  for (const id of open.keys())
    for (const { target } of nodes.get(id)?.outs ?? []) if (open.has(target[0])) before.set(target[0], id);
  const seen: string[] = [];
  let at = [...open.keys()][0] ?? "";
  while (!seen.includes(at)) {
    seen.push(at);
    at = before.get(at) ?? at;
  }
  const cycle = seen.slice(seen.indexOf(at)).reverse();
  return [...cycle, cycle[0] ?? at];
}
