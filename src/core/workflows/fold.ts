import type { ErrorData } from "../errors.ts";
import type { FinishedSink, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { nodesOf } from "./nodes.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { MessageEvents } from "../messages/message.ts";
import type { TimerEvents } from "../timers/timer.ts";
import type { TaskEvents, TaskParent } from "../tasks/task.ts";
import {
  itemKey,
  KEPT_VERSIONS,
  nodeKey,
  type ActiveVersion,
  type Execution,
  type ItemState,
  type NodeState,
  type Target,
  type WorkflowEvents,
  type WorkflowVersion,
} from "./execution.ts";

export interface WorkflowsState {
  /** All versions, by `workflow@version`. */
  readonly versions: Table<WorkflowVersion>;
  /** The version that new runs get, by workflow. */
  readonly active: Table<ActiveVersion>;
  readonly executions: Table<Execution>;
  readonly nodes: Table<NodeState>;
  readonly items: Table<ItemState>;
  readonly finished: FinishedSink<Execution>;
}

export const workflowsFold: Fold<WorkflowsState, WorkflowEvents & TaskEvents & TimerEvents & MessageEvents> = {
  create: (kit) => ({
    versions: kit.table(),
    active: kit.table(),
    executions: kit.table(),
    nodes: kit.table(),
    items: kit.table(),
    finished: kit.finished<Execution>("execution"),
  }),
  apply: {
    "workflow.registered": (state, data, at) => {
      const { workflow, version } = data;
      const id = `${workflow}@${version}`;
      const runs = state.versions.get(id)?.runs ?? 0;
      state.versions.set(id, { ...copyJson(data), id, registeredAt: at, runs });
      const { version: before = version, kept = [before], withdrawn } = state.active.get(workflow) ?? {};
      const all = [...kept.filter((one) => one !== version), version];
      activate(state, { id: workflow, version, kept: all.slice(-KEPT_VERSIONS), ...(withdrawn && { withdrawn }) });
      for (const old of new Set([before, ...all.slice(0, -KEPT_VERSIONS)]))
        countRuns(state, { workflow, version: old }, 0);
    },
    "workflow.activated": (state, { workflow, version, withdrawn }) => {
      const { version: before = version, kept = [before] } = state.active.get(workflow) ?? {};
      activate(state, { id: workflow, version, kept, ...(withdrawn.length > 0 && { withdrawn: [...withdrawn] }) });
      countRuns(state, { workflow, version: before }, 0);
    },
    "execution.migrated": (state, { id, version, total, nodes, pins }, at) => {
      const run = state.executions.get(id);
      if (!run) return;
      const before = new Map(nodesOf(state, run).map((node) => [node.node, node]));
      for (const { id: key } of before.values()) state.nodes.delete(key);
      for (const moved of nodes) {
        const key = nodeKey(id, moved.node);
        const old = before.get(moved.node);
        const kept = old?.status === moved.status && moved.status !== "pending" ? old : { id: key, execution: id };
        const ended = moved.status === "skipped" && kept !== old ? { finishedAt: at } : {};
        state.nodes.set(key, { ...kept, ...copyJson(moved), ...ended });
      }
      const resolved = nodes.filter(({ status }) => status === "completed" || status === "skipped").length;
      const next = { ...run, version, total, resolved, ...(pins && { pins: copyJson(pins) }) };
      state.executions.set(id, next);
      countRuns(state, next, 1);
      countRuns(state, run, -1);
    },
    "execution.started": (state, { roots, ...data }, at) => {
      state.executions.set(data.id, { ...copyJson(data), status: "running", resolved: 0, startedAt: at });
      for (const root of roots) arrive(state, data.id, root, { live: true });
      countRuns(state, data, 1);
    },
    "node.started": ({ nodes }, { execution, node, total }, at) => {
      const key = nodeKey(execution, node);
      const state = nodes.get(key);
      if (!state) return;
      const running = { ...state, status: "running", startedAt: at } as const;
      nodes.set(key, total === undefined ? running : { ...running, total, begun: 0, done: 0, failed: 0 });
    },
    "loop.turned": ({ nodes }, { execution, node, index }) => {
      change(nodes, nodeKey(execution, node), { begun: index + 1 });
    },
    "map.filled": ({ nodes }, { execution, node, to }) => {
      change(nodes, nodeKey(execution, node), { begun: to });
    },
    "node.completed": (state, { execution, node, output, taken, dead, replaced }, at) => {
      const key = nodeKey(execution, node);
      const reached = state.nodes.get(key);
      if (!reached) return;
      const made = takeOutput(state, reached);
      const done = { ...reached, status: "completed", finishedAt: at, output: output ?? made } as const;
      if (replaced) state.nodes.set(key, { ...done, error: copyJson(replaced) });
      else state.nodes.set(key, reached.kind === "parallel" ? { ...done, branches: taken.length } : done);
      leave(state, reached, taken, dead, reached.cause);
    },
    "node.skipped": (state, { execution, node, dead }, at) => {
      const key = nodeKey(execution, node);
      const reached = state.nodes.get(key);
      if (!reached) return;
      state.nodes.set(key, { ...reached, status: "skipped", finishedAt: at });
      leave(state, reached, [], dead);
    },
    "node.retried": (state, { execution, node, error, round, total }) => {
      const key = nodeKey(execution, node);
      const reached = state.nodes.get(key);
      if (!reached) return;
      takeOutput(state, reached);
      const { output: _, ...again } = { ...reached, ...(total !== undefined && { total }) };
      state.nodes.set(key, { ...again, error: copyJson(error), round, begun: 0, done: 0, failed: 0 });
    },
    "node.failed": (state, { execution, node, error, taken, dead = [], branch }, at) => {
      const key = nodeKey(execution, node);
      const reached = state.nodes.get(key);
      if (!reached) return;
      const failed = { ...reached, status: "failed", error: copyJson(error), finishedAt: at } as const;
      state.nodes.set(key, taken ? { ...failed, handled: true, output: takeOutput(state, reached) } : failed);
      if (taken) leave(state, reached, taken, dead, node);
      if (branch) loseBranch(state, nodeKey(execution, branch.parallel), branch.index);
    },
    "execution.completed": (state, { id, output, parent }, at) => {
      finish(state, id, { status: "completed", output }, at);
      if (parent) workDone(state, parent, { output });
    },
    "execution.failed": (state, { id, error, parent }, at) => {
      finish(state, id, { status: "failed", error: copyJson(error) }, at);
      if (parent) workDone(state, parent, { error: copyJson(error) });
    },
    "execution.cancelled": (state, { id, reason, parent }, at) => {
      finish(state, id, { status: "cancelled" }, at);
      if (parent) workDone(state, parent, { error: cancelled("execution/cancelled", reason) });
    },
    "timer.set": ({ nodes }, { dueAt, parent }) => {
      if (parent) change(nodes, nodeKey(parent.execution, parent.node), { dueAt });
    },
    "wait.opened": ({ nodes }, { key, expiresAt: dueAt, parent }) => {
      if (parent) change(nodes, nodeKey(parent.execution, parent.node), dueAt === undefined ? { key } : { key, dueAt });
    },
    "task.completed": (state, { output, parent }) => {
      if (parent) workDone(state, parent, { output });
    },
    "task.failed": (state, { error, retryAt, parent }) => {
      if (parent && retryAt === undefined) workDone(state, parent, { error: copyJson(error) });
    },
    "task.cancelled": (state, { reason, parent }) => {
      if (parent) workDone(state, parent, { error: cancelled("task/cancelled", reason) });
    },
  },
  save: ({ versions, active, executions, nodes, items }) => ({
    versions: saveTable(versions),
    active: saveTable(active),
    executions: saveTable(executions),
    nodes: saveTable(nodes),
    items: saveTable(items),
  }),
  restore(state, saved) {
    const tables = saved as Record<string, never[]>;
    restoreTable(state.versions, tables["versions"] ?? []);
    restoreTable(state.active, tables["active"] ?? []);
    restoreTable(state.executions, tables["executions"] ?? []);
    restoreTable(state.nodes, tables["nodes"] ?? []);
    restoreTable(state.items, tables["items"] ?? []);
  },
};

interface Arrival {
  /** A live token came, or word that none will. */
  readonly live: boolean;
  readonly from?: string;
  readonly cause?: string | undefined;
}

/** An inlet of the node is resolved. */
function arrive(
  { nodes }: WorkflowsState,
  execution: string,
  [node, kind, traced]: Target,
  { live: isLive, from, cause }: Arrival,
): void {
  const id = nodeKey(execution, node);
  const state = nodes.get(id) ?? ({ id, execution, node, kind, status: "pending", live: 0, dead: 0 } as const);
  const live = state.live + Number(isLive);
  const dead = state.dead + Number(!isLive);
  let next: NodeState = { ...state, live, dead };
  if (cause !== undefined) next = { ...next, cause };
  if (traced && from !== undefined)
    next = { ...next, inlets: { ...state.inlets, [from]: isLive || state.inlets?.[from] === true } };
  nodes.set(id, next);
}

/** The node is done with, and its edges are resolved. */
function leave(
  state: WorkflowsState,
  { execution, node }: NodeState,
  taken: readonly Target[],
  dead: readonly Target[],
  cause?: string,
): void {
  for (const target of taken) arrive(state, execution, target, { live: true, from: node, cause });
  for (const target of dead) arrive(state, execution, target, { live: false, from: node });
  const run = state.executions.get(execution);
  if (run) state.executions.set(execution, { ...run, resolved: run.resolved + 1 });
}

function loseBranch({ nodes }: WorkflowsState, parallel: string, index: number): void {
  const { lost = [] } = nodes.get(parallel) ?? {};
  if (!lost.includes(index)) change(nodes, parallel, { lost: [...lost, index] });
}

/** A task or run of the node came to its end: the node's own, or that of one item or iteration. */
function workDone(
  { nodes, items }: WorkflowsState,
  { execution, node, index, round, key: known }: TaskParent,
  result: { readonly output?: string; readonly error?: ErrorData },
): void {
  const key = nodeKey(execution, node);
  const state = nodes.get(key);
  if (state?.status !== "running" || state.round !== round) return; // the node has ended meanwhile
  const { done = 0, failed = 0 } = state;
  if (index === undefined) nodes.set(key, { ...state, ...result });
  else if (state.kind === "loop") nodes.set(key, { ...state, output: result.output ?? state.output, done: done + 1 });
  else {
    const id = itemKey(execution, node, index);
    items.set(id, { id, ...(known !== undefined && { key: known }), ...result });
    nodes.set(key, { ...state, done: done + 1, failed: failed + (result.error ? 1 : 0) });
  }
}

/** The output of a map: the items' outputs in order; a failed one shows its error in its place, one that isn't done null. */
export function joinItems(items: Table<ItemState>, execution: string, node: string, total: number): string {
  const outputs: string[] = [];
  for (let index = 0; index < total; index++) {
    const item = items.get(itemKey(execution, node, index));
    outputs.push(item?.output ?? (item ? failedItem(item.error) : "null"));
  }
  return `[${outputs.join(",")}]`;
}

/** What a node has put out so far; of a map its items, which are gone then. */
function takeOutput(
  { items }: WorkflowsState,
  { execution, node, total, begun = 0, output }: NodeState,
): string | undefined {
  if (total === undefined) return output;
  const made = joinItems(items, execution, node, total);
  for (let index = 0; index < begun; index++) items.delete(itemKey(execution, node, index));
  return made;
}

/** What stands in the place of what was cancelled. */
export function cancelled(code: "task/cancelled" | "execution/cancelled", reason: string): ErrorData {
  return { name: "RuntimeError", message: reason, code, retryable: false };
}

function failedItem(error: ErrorData | undefined): string {
  return JSON.stringify({ error: { code: error?.code ?? "unknown", message: error?.message ?? "" } });
}

function change(nodes: Table<NodeState>, key: string, changes: Partial<NodeState>): void {
  const state = nodes.get(key);
  if (state) nodes.set(key, { ...state, ...changes });
}

/** Kinds of nodes whose output stands in the rows of their tasks and runs. */
const ELSEWHERE: ReadonlySet<NodeState["kind"]> = new Set(["task", "map", "loop", "subworkflow"]);

/** The run leaves the live state, with how each node ended; what tasks put out stands in their own rows. */
function finish(
  state: WorkflowsState,
  id: string,
  changes: Partial<Execution> & Pick<Execution, "status">,
  at: number,
): void {
  const execution = state.executions.get(id);
  if (!execution) return;
  const nodes: NodeState[] = [];
  for (const node of nodesOf(state, execution)) {
    const own =
      ELSEWHERE.has(node.kind) && !(node.status === "completed" && node.error) ? { ...node, output: undefined } : node;
    nodes.push(own);
    state.nodes.delete(node.id);
    for (let index = 0; index < (node.begun ?? 0); index++) state.items.delete(itemKey(id, node.node, index));
  }
  state.executions.delete(id);
  countRuns(state, execution, -1);
  state.finished.add(id, { ...execution, ...changes, nodes, finishedAt: at }, at);
}

function activate({ active }: WorkflowsState, { id, version, kept, withdrawn }: ActiveVersion): void {
  active.set(id, { id, version, kept, ...(withdrawn && { withdrawn }) });
}

/** Keeps count of the runs of a version and of those that it pins; one that isn't kept is gone with its last run. */
function countRuns(
  { versions, active }: WorkflowsState,
  { workflow, version, pins = {} }: Pick<Execution, "workflow" | "version" | "pins">,
  more: -1 | 0 | 1,
): void {
  const count = (name: string, digest: string): void => {
    const key = `${name}@${digest}`;
    const known = versions.get(key);
    if (!known) return;
    const runs = known.runs + more;
    const { version: current, kept } = active.get(name) ?? {};
    if (runs > 0 || current === digest || kept?.includes(digest)) versions.set(key, { ...known, runs });
    else versions.delete(key);
  };
  count(workflow, baseOf(version));
  for (const [reference, digest] of Object.entries(pins)) count(reference.split("@", 1)[0] ?? "", digest);
}

/** The version whose definition holds the body. */
function baseOf(version: string): string {
  return version.split("#", 1)[0] ?? version;
}
