/** A definition made ready to run: checked, its expressions parsed, its edges by node. */
import * as v from "valibot";
import { checkSchema, type JsonSchema } from "../capabilities/schema.ts";
import { RuntimeError } from "../errors.ts";
import { parseExpression, type Expression } from "../expressions/index.ts";
import { branchesOf } from "./branches.ts";
import {
  AppendedSchema,
  WorkflowSchema,
  type Body,
  type Workflow,
  type WorkflowEdge,
  type WorkflowNode,
} from "./definition.ts";
import type { Target } from "./execution.ts";
import type { Bodies } from "./version.ts";
import { actsInPlace, handlerEdges, handlerProblems, isHandler, type Handler } from "./handlers.ts";
import type { Graph, PlannedEdge, PlannedHandler, PlannedNode } from "./graph.ts";
import { namingOf } from "./named.ts";
import { nodeProblems } from "./node-problems.ts";
import { atEdge, errorAt, invalidWorkflow, placeOf, within, type Problem } from "./proofs/problem.ts";
import { secretsOf } from "./secrets.ts";
import { planVariables, type Variables } from "./variables.ts";

export type { Graph, PlannedEdge, PlannedNode } from "./graph.ts";

export interface Plan extends Graph {
  readonly workflow: Workflow;
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
  const { inputSchema } = workflow;
  const problems = inputSchema ? checkProblems(inputSchema) : [];
  return { plan: { workflow, ...planGraph(workflow, problems), inputSchema }, problems };
}

function checkProblems(schema: JsonSchema): Problem[] {
  try {
    checkSchema(schema, "inputSchema");
    return [];
  } catch (error) {
    const { at, expected, found } = error instanceof RuntimeError ? error.detail : {};
    return [errorAt("schema", `${String(at)}: ${String(expected)} is expected, found ${String(found)}`)];
  }
}

/** The same of what the worker of a dynamic node puts out: of what is around it, it sees no nodes and no variables. */
export function readAppended(definition: unknown): { readonly graph?: Graph; readonly problems: readonly Problem[] } {
  const parsed = v.safeParse(AppendedSchema, definition);
  if (!parsed.success) return { problems: parsed.issues.map(schemaProblem) };
  const problems: Problem[] = [];
  return { graph: planGraph(parsed.output, problems, LOCALS.loop), problems };
}

/** @throws RuntimeError `workflow/invalid` */
export function planAppended(definition: unknown): Graph {
  const { graph, problems } = readAppended(definition);
  if (!graph) throw invalidWorkflow(problems);
  return graph;
}

function planGraph(
  graph: Body,
  problems: Problem[],
  roots: readonly string[] = [],
  outer: Variables = new Map(),
): Graph {
  problems.push(...shapeProblems(graph), ...handlerProblems(graph));
  const variables = planVariables(graph, outer, problems);
  return { ...link(graph, problems, roots, variables), variables, declared: { variables: graph.variables } };
}

/** What a body sees beside what every expression does. */
const LOCALS = { map: ["item", "index"], loop: ["index", "last"], dynamic: ["index", "last", "problems"] } as const;

function planBodies({ nodes }: Body, problems: Problem[], variables: Variables): ReadonlyMap<string, Graph> {
  const bodies = new Map<string, Graph>();
  for (const node of nodes) {
    if (!("body" in node) || !node.body) continue;
    const found: Problem[] = [];
    bodies.set(node.id, planGraph(node.body, found, LOCALS[node.type], variables));
    problems.push(...found.map((problem) => within(node.id, problem)));
  }
  return bodies;
}

/** The ids of the nodes of all bodies, by their path. */
export function bodiesOf({ bodies }: Graph, path = ""): Bodies {
  const found: Record<string, readonly string[]> = {};
  for (const [node, body] of bodies) {
    const own = `${path}${node}`;
    found[own] = [...body.nodes.keys()];
    Object.assign(found, bodiesOf(body, `${own}/`));
  }
  return found;
}

function schemaProblem(issue: v.BaseIssue<unknown>): Problem {
  const path = v.getDotPath(issue) ?? "";
  return errorAt("schema", path === "" ? issue.message : `${path}: ${issue.message}`);
}

