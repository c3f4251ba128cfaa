import type { ErrorData } from "../errors.ts";
import type { FinishedSink, Fold, Table } from "../kernel.ts";
import { copyJson, type JsonText } from "../json.ts";
import { movedNodes, nodesOf } from "./nodes.ts";
import { activated, countRuns, registered, type Registry } from "./registry.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { MessageEvents } from "../messages/message.ts";
import type { TimerEvents } from "../timers/timer.ts";
import type { TaskEvents, TaskParent } from "../tasks/task.ts";
import {
  itemKey,
  nodeKey,
  type Execution,
  type ItemState,
  type NodeState,
  type Target,
  type Undo,
  type VariablesState,
  type WorkflowEvents,
} from "./execution.ts";
import { appended, refused, turned } from "./appending.ts";
import { addUndo, beginUndoing, endingOf, handUp, turnUndo, undone, moveUndos } from "./undoing.ts";
import { noting } from "./moves.ts";
import { assign, takeVariables } from "./values.ts";

export interface WorkflowsState extends Registry {
  readonly executions: Table<Execution>;
  readonly nodes: Table<NodeState>;
  readonly items: Table<ItemState>;
  /** What runs take over from earlier ones, by run. */
  readonly recorded: Table<{ readonly id: string; readonly outputs: Readonly<Record<string, JsonText>> }>;
  /** What can be undone, by run and number. */
  readonly undos: Table<Undo>;
  /** By run. */
  readonly variables: Table<VariablesState>;
  /** The elements that were added to lists, by place and in unions by what they are. */
  readonly entries: Table<{ readonly id: string; readonly value?: JsonText }>;
  readonly finished: FinishedSink<Execution>;
  /** By outermost run: when something of it last happened. */
  readonly moves: Table<{ readonly id: string; readonly at: number }>;
  /** Nodes that have begun since the journal began. */
  starts: number;
}

type Heard = WorkflowEvents & TaskEvents & TimerEvents & MessageEvents;
type Apply = Omit<Fold<WorkflowsState, Heard>["apply"], "execution.stalled">;

