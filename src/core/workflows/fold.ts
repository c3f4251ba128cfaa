import type { ErrorData } from "../errors.ts";
import type { FinishedSink, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { nodesOf } from "./nodes.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { TaskEvents, TaskParent } from "../tasks/task.ts";
import {
  itemKey,
  nodeKey,
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
  readonly active: Table<{ readonly id: string; readonly version: string }>;
  readonly executions: Table<Execution>;
  readonly nodes: Table<NodeState>;
  readonly items: Table<ItemState>;
  readonly finished: FinishedSink<Execution>;
}

export const workflowsFold: Fold<WorkflowsState, WorkflowEvents & TaskEvents> = {
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
      const before = state.active.get(workflow)?.version ?? version;
      const runs = state.versions.get(id)?.runs ?? 0;
      state.versions.set(id, { ...copyJson(data), id, registeredAt: at, runs });
      state.active.set(workflow, { id: workflow, version });
      countRuns(state, { workflow, version: before }, 0);
    },
    "execution.started": (state, { roots, ...data }, at) => {
      state.executions.set(data.id, { ...data, status: "running", resolved: 0, startedAt: at });
      for (const root of roots) arrive(state, data.id, root, 1, 0);
      countRuns(state, data, 1);
    },
    "node.started": ({ nodes }, { execution, node, total }, at) => {
      const key = nodeKey(execution, node);
      const state = nodes.get(key);
      if (!state) return;
      const running = { ...state, status: "running", startedAt: at } as const;
      nodes.set(key, total === undefined ? running : { ...running, total, begun: 0, done: 0, failed: 0 });
    },
    "map.filled": ({ nodes }, { execution, node, to }) => {
      change(nodes, nodeKey(execution, node), { begun: to });
    },
    "node.completed": (state, { execution, node, output, taken, dead }, at) => {
      const key = nodeKey(execution, node);
      const reached = state.nodes.get(key);
      const total = reached?.total;
      const made = total === undefined ? (output ?? reached?.output) : takeItems(state.items, execution, node, total);
      if (reached) state.nodes.set(key, { ...reached, status: "completed", finishedAt: at, output: made });
      for (const target of taken) arrive(state, execution, target, 1, 0);
      for (const target of dead) arrive(state, execution, target, 0, 1);
      resolve(state, execution);
    },
    "node.skipped": (state, { execution, node, dead }, at) => {
      change(state.nodes, nodeKey(execution, node), { status: "skipped", finishedAt: at });
      for (const target of dead) arrive(state, execution, target, 0, 1);
      resolve(state, execution);
    },
    "node.failed": ({ nodes }, { execution, node, error }, at) => {
      change(nodes, nodeKey(execution, node), { status: "failed", error: copyJson(error), finishedAt: at });
    },
    "execution.completed": (state, { id, output }, at) => {
      finish(state, id, { status: "completed", output }, at);
    },
    "execution.failed": (state, { id, error }, at) => {
      finish(state, id, { status: "failed", error: copyJson(error) }, at);
    },
    "execution.cancelled": (state, { id }, at) => {
      finish(state, id, { status: "cancelled" }, at);
    },
    "task.completed": (state, { output, parent }) => {
      if (parent) workDone(state, parent, { output });
    },
    "task.failed": (state, { error, retryAt, parent }) => {
      if (parent && retryAt === undefined) workDone(state, parent, { error: copyJson(error) });
    },
    "task.cancelled": (state, { reason, parent }) => {
      const error = { name: "RuntimeError", message: reason, code: "task/cancelled" };
      if (parent) workDone(state, parent, { error });
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

/** An inlet of the node is resolved: a live token came, or word that none will. */
function arrive({ nodes }: WorkflowsState, execution: string, [node, kind]: Target, live: number, dead: number): void {
  const id = nodeKey(execution, node);
  const state = nodes.get(id);
  if (state) nodes.set(id, { ...state, live: state.live + live, dead: state.dead + dead });
  else nodes.set(id, { id, execution, node, kind, status: "pending", live, dead });
}

function resolve({ executions }: WorkflowsState, id: string): void {
  const execution = executions.get(id);
  if (execution) executions.set(id, { ...execution, resolved: execution.resolved + 1 });
}

/** A task of the node came to its end: the node's own, or that of one item. */
function workDone(
  { nodes, items }: WorkflowsState,
  { execution, node, index }: TaskParent,
  result: { readonly output?: string; readonly error?: ErrorData },
): void {
  const key = nodeKey(execution, node);
  const state = nodes.get(key);
  if (state?.status !== "running") return; // the run has ended meanwhile
  if (index === undefined) {
    nodes.set(key, { ...state, ...result });
    return;
  }
  const id = itemKey(execution, node, index);
  items.set(id, { id, ...result });
  const failed = (state.failed ?? 0) + (result.error ? 1 : 0);
  nodes.set(key, { ...state, done: (state.done ?? 0) + 1, failed });
}

/** The output of a map: the items' outputs in order; a failed one shows its error in its place. */
export function joinItems(items: Table<ItemState>, execution: string, node: string, total: number): string {
  const outputs: string[] = [];
  for (let index = 0; index < total; index++) {
    const item = items.get(itemKey(execution, node, index));
    outputs.push(item?.output ?? failedItem(item?.error));
  }
  return `[${outputs.join(",")}]`;
}

function takeItems(items: Table<ItemState>, execution: string, node: string, total: number): string {
  const output = joinItems(items, execution, node, total);
  for (let index = 0; index < total; index++) items.delete(itemKey(execution, node, index));
  return output;
}

function failedItem(error: ErrorData | undefined): string {
  return JSON.stringify({ error: { code: error?.code ?? "unknown", message: error?.message ?? "" } });
}

function change(nodes: Table<NodeState>, key: string, changes: Partial<NodeState>): void {
  const state = nodes.get(key);
  if (state) nodes.set(key, { ...state, ...changes });
}

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
    const own = node.kind === "task" || node.kind === "map" ? { ...node, output: undefined } : node;
    nodes.push(own);
    state.nodes.delete(node.id);
    for (let index = 0; index < (node.begun ?? 0); index++) state.items.delete(itemKey(id, node.node, index));
  }
  state.executions.delete(id);
  countRuns(state, execution, -1);
  state.finished.add(id, { ...execution, ...changes, nodes, finishedAt: at }, at);
}

/** Keeps count of a version's runs; one that isn't active is gone with its last run. */
function countRuns(
  { versions, active }: WorkflowsState,
  { workflow, version }: Pick<Execution, "workflow" | "version">,
  more: -1 | 0 | 1,
): void {
  const key = `${workflow}@${version}`;
  const known = versions.get(key);
  if (!known) return;
  const runs = known.runs + more;
  if (runs > 0 || active.get(workflow)?.version === version) versions.set(key, { ...known, runs });
  else versions.delete(key);
}