function shapeProblems({ nodes, edges }: Body): Problem[] {
  const problems: Problem[] = [];
  const ids = new Set<string>();
  for (const { id } of nodes) {
    if (ids.has(id)) problems.push(errorAt("duplicate-node", `two nodes have the id '${id}'`, id));
    ids.add(id);
  }
  const seen = new Set<string>();
  for (const { from, to, on, codes } of edges) {
    const wrong = (code: Problem["code"], message: string, ...at: readonly string[]): void => {
      problems.push(atEdge(errorAt(code, message, ...at), from, to));
    };
    for (const end of [from, to])
      if (!ids.has(end)) wrong("edge-nowhere", `the edge ${from} → ${to} names no node '${end}'`, end);
    const key = `${from} ${to} ${on ?? ""}`;
    if (seen.has(key)) wrong("duplicate-edge", `two edges ${from} → ${to}`, from, to);
    seen.add(key);
    if (codes && !on) wrong("edge-invalid", `the edge ${from} → ${to} has codes, but isn't an error edge`, from, to);
  }
  return problems;
}

type Targets = ReadonlyMap<string, Target>;

function targetOf(node: WorkflowNode): Target {
  const { id, type } = node;
  return type === "join" && typeof node.mode === "object" ? [id, type, true] : [id, type];
}

function link(
  graph: Body,
  problems: Problem[],
  locals: readonly string[],
  variables: Variables,
): Omit<Graph, "variables" | "declared"> {
  const places = graph.nodes.filter((node) => !actsInPlace(node));
  const implicit = handlerEdges(graph);
  const targets: Targets = new Map(places.map((node) => [node.id, targetOf(node)]));
  const common = ["input", "nodes", ...(variables.size > 0 ? ["vars"] : []), ...locals];
  const canFail = implicit.length > 0 || graph.edges.some(({ on }) => on);
  const read: Findings["read"] = new Map();
  const findings: Findings = { targets, variables, problems, roots: canFail ? [...common, "error"] : common, read };
  const { outs, inlets } = linkEdges(graph, implicit, findings);
  const nodes = new Map<string, PlannedNode>();
  for (const node of places) {
    const planned: PlannedNode = {
      node,
      outs: outs.get(node.id) ?? [],
      inlets: inlets.get(node.id) ?? 0,
      ...expressionsOf(node, findings),
      sets: setsOf(node, findings),
    };
    nodes.set(node.id, planned);
    problems.push(...nodeProblems(planned));
  }
  problems.push(...cycleProblems(nodes));
  const output = graph.output && parse(graph.output, "output", { nodes: [] }, { ...findings, roots: common });
  const all = [...nodes.values()];
  return {
    nodes,
    roots: all.filter((one) => one.inlets === 0 && !isHandler(one.node)).map(({ node }) => targetOf(node)),
    sinks: all.filter((one) => one.outs.every(({ codes }) => codes)).map(({ node }) => node.id),
    bodies: planBodies(graph, problems, variables),
    handlers: graph.nodes.filter(isHandler).map((handler) => planHandler(handler, findings)),
    branches: branchesOf(nodes),
    ...(output && { output }),
  };
}

function planHandler(handler: Handler, findings: Findings): PlannedHandler {
  const { id, scope, output: source } = handler;
  const output = source === undefined ? undefined : parse(source, "output", { nodes: [id] }, findings, ["error"]);
  return { handler, ...(scope && { scope: new Set(scope) }), ...(output && { output }) };
}

interface Edges {
  readonly outs: ReadonlyMap<string, readonly PlannedEdge[]>;
  readonly inlets: ReadonlyMap<string, number>;
}

function linkEdges({ nodes, edges }: Body, implicit: readonly WorkflowEdge[], findings: Findings): Edges {
  const outs = new Map<string, PlannedEdge[]>(nodes.map(({ id }) => [id, []]));
  const inlets = new Map<string, number>();
  const drawn = edges.length;
  for (const [place, edge] of [...edges, ...implicit].entries()) {
    const known = findings.targets.get(edge.to);
    if (!known || !outs.has(edge.from)) continue; // shapeProblems has refused it
    inlets.set(edge.to, (inlets.get(edge.to) ?? 0) + 1);
    const about: Pick<Problem, "nodes" | "edge"> = { nodes: [edge.from, edge.to], edge: [edge.from, edge.to] };
    const when = edge.when && parse(edge.when, "condition", about, findings);
    const codes = edge.on && (edge.codes ?? "all");
    const target = [...known] as Target; // each edge its own, so that they can be told apart
    outs.get(edge.from)?.push({
      target,
      ...(when && { when }),
      ...(codes && { codes }),
      ...(place >= drawn && { implicit: true }),
    });
  }
  return { outs, inlets };
}

