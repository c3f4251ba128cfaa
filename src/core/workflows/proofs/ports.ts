/** What nodes pass on against what the next ones take, and work that nobody offers to do. */
import { schemaFor, type KnownCapabilities } from "../../capabilities/lookups.ts";
import type { Expression } from "../../expressions/index.ts";
import { METRICS } from "../../tasks/meters.ts";
import type { Requirement } from "../../tasks/requirement.ts";
import type { WorkflowNode } from "../definition.ts";
import type { Graph, PlannedNode, PlannedVariable } from "../graph.ts";
import { workOf, worksOf } from "../works.ts";
import { errorAt, warningAt, type Problem } from "./problem.ts";
import { ANYTHING, either, misfit, ofKind, shapeOf, words, type Kind, type Shape } from "./shapes.ts";
import { typeOf, type Typing } from "./typing.ts";

/** What is known of those who do the work. */
export interface Workforce {
  readonly capabilities: KnownCapabilities;
  /** Whether somebody can do it. Default: nobody knows. */
  readonly canDo?: ((requirement: Requirement) => boolean) | undefined;
}

export function portProblems(graph: Graph, { capabilities, canDo }: Workforce): Problem[] {
  const shapes = new Map<string, Shape>();
  const outputOf = (id: string): Shape => {
    let shape = shapes.get(id);
    if (!shape) {
      shape = outputShape(graph.nodes.get(id)?.node, capabilities);
      shapes.set(id, shape);
    }
    return shape;
  };
  const roots = { vars: variablesShape(graph), input: shapeOf(graph.inputSchema) };
  const problems = [...graph.nodes.values()].flatMap((planned) => nodeProblems(planned, capabilities, outputOf, roots));
  if (graph.output) {
    const complain = (why: string): void => {
      problems.push(errorAt("port-type", `output of the workflow: ${why}`));
    };
    typeOf(graph.output.ast, { roots, outputOf, complain });
  }
  return canDo ? [...problems, ...workProblems(graph, canDo)] : problems;
}

function nodeProblems(
  { node, outs, expressions, sets }: PlannedNode,
  capabilities: KnownCapabilities,
  outputOf: Typing["outputOf"],
  common: Typing["roots"],
): Problem[] {
  const problems: Problem[] = [];
  const read = (expression: Expression | undefined, place: string, roots: Typing["roots"] = {}): Shape => {
    if (!expression) return ANYTHING;
    const complain = (why: string): void => {
      problems.push(errorAt("port-type", `${place}: ${why}`, node.id));
    };
    return typeOf(expression.ast, { roots: { ...common, ...roots }, outputOf, complain });
  };
  const want = (kind: Kind, { kinds }: Shape, place: string, about?: Pick<Problem, "edge" | "nodes">): void => {
    if (!kinds || kinds.has(kind)) return;
    const message = `${place}: it gives ${words(kinds)}, and ${words(new Set([kind]))} is needed`;
    problems.push({ ...errorAt("port-type", message, node.id), ...about });
  };
  const { items, input, key, ...others } = expressions;
  const list = read(items, `items of ${node.id}`);
  want("array", list, `items of ${node.id}`);
  const locals = localsOf(node, list);
  read(key, `key of ${node.id}`, locals);
  const given = read(input, `input of ${node.id}`, locals);
  const need = workOf(node)?.capabilities[0];
  const schema = need === undefined ? undefined : schemaFor(capabilities, need, "input");
  const flaw = schema && misfit(schema, given, "it");
  if (flaw !== undefined)
    problems.push(errorAt("port-type", `input of ${node.id}, for '${need ?? ""}': ${flaw}`, node.id));
  for (const [field, expression] of Object.entries(others)) {
    const shape = read(expression, `${field} of ${node.id}`, locals);
    if (ASKED.has(field) && node.type !== "timer") want("boolean", shape, `${field} of ${node.id}`);
  }
  for (const [{ name, type, merge }, value] of sets) {
    const place = `set.${name} of ${node.id}`;
    const shape = read(value, place);
    if (merge === "append" || (merge === "last" && shape.kinds?.has("null"))) continue;
    for (const kind of kindsOf(type)) want(kind, shape, place);
  }
  for (const { target, when } of outs) {
    const place = `condition of ${node.id} → ${target[0]}`;
    const edge = [node.id, target[0]] as const;
    if (when && when.roots.length > 0) want("boolean", read(when, place), place, { nodes: edge, edge });
  }
  return problems;
}

