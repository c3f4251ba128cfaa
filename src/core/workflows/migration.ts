/**
 * How a run goes on with another version of its workflow. Its tokens are led through the new graph anew: what has ended
 * stays ended, with its output; what runs goes on running; conditions are asked again. What can't be led so blocks all.
 */
import { RuntimeError } from "../errors.ts";
import { choose, othersOf, targetsOf, type WorkflowFact } from "./edges.ts";
import {
  nodeKey,
  type Execution,
  type MovedNode,
  type NodeState,
  type Target,
  type Undo,
  undoKey,
  type WorkflowCommands,
  type WorkflowEvents,
} from "./execution.ts";
import type { Request } from "../kernel.ts";
import type { LimitsState } from "../limits/fold.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import { nodesOf } from "./nodes.ts";
import { pinsOf } from "./pins.ts";
import type { Graph, PlannedNode } from "./graph.ts";
import { initialValues } from "./variables.ts";
import { movedUndo } from "./undoing.ts";
import { readiness } from "./tokens.ts";

/** What a migration would do, node by node. */
export interface MigrationPreview {
  readonly execution: string;
  readonly from: string;
  readonly to: string;
  /** They have ended, and stay so. */
  readonly kept: readonly string[];
  /** They run, and go on. */
  readonly running: readonly string[];
  /** They have run, and would run again. */
  readonly again: readonly string[];
  /** They have run, and the new version doesn't come to them. */
  readonly dropped: readonly string[];
  /** Why it can't be done, by node, or variable. */
  readonly blocks: readonly { readonly node: string; readonly reason: string }[];
}

/** What becomes of the nodes. */
interface Course extends Omit<MigrationPreview, "execution" | "from" | "to"> {
  readonly nodes: readonly NodeState[];
}

/** @throws RuntimeError `execution/unknown`, `workflow/unknown`, `command/invalid` for a run within a run */
export function previewMigration(
  lookups: Lookups,
  state: WorkflowsState,
  { id, version }: WorkflowCommands["execution.migrate"],
): MigrationPreview {
  const run = runOf(state, id);
  const { nodes: _, ...course } = courseOf(lookups, state, run, {
    graph: graphOf(lookups, state, run, version),
    version,
  });
  return { execution: id, from: run.version, to: version, ...course };
}

/** @throws RuntimeError the same, and `execution/blocked` with what blocks it */
export function migrate(
  lookups: Lookups,
  state: WorkflowsState,
  limits: LimitsState,
  { id, version }: WorkflowCommands["execution.migrate"],
): WorkflowFact[] {
  const run = runOf(state, id);
  if (run.version === version) return [];
  const graph = graphOf(lookups, state, run, version);
  const { nodes: reached, blocks } = courseOf(lookups, state, run, { graph, version });
  if (blocks.length > 0) {
    const [{ node, reason } = { node: "", reason: "" }] = blocks;
    throw new RuntimeError(
      "execution/blocked",
      { id, version, blocks: blocks.slice(0, 20) },
      { message: `the run can't go on with the version: ${node}: ${reason}` },
    );
  }
  // What the run names was settled when it began, and stays so.
  const pins = { ...pinsOf(lookups, state, limits, { workflow: run.workflow, version }), ...run.pins };
  const total = graph.nodes.size;
  const named = Object.keys(pins).length > 0 ? { pins } : {};
  const nodes = reached.map(({ node, kind, status, live, dead, inlets, round }): MovedNode => {
    const more = { ...(inlets && { inlets }), ...(round !== undefined && { round }) };
    return { node, kind, status, live, dead, ...more };
  });
  const had = state.variables.get(id)?.values ?? {};
  const begun = Object.entries(initialValues(graph.declared) ?? {}).filter(([name]) => !Object.hasOwn(had, name));
  const variables = begun.length > 0 ? { variables: Object.fromEntries(begun) } : {};
  const settle = nodes.filter(({ status }) => status === "pending").map(({ node }) => node);
  return [
    {
      type: "execution.migrated",
      data: { id, from: run.version, version, total, nodes, settle, ...named, ...variables },
    },
  ];
}