export const workflowsFold: Fold<WorkflowsState, Heard> = {
  create: (kit) => ({
    versions: kit.table(),
    active: kit.table(),
    executions: kit.table(),
    nodes: kit.table(),
    items: kit.table(),
    recorded: kit.table(),
    undos: kit.table(),
    variables: kit.table(),
    entries: kit.table(),
    finished: kit.finished<Execution>("execution"),
    moves: kit.table(),
    starts: 0,
  }),
  apply: {
    "execution.stalled": ({ executions }, { id, since, cause }) => {
      const run = executions.get(id);
      if (run) executions.set(id, { ...run, stalled: { since, cause: copyJson(cause) } });
    },
    ...noting<WorkflowsState, Apply>({
      "workflow.registered": registered,
      "workflow.activated": activated,
      "execution.migrated": (state, { id, version, total, nodes, pins, variables }, at) => {
        const run = state.executions.get(id);
        if (!run) return;
        const before = nodesOf(state, run);
        for (const { id: key } of before) state.nodes.delete(key);
        for (const node of movedNodes(id, before, nodes, at)) state.nodes.set(node.id, node);
        const resolved = nodes.filter(({ status }) => status === "completed" || status === "skipped").length;
        const next = { ...run, version, total, resolved, ...(pins && { pins: copyJson(pins) }) };
        state.executions.set(id, next);
        const { values, counts = {} } = state.variables.get(id) ?? {};
        if (variables) state.variables.set(id, { id, values: { ...values, ...variables }, counts });
        moveUndos(state, run, version);
        countRuns(state, next, 1);
        countRuns(state, run, -1);
      },
      "execution.started": (state, { roots, variables, recorded, ...data }, at) => {
        if (recorded) state.recorded.set(data.id, { id: data.id, outputs: { ...recorded } });
        if (variables) state.variables.set(data.id, { id: data.id, values: { ...variables }, counts: {} });
        state.executions.set(data.id, { ...copyJson(data), status: "running", resolved: 0, startedAt: at });
        for (const root of roots) arrive(state, data.id, root, { live: true });
        countRuns(state, data, 1);
      },
      "node.started": (all, { execution, node, total, recalled }, at) => {
        const { nodes, recorded } = all;
        const key = nodeKey(execution, node);
        const state = nodes.get(key);
        if (!state) return;
        const running = { ...state, status: "running", startedAt: at, order: ++all.starts } as const;
        const output = recalled && recorded.get(execution)?.outputs[node];
        if (recalled) nodes.set(key, { ...running, recalled, output });
        else nodes.set(key, total === undefined ? running : { ...running, total, begun: 0, done: 0, failed: 0 });
      },
      "item.recalled": (state, parent) => {
        const output = state.recorded.get(parent.execution)?.outputs[`${parent.node}/${String(parent.index)}`];
        workDone(state, parent, { output: output ?? "null" });
      },
      "loop.turned": ({ nodes }, { execution, node, index }) => {
        change(nodes, nodeKey(execution, node), { begun: index + 1 });
      },
      "graph.appended": appended,
      "graph.refused": refused,
      "map.filled": ({ nodes }, { execution, node, to }) => {
        change(nodes, nodeKey(execution, node), { begun: to });
      },
      "node.completed": (state, { execution, node, output, taken, dead, replaced, undo, set = [] }, at) => {
        const key = nodeKey(execution, node);
        const reached = state.nodes.get(key);
        if (!reached) return;
        const made = takeOutput(state, reached);
        const done = { ...reached, status: "completed", finishedAt: at, output: output ?? made } as const;
        if (replaced) state.nodes.set(key, { ...done, error: copyJson(replaced) });
        else state.nodes.set(key, reached.kind === "parallel" ? { ...done, branches: taken.length } : done);
        if (undo) addUndo(state, reached, undo.input ?? done.output ?? "null");
        for (const one of set) assign(state, one);
        leave(state, reached, taken, dead, reached.cause);
      },
      "node.skipped": (state, { execution, node, dead }, at) => {
        const key = nodeKey(execution, node);
        const reached = state.nodes.get(key);
        if (!reached) return;
        state.nodes.set(key, { ...reached, status: "skipped", finishedAt: at });
        leave(state, reached, [], dead);
      },
      "node.retried": (state, { execution, node, error, round, total, delay }) => {
        const key = nodeKey(execution, node);
        const reached = state.nodes.get(key);
        if (!reached) return;
        takeOutput(state, reached);
        const {
          output: _,
          recalled: __,
          plan: ___,
          graph: ____,
          refused: _____,
          ...again
        } = { ...reached, ...(total !== undefined && { total }) };
        const anew = { ...again, error: copyJson(error), round, begun: 0, done: 0, failed: 0 };
        state.nodes.set(key, delay === undefined ? anew : { ...anew, delayed: true });
      },
      "node.restarted": ({ nodes }, { execution, node, total }) => {
        const { delayed: _, dueAt: __, ...reached } = nodes.get(nodeKey(execution, node)) ?? {};
        if ("id" in reached) nodes.set(reached.id, total === undefined ? reached : { ...reached, total });
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
      "execution.moved": () => undefined, // it is noted, as of every event
      "execution.paused": ({ executions }, { id }) => {
        const run = executions.get(id);
        if (run) executions.set(id, { ...run, status: "paused" });
      },
      "execution.resumed": ({ executions }, { id }) => {
        const run = executions.get(id);
        if (run) executions.set(id, { ...run, status: "running" });
      },
      "execution.compensating": (state, { id, error, reason }) => {
        beginUndoing(state, id, error ? { error: copyJson(error) } : { reason });
      },
      "compensation.started": (state, { id, undo }) => {
        turnUndo(state, id, undo);
      },
      "compensation.ended": (state, { id, undo, error }) => {
        undone(state, id, undo, error !== undefined);
      },
      "execution.completed": (state, { id, output, parent }, at) => {
        finish(state, id, { status: "completed", output }, at);
        if (parent) workDone(state, parent, { output });
      },
      "execution.failed": (state, { id, error, parent }, at) => {
        finish(state, id, { status: endingOf(state, id, "failed"), error: copyJson(error) }, at);
        if (parent) workDone(state, parent, { error: copyJson(error) });
      },
      "execution.cancelled": (state, { id, reason, parent }, at) => {
        finish(state, id, { status: endingOf(state, id, "cancelled") }, at);
        if (parent) workDone(state, parent, { error: cancelled("execution/cancelled", reason) });
      },
      "timer.set": ({ nodes }, { dueAt, parent }) => {
        if (parent) change(nodes, nodeKey(parent.execution, parent.node), { dueAt });
      },
      "timer.held": ({ nodes }, { parent }) => {
        const key = parent && nodeKey(parent.execution, parent.node);
        const { dueAt: _, ...held } = (key !== undefined && nodes.get(key)) || {};
        if (key !== undefined && "id" in held) nodes.set(key, held);
      },
      "timer.released": ({ nodes }, { dueAt, parent }) => {
        if (parent) change(nodes, nodeKey(parent.execution, parent.node), { dueAt });
      },
      "wait.opened": ({ nodes }, { key, expiresAt: dueAt, parent }) => {
        if (parent)
          change(nodes, nodeKey(parent.execution, parent.node), dueAt === undefined ? { key } : { key, dueAt });
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
    }),
  },
  save: ({ moves, versions, active, executions, nodes, items, recorded, undos, variables, entries, starts }) => ({
    starts,
    moves: saveTable(moves),
    undos: saveTable(undos),
    recorded: saveTable(recorded),
    variables: saveTable(variables),
    entries: saveTable(entries),
    versions: saveTable(versions),
    active: saveTable(active),
    executions: saveTable(executions),
    nodes: saveTable(nodes),
    items: saveTable(items),
  }),
  restore(state, saved) {
    const tables = saved as Record<string, never[]>;
    state.starts = (saved as { readonly starts?: number }).starts ?? 0;
    restoreTable(state.versions, tables["versions"] ?? []);
    restoreTable(state.active, tables["active"] ?? []);
    restoreTable(state.executions, tables["executions"] ?? []);
    restoreTable(state.nodes, tables["nodes"] ?? []);
    restoreTable(state.items, tables["items"] ?? []);
    restoreTable(state.recorded, tables["recorded"] ?? []);
    restoreTable(state.undos, tables["undos"] ?? []);
    restoreTable(state.variables, tables["variables"] ?? []);
    restoreTable(state.entries, tables["entries"] ?? []);
    restoreTable(state.moves, tables["moves"] ?? []);
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
  { execution, node, index, round, undo, key: known }: TaskParent,
  result: { readonly output?: string; readonly error?: ErrorData },
): void {
  const key = nodeKey(execution, node);
  const state = nodes.get(key);
  if (state?.status !== "running" || state.round !== round || undo !== undefined) return; // the node has ended meanwhile
  const { done = 0, failed = 0 } = state;
  if (index === undefined) nodes.set(key, { ...state, ...result });
  else if (state.kind === "loop") nodes.set(key, { ...state, output: result.output ?? state.output, done: done + 1 });
  else if (state.kind === "dynamic") nodes.set(key, turned(state, result));
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
    const isOwn = node.recalled ?? (node.status === "completed" && node.error !== undefined);
    const own = ELSEWHERE.has(node.kind) && !isOwn ? { ...node, output: undefined } : node;
    nodes.push(own.plan === undefined ? own : { ...own, plan: undefined });
    state.nodes.delete(node.id);
    for (let index = 0; index < (node.begun ?? 0); index++) state.items.delete(itemKey(id, node.node, index));
  }
  state.executions.delete(id);
  handUp(state, execution);
  state.recorded.delete(id);
  countRuns(state, execution, -1);
  state.finished.add(
    id,
    {
      ...execution,
      outcome: undefined,
      stalled: undefined,
      ...changes,
      ...takeVariables(state, id),
      nodes,
      finishedAt: at,
    },
    at,
  );
}