/** Fields that are conditions. */
const ASKED: ReadonlySet<string> = new Set(["while", "until", "when"]);

/** What only expressions of this node see. */
function localsOf({ type }: WorkflowNode, list: Shape): Typing["roots"] {
  if (type === "monitor") return { metrics: MEASURED };
  if (type === "map") return { item: list.items ?? ANYTHING, index: ofKind("number") };
  return type === "loop" || type === "dynamic" ? { index: ofKind("number") } : {};
}

/** The variables that a graph sees. They may be null. */
function variablesShape({ variables }: Graph): Shape {
  const fields = [...variables].map(([name, { type }]) => {
    const kinds = kindsOf(type);
    return [name, kinds.length > 0 ? ofKind(...kinds, "null") : ANYTHING] as const;
  });
  return { ...ofKind("object"), fields: new Map(fields), isClosed: true };
}

function kindsOf(type: PlannedVariable["type"]): readonly Kind[] {
  if (type === "any") return [];
  return [type === "list" ? "array" : type === "map" ? "object" : type];
}

/** An object with these fields and no others. */
function record(fields: Readonly<Record<string, Shape>>): Shape {
  const entries = Object.entries(fields);
  return { ...ofKind("object"), isClosed: true, fields: new Map(entries), has: new Set(Object.keys(fields)) };
}

const TEXT = ofKind("string");
const NUMBER = ofKind("number");
const BOOLEAN = ofKind("boolean");

/** What monitors ask for. */
const MEASURED = record(Object.fromEntries(METRICS.map((name) => [name, NUMBER])));

/** What nodes of these types put out. */
const OUTPUTS: Partial<Record<WorkflowNode["type"], Shape>> = {
  approval: record({ approved: BOOLEAN, by: TEXT, reason: ofKind("string", "null"), data: ANYTHING }),
  errorHandler: record({ node: TEXT, code: TEXT, message: TEXT }),
  timer: record({ dueAt: NUMBER, firedAt: NUMBER, late: NUMBER }),
  event: record({ received: BOOLEAN, payload: ANYTHING, publishedAt: ofKind("number", "null") }),
  monitor: record({ held: BOOLEAN, metrics: MEASURED }),
};

function outputShape(node: WorkflowNode | undefined, capabilities: KnownCapabilities): Shape {
  const known = node && OUTPUTS[node.type];
  if (known) return known;
  if (node?.type === "dynamic") return ANYTHING; // what its worker puts out is a graph
  const need = node && workOf(node)?.capabilities[0];
  const shape = need === undefined ? ANYTHING : shapeOf(schemaFor(capabilities, need, "output"));
  if (node?.type === "loop") return either(shape, ofKind("null"));
  if (node?.type !== "map") return shape;
  return { ...ofKind("array"), ...(node.onError === "fail" && { items: shape }) };
}

/** Each kind of work that nobody can do, with the nodes that ask for it. */
function workProblems({ nodes }: Graph, canDo: (requirement: Requirement) => boolean): Problem[] {
  const known = new Map<string, boolean>();
  const missing = new Map<string, string[]>();
  const works = [...nodes.values()].flatMap(({ node, secrets }) => {
    const own = workOf(node);
    return worksOf(node).map((work): readonly [WorkflowNode, Requirement] => [
      node,
      work === own ? { ...work, secrets } : work,
    ]);
  });
  for (const [node, work] of works) {
    const { capabilities, agents, specializations, secrets = [] } = work;
    const granted = secrets.map(({ name }) => name);
    const key = JSON.stringify([capabilities, agents, specializations, granted]);
    const can = known.get(key) ?? canDo(work);
    known.set(key, can);
    if (can) continue;
    const wanted = [...capabilities, ...granted.map((name) => `the secret ${name}`)].join(" and ");
    const asking = missing.get(wanted) ?? [];
    asking.push(node.id);
    missing.set(wanted, asking);
  }
  return [...missing].map(([wanted, asking]) => {
    const message = `nobody offers '${wanted}', so that tasks of '${asking[0] ?? ""}' would wait for somebody who does`;
    return warningAt("capability-unknown", message, ...asking);
  });
}