export function afterMigration({ id, settle }: WorkflowEvents["execution.migrated"]): Request[] {
  return [
    ...settle.map((node) => ({ type: "node.settle", data: { execution: id, node } })),
    { type: "execution.settle", data: { id } },
  ];
}

function runOf(state: WorkflowsState, id: string): Execution {
  const run = state.executions.get(id);
  if (!run) throw new RuntimeError("execution/unknown", { id });
  if (run.status === "compensating") throw new RuntimeError("execution/blocked", { id, status: run.status });
  if (run.parent) throw new RuntimeError("command/invalid", { id, reason: "only an outermost run can be migrated" });
  return run;
}

function graphOf({ planOf }: Lookups, state: WorkflowsState, { workflow }: Execution, version: string): Graph {
  if (!state.versions.has(`${workflow}@${version}`)) throw new RuntimeError("workflow/unknown", { workflow, version });
  return planOf(state, workflow, version);
}

function courseOf(
  lookups: Lookups,
  state: WorkflowsState,
  run: Execution,
  { graph, version }: { readonly graph: Graph; readonly version: string },
): Course {
  const before = new Map(nodesOf(state, run).map((node) => [node.node, node]));
  const { nodes, variables } = lookups.planOf(state, run.workflow, run.version);
  const walk = createWalk(lookups, state, { run, graph, before, planned: nodes });
  for (const planned of inOrder(graph)) walk.visit(planned);
  for (const [name, { type, merge }] of graph.variables) {
    const old = variables.get(name);
    if (old && (old.type !== type || old.merge !== merge))
      walk.block(name, "the variable has another type or rule in the new version");
  }
  for (let undo = 0; undo < (run.undos ?? 0); undo++) {
    const entry = state.undos.get(undoKey(run.id, undo));
    const moved = entry && movedUndo(entry, run, version);
    if (!entry || !moved || canUndo(lookups, state, moved)) continue;
    walk.block(entry.at.node, "it can be undone, and the new version doesn't say how");
  }
  for (const [node, { status, handled }] of before) {
    if (graph.nodes.has(node)) continue;
    if (status === "running") walk.block(node, "it runs, and the new version doesn't have it");
    else if (status === "completed" || handled) walk.course.dropped.push(node);
  }
  return { ...walk.course, nodes: [...walk.reached.values()] };
}

function canUndo({ planOf }: Lookups, state: WorkflowsState, { workflow, version, at }: Undo): boolean {
  try {
    const node = planOf(state, workflow, version).nodes.get(at.node)?.node;
    return node?.type === "task" && node.compensate !== undefined;
  } catch {
    return false; // the body that it stood in is gone
  }
}

interface Walk {
  readonly course: Record<"kept" | "running" | "again" | "dropped", string[]> & {
    readonly blocks: { readonly node: string; readonly reason: string }[];
  };
  readonly reached: Map<string, NodeState>;
  block(node: string, reason: string): void;
  visit(planned: PlannedNode): void;
}

interface Moving {
  readonly run: Execution;
  readonly graph: Graph;
  readonly before: ReadonlyMap<string, NodeState>;
  /** The nodes as its own version has them. */
  readonly planned: Graph["nodes"];
}