interface Findings {
  readonly targets: Targets;
  readonly variables: Variables;
  readonly problems: Problem[];
  /** What every expression of the graph sees. */
  readonly roots: readonly string[];
  /** What was read already, by roots and source: large graphs say the same again and again. */
  readonly read: Map<string, Expression>;
}

function parse(
  source: string,
  field: string,
  about: Pick<Problem, "nodes" | "edge">,
  { targets, variables, problems, roots: common, read }: Findings,
  locals: readonly string[] = [],
): Expression | undefined {
  const roots = [...common, ...locals];
  const key = `${roots.join()} ${source}`;
  const known = read.get(key);
  if (known) return known;
  const refuse = (code: Problem["code"], reason: string): void => {
    problems.push({ ...errorAt(code, `${field} of ${placeOf(about)}: ${reason}`), ...about });
  };
  try {
    const expression = parseExpression(source, { roots });
    const { names, isVague } = namingOf(expression);
    const unknown = names.filter((name) => !targets.has(name));
    for (const name of unknown) refuse("reads-unknown", `there is no node '${name}', which it names`);
    if (isVague) refuse("reads-vague", "it must say which node it means, as in nodes.a.output");
    const vars = namingOf(expression, "vars");
    const missing = vars.names.filter((name) => !variables.has(name));
    for (const name of missing) refuse("reads-unknown", `there is no variable '${name}', which it names`);
    if (vars.isVague) refuse("reads-vague", "it must say which variable it means, as in vars.a");
    if (!isVague && !vars.isVague && unknown.length + missing.length === 0) read.set(key, expression);
    return expression;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    refuse("expression-invalid", error.message);
    return undefined;
  }
}

/** Only inputs of tasks see them. */
const SECRETS = ["secrets"];

type Sources = Record<string, readonly [source: string | undefined, locals?: readonly string[]]>;

function sourcesOf(node: WorkflowNode): Sources {
  switch (node.type) {
    case "task":
      return { input: [node.input, SECRETS], undo: [node.compensate?.input] };
    case "subworkflow":
      return { input: [node.input] };
    case "approval":
      return { payload: [node.payload] };
    case "map": {
      const locals = LOCALS.map;
      const input = node.task ? node.task.input : (node.body?.input ?? "item");
      const seen = node.task ? [...locals, ...SECRETS] : locals;
      return { items: [node.items], key: [node.key, locals], input: [input, seen] };
    }
    case "loop": {
      const locals = LOCALS.loop;
      const input = node.task ? node.task.input : node.body?.input;
      const seen = node.task ? [...locals, ...SECRETS] : locals;
      return { while: [node.while, locals], until: [node.until, locals], input: [input, seen] };
    }
    case "dynamic":
      return { input: [node.input, [...LOCALS.dynamic, ...SECRETS]] };
    case "monitor":
      return { when: [node.when, ["metrics"]] };
    case "join":
      return typeof node.mode === "object" ? { when: [node.mode.when, ["inlets"]] } : {};
    case "timer":
      return { for: [typeof node.for === "number" ? String(node.for) : node.for], until: [node.until] };
    case "event":
      return { key: [node.key] };
    case "decision":
    case "parallel":
    case "errorHandler":
      return {};
  }
}

function expressionsOf(node: WorkflowNode, findings: Findings): Pick<PlannedNode, "expressions" | "secrets"> {
  const parsed: Record<string, Expression> = {};
  for (const [field, [source, locals]] of Object.entries(sourcesOf(node))) {
    const expression = source === undefined ? undefined : parse(source, field, { nodes: [node.id] }, findings, locals);
    if (expression) parsed[field] = expression;
  }
  const { input } = parsed;
  if (!input?.roots.includes("secrets")) return { expressions: parsed };
  const secrets = secretsOf(input.ast);
  if (secrets) return { expressions: parsed, secrets };
  const rule = "a secret can only be passed on whole, as secrets.name, alone or in a list or map";
  findings.problems.push(errorAt("expression-invalid", `input of '${node.id}': ${rule}`, node.id));
  return { expressions: parsed };
}

function setsOf(node: WorkflowNode, findings: Findings): PlannedNode["sets"] {
  return Object.entries(node.set ?? {}).flatMap(([name, source]) => {
    const variable = findings.variables.get(name);
    if (!variable) {
      const message = `'${node.id}' sets '${name}', which is no variable`;
      findings.problems.push(errorAt("variable-invalid", message, node.id));
    }
    const value = parse(source, `set.${name}`, { nodes: [node.id] }, findings);
    return variable && value ? [[variable, value] as const] : [];
  });
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
