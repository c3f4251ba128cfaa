/**
 * A node whose worker says what is to be done: it puts out a graph, which is looked through as any definition is, and
 * for what the node allows, and is then run as a run of its own. What is refused is told to the worker, which is asked
 * again. The worker may have been misled by what it has read, so that nothing is allowed that isn't named.
 */
import { covers, splitCapability } from "../agents/matching.ts";
import { encodeRefusal, RuntimeError } from "../errors.ts";
import { decodeJson, digestOf, encodeJson } from "../json.ts";
import { checkLimits } from "../limits/rules.ts";
import type { LimitsState } from "../limits/fold.ts";
import { isSpilled } from "../payload/reference.ts";
import { PRIORITIES } from "../tasks/priority.ts";
import type { WorkflowNode } from "./definition.ts";
import type { Place, WorkflowFact } from "./edges.ts";
import { versionWithin } from "./keys.ts";
import { failNode } from "./failures.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Graph } from "./graph.ts";
import type { Lookups } from "./lookups.ts";
import { bodiesOf, readAppended } from "./plan.ts";
import { errorAt, invalidWorkflow, within, type Problem } from "./proofs/problem.ts";
import { isError, provePlan } from "./proofs/validate.ts";
import { complete } from "./tokens.ts";
import { checkDepth, turnInput } from "./work.ts";
import { worksOf } from "./works.ts";

type Dynamic = Extract<WorkflowNode, { type: "dynamic" }>;

interface Turning {
  readonly lookups: Lookups;
  readonly state: WorkflowsState;
  readonly limits: LimitsState;
}

/** Asks for the next graph, or runs the one that was put out, or ends the node. */
export function turnDynamic(turning: Turning, place: Place, node: Dynamic): WorkflowFact[] {
  const { lookups, state } = turning;
  const { run, reached } = place;
  const at = { execution: run.id, node: node.id };
  const { begun = 0, done = 0, plan, graph } = reached;
  if (graph !== undefined) return []; // it runs
  if (plan !== undefined) {
    try {
      return takePlan(turning, place, node, plan);
    } catch (error) {
      return failNode(lookups, state, { ...at, error: encodeRefusal(error, "expression/failed") });
    }
  }
  if (begun > done) return []; // its worker is asked
  if (done > 0 && node.rounds === undefined) return complete(lookups, state, at);
  return [{ type: "loop.turned", data: { ...at, index: done } }];
}

function takePlan(turning: Turning, { run, reached, planned }: Place, node: Dynamic, plan: string): WorkflowFact[] {
  const { lookups, state } = turning;
  const at = { execution: run.id, node: node.id };
  const { done: index = 0, refused = 0 } = reached;
  const read = readPlan({ ...turning, run }, node, plan);
  if ("output" in read) {
    const output = read.output ?? (index === 0 ? "null" : undefined); // undefined: the last graph's
    return complete(lookups, state, { ...at, ...(output !== undefined && { output }) });
  }
  if ("problems" in read) {
    const error = encodeRefusal(invalidWorkflow(read.problems));
    const told: WorkflowFact = { type: "graph.refused", data: { ...at, index, error } };
    if (refused + 1 < node.tries) return [told, { type: "loop.turned", data: { ...at, index } }];
    return failNode(lookups, state, { ...at, error });
  }
  const { rounds = 1 } = node;
  if (index >= rounds) throw new RuntimeError("workflow/loop-exceeded", { node: node.id, max: rounds });
  // What would hinder it from beginning is found before it is kept.
  checkDepth(state, at);
  turnInput({ lookups, state, run, reached, planned }, index, { problems: [] });
  const { graph } = read;
  const version = `${versionWithin(run.version, node.id)}@${digestOf(plan)}`;
  lookups.keep(state, run.workflow, version, graph);
  const nodes = [...graph.nodes.keys()];
  const bodies = graph.bodies.size > 0 ? { bodies: bodiesOf(graph) } : {};
  return [{ type: "graph.appended", data: { ...at, index, version, nodes, ...bodies } }];
}