function createWalk(lookups: Lookups, state: WorkflowsState, { run, graph, before, planned: own }: Moving): Walk {
  const course: Walk["course"] = { kept: [], running: [], again: [], dropped: [], blocks: [] };
  const reached: Walk["reached"] = new Map();
  const block: Walk["block"] = (node, reason) => course.blocks.push({ node, reason });
  const leave = createTokens(run.id, reached);
  /** Sends its token on in the new graph. */
  const leaveCompleted = (planned: PlannedNode, output: string | undefined): void => {
    const { id } = planned.node;
    try {
      const taken = choose(lookups, state, run, planned, { at: id, ending: { node: id, output: () => output } });
      leave(id, taken, othersOf(planned.outs, taken));
    } catch (error) {
      block(id, `its conditions can't be asked again: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  /** Its tasks have other ids then than those that have run. */
  const again = ({ node, round = 1 }: NodeState, known: NodeState): void => {
    course.again.push(node);
    reached.set(node, { ...known, round: round + 1 });
  };
  const visit: Walk["visit"] = (planned) => {
    const { id, type } = planned.node;
    const old = before.get(id);
    const isRoot = planned.inlets === 0;
    const known = reached.get(id) ?? (isRoot ? fresh(run.id, id, type) : undefined);
    const why = old?.status === "running" ? obstacleOf(planned, old, own.get(id)) : undefined;
    if (why) block(id, why);
    if (old?.handled) block(id, "its failure was handled, which can't be done over");
    if (!known) {
      if (old?.status === "running") block(id, "it runs, and nothing that has ended leads to it in the new version");
      else if (old?.status === "completed") again(old, fresh(run.id, id, type));
      return;
    }
    const ready = readiness(lookups, state, { run, graph, reached: known, planned });
    const { live, dead, inlets } = known;
    const carried = old?.kind === type ? { ...old, live, dead, ...(inlets && { inlets }) } : undefined;
    reached.set(id, known);
    if (ready === "skip") {
      if (old?.status === "running") block(id, "it runs, and the new version skips it");
      if (old?.status === "completed") course.dropped.push(id);
      const skipped = old?.status === "skipped" && carried ? carried : { ...known, status: "skipped" as const };
      reached.set(id, skipped);
      leave(id, [], targetsOf(planned.outs));
    } else if (ready === "wait") {
      if (old?.status === "running") block(id, "it runs, and what comes before it in the new version hasn't ended");
      if (old?.status === "completed") again(old, known);
    } else if (old?.status === "running" && carried) {
      course.running.push(id);
      reached.set(id, carried);
    } else if (old?.status === "completed" && carried) {
      course.kept.push(id);
      reached.set(id, carried);
      leaveCompleted(planned, old.output);
    } else if (old?.status === "completed") again(old, known);
  };
  return { course, reached, block, visit };
}

/** Moves tokens in the new graph: along taken edges and dead ones. */
function createTokens(
  execution: string,
  reached: Map<string, NodeState>,
): (from: string, taken: readonly Target[], dead: readonly Target[]) => void {
  const arrive = (from: string, [node, kind, traced]: Target, isLive: boolean): void => {
    const known = reached.get(node) ?? fresh(execution, node, kind);
    const inlets = traced && { inlets: { ...known.inlets, [from]: isLive || known.inlets?.[from] === true } };
    const live = known.live + Number(isLive);
    reached.set(node, { ...known, live, dead: known.dead + Number(!isLive), ...inlets });
  };
  return (from, taken, dead) => {
    for (const target of taken) arrive(from, target, true);
    for (const target of dead) arrive(from, target, false);
  };
}

function fresh(execution: string, node: string, kind: NodeState["kind"]): NodeState {
  return { id: nodeKey(execution, node), execution, node, kind, status: "pending", live: 0, dead: 0 };
}

/**
 * Why a node that runs can't go on as the new version has it. Items and iterations that have begun go on as they are, later
 * ones are as the new version says; but which items there are, and how they are named, must stay.
 */
function obstacleOf(
  { node, expressions }: PlannedNode,
  { kind, begun = 0 }: NodeState,
  own: PlannedNode | undefined,
): string | undefined {
  if (node.type !== kind) return `it runs, and its type is '${node.type}' in the new version`;
  if (kind !== "map" || begun === 0) return undefined;
  const other = ["items", "key"].find((field) => expressions[field]?.source !== own?.expressions[field]?.source);
  return other && `it is a map whose items have begun, and its '${other}' is another in the new version`;
}

/** Every node comes after those that lead to it. */
function inOrder({ nodes }: Graph): PlannedNode[] {
  const open = new Map([...nodes].map(([id, { inlets }]) => [id, inlets]));
  const order = [...nodes.values()].filter(({ inlets }) => inlets === 0);
  for (const { outs } of order)
    for (const { target } of outs) {
      const left = (open.get(target[0]) ?? 0) - 1;
      open.set(target[0], left);
      const next = nodes.get(target[0]);
      if (left === 0 && next) order.push(next);
    }
  return order;
}