/** A graph to run, or what is wrong with it; or that there is none any more, and what the node's output is then. */
type Read =
  { readonly graph: Graph } | { readonly problems: readonly Problem[] } | { readonly output: string | undefined };

function readPlan(looking: Looking, node: Dynamic, text: string): Read {
  if (isSpilled(text) || text.length > MAX_PLAN)
    return { problems: [errorAt("schema", `the graph has more than ${String(MAX_PLAN)} characters`)] };
  const plan = decodeJson(text, node.id);
  const { nodes, result, ...more } = Object(plan) as Readonly<Record<string, unknown>>;
  if (plan === null || (Array.isArray(nodes) && nodes.length === 0)) return { output: undefined };
  if (nodes === undefined && result !== undefined && Object.keys(more).length === 0)
    return { output: encodeJson(result, node.id) };
  const { graph, problems } = readAppended(plan);
  if (!graph || problems.length > 0) return { problems };
  const wrong = [...refusals(node, graph, looking), ...provePlan(graph).filter(isError)];
  return wrong.length > 0 ? { problems: wrong } : { graph };
}

/** Characters of a graph; a longer text isn't read. */
const MAX_PLAN = 262_144;

type Looking = Pick<Turning, "limits"> & Pick<Place, "run">;

function refusals(node: Dynamic, graph: Graph, looking: Looking): Problem[] {
  const count = countNodes(graph);
  const most = `${String(count)} nodes, where ${String(node.maxNodes)} are the most`;
  return [...(count > node.maxNodes ? [errorAt("not-allowed", most)] : []), ...forbidden(node.allow, graph, looking)];
}

function countNodes({ nodes, bodies, handlers }: Graph): number {
  const inner = [...bodies.values()].reduce((sum, body) => sum + countNodes(body), 0);
  return nodes.size + handlers.filter(({ handler }) => !nodes.has(handler.id)).length + inner;
}

/** What the node doesn't allow, by name and place. */
function forbidden(allow: Dynamic["allow"], { nodes, bodies, handlers }: Graph, looking: Looking): Problem[] {
  const places = [...nodes.values()].map(({ node }) => node);
  const all = new Set([...places, ...handlers.map(({ handler }) => handler)]);
  const own = [...all].flatMap((one) =>
    flawsOf(allow, one, looking).map((what) => errorAt("not-allowed", `'${one.id}' ${what}`, one.id)),
  );
  const named = [...nodes.values()].flatMap(({ node: { id }, secrets = [] }) =>
    secrets
      .filter(({ name }) => !allow.secrets.includes(name))
      .map(({ name }) => errorAt("not-allowed", `'${id}' names the secret '${name}', which isn't allowed`, id)),
  );
  const inner = [...bodies].flatMap(([id, body]) =>
    forbidden(allow, body, looking).map((problem) => within(id, problem)),
  );
  return [...own, ...named, ...inner];
}

function flawsOf(allow: Dynamic["allow"], node: WorkflowNode, { limits, run }: Looking): string[] {
  const flaws: string[] = [];
  const types: readonly string[] = allow.types;
  if (!types.includes(node.type)) flaws.push(`is of the type '${node.type}', which isn't allowed`);
  if (node.type === "subworkflow" && (!allow.workflows.includes(node.workflow) || node.version !== undefined))
    flaws.push(`runs '${node.workflow}'${node.version === undefined ? "" : " in a version"}, which isn't allowed`);
  const works = worksOf(node);
  for (const { priority } of node.type === "subworkflow" ? [node] : works)
    if (priority && PRIORITIES.indexOf(priority) < PRIORITIES.indexOf(run.priority))
      flaws.push(`has the priority '${priority}', which is above that of the run`);
  for (const work of works) {
    for (const need of work.capabilities)
      if (!covers(allow, splitCapability(need)[0])) flaws.push(`asks for '${need}', which isn't allowed`);
    for (const limit of allow.limits)
      if (!work.limits?.some((one) => one.limit === limit)) flaws.push(`doesn't count against the limit '${limit}'`);
    try {
      checkLimits(limits, work.limits);
    } catch (error) {
      flaws.push(`names a limit: ${encodeRefusal(error).message}`);
    }
  }
  return flaws;
}
