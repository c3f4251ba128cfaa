/** The page's mirror: the tables that the host shows, over which pictures are drawn that never change. */
import type { Agent, Load } from "../core/agents/agent.ts";
import type { Approval } from "../core/approvals/approval.ts";
import type { Capability } from "../core/capabilities/capability.ts";
import { decodeJson, type JsonText } from "../core/json.ts";
import type { Limit, LimitState } from "../core/limits/limit.ts";
import type { Change, EncodedPart, End, PicturePart, TableName } from "../core/picture.ts";
import type { Signal } from "../core/protocol.ts";
import { isActive, type Task } from "../core/tasks/task.ts";
import type { Execution, NodeState } from "../core/workflows/execution.ts";
import type { WorkflowVersion } from "../core/workflows/version.ts";
import { nodesOf } from "../core/workflows/nodes.ts";
import type { StoreApi } from "zustand/vanilla";
import { createCowTable, type CowTable } from "./cow-table.ts";
import { createLazyTable, type LazyTable } from "./lazy-table.ts";
import { createMirrorStore } from "./mirror-store.ts";
import type { AgentView, ApprovalView, ExecutionView, LimitView, MirrorState, TaskView } from "./runtime.ts";
import { viewAgent, viewApproval, viewExecution, viewLimit, viewTask } from "./views.ts";

/** Finished tasks and runs that a mirror still shows; older ones are in the archive. */
const RECENT = { task: 2_000, execution: 100 } as const;

export interface MirrorListeners {
  readonly finished: (record: Task | Execution) => void;
  /** Agents that are registered no more. */
  readonly unregistered: (agent: string) => void;
}

export interface Mirror {
  readonly store: StoreApi<MirrorState>;
  /** Begins anew from what a host shows. */
  reset(text: JsonText, seq: number, epoch: number): void;
  /** Takes over what has changed up to a number; parts that it knows already are passed over. */
  advance(parts: readonly EncodedPart[], to: number): void;
  signal(signals: readonly Signal[]): void;
  /** Shows a task or run that the host hasn't accepted yet. */
  expect(task: Task | Execution): void;
  /** It was refused. */
  retract(id: string): void;
  update(changes: Partial<MirrorState>): void;
  isLive(id: string): boolean;
}

/** What the host shows; what views look into later is copied on write. */
interface Tables {
  readonly versions: CowTable<WorkflowVersion>;
  readonly nodes: CowTable<NodeState>;
  readonly tasks: Map<string, Task>;
  readonly executions: Map<string, Execution>;
  readonly approvals: Map<string, Approval>;
  readonly agents: Map<string, Agent>;
  readonly loads: Map<string, Load>;
  readonly limits: Map<string, Limit>;
  readonly uses: CowTable<LimitState>;
  readonly capabilities: CowTable<Capability>;
}

interface Views {
  readonly tasks: LazyTable<TaskView>;
  readonly executions: LazyTable<ExecutionView>;
  readonly approvals: CowTable<ApprovalView>;
  readonly agents: CowTable<AgentView>;
  readonly limits: LazyTable<LimitView>;
  readonly progress: CowTable<{ readonly fraction: number; readonly note?: string }>;
}

interface State {
  readonly listeners: MirrorListeners;
  readonly tables: Tables;
  readonly views: Views;
  /** Finished ones that are still shown, the oldest first. */
  recent: Record<"task" | "execution", string[]>;
}

const createTables = (): Tables => ({
  versions: createCowTable(),
  nodes: createCowTable(),
  tasks: new Map(),
  executions: new Map(),
  approvals: new Map(),
  agents: new Map(),
  loads: new Map(),
  limits: new Map(),
  uses: createCowTable(),
  capabilities: createCowTable(),
});

const createViews = (): Views => ({
  tasks: createLazyTable(),
  executions: createLazyTable(),
  approvals: createCowTable(),
  agents: createCowTable(),
  limits: createLazyTable(),
  progress: createCowTable(),
});

/** The present pictures; a map is the same object as before when nothing in it has changed. */
const pictures = ({ views, tables }: State): Pick<MirrorState, keyof Views | "capabilities"> => ({
  tasks: views.tasks.snapshot(),
  executions: views.executions.snapshot(),
  approvals: views.approvals.snapshot(),
  agents: views.agents.snapshot(),
  limits: views.limits.snapshot(),
  progress: views.progress.snapshot(),
  capabilities: tables.capabilities.snapshot(),
});

export function createMirror(listeners: MirrorListeners): Mirror {
  const tables = createTables();
  const views = createViews();
  const state: State = { listeners, tables, views, recent: { task: [], execution: [] } };
  let seq = 0;
  const { store, publish, publishSoon } = createMirrorStore(
    { status: "connecting", mode: undefined, error: undefined, seq: 0, epoch: 0, ...pictures(state) },
    () => ({ seq, ...pictures(state) }),
  );
  return {
    store,
    reset(text, at, epoch) {
      for (const one of [tables, views]) for (const table of Object.values(one) as { clear(): void }[]) table.clear();
      state.recent = { task: [], execution: [] };
      seq = at;
      takeOver(state, text);
      publish({ epoch, error: undefined });
    },
    advance(parts, to) {
      for (const [at, text] of parts) if (at > seq) takeOver(state, text);
      seq = Math.max(seq, to);
      publish();
    },
    signal(signals) {
      for (const signal of signals) noteProgress(state, signal);
      publish();
    },
    expect(record) {
      if ("workflow" in record) views.executions.set(record.id, () => viewExecution(record, () => [], true));
      else views.tasks.set(record.id, () => viewTask(record, true));
      publishSoon();
    },
    retract(id) {
      if (views.tasks.get(id)?.optimistic) views.tasks.delete(id);
      if (views.executions.get(id)?.optimistic) views.executions.delete(id);
      publish();
    },
    update: publish,
    isLive: (id) => tables.tasks.has(id) || tables.executions.has(id),
  };
}

/** What is drawn anew only once, however much of it has changed. */
interface Touched {
  readonly executions: Set<string>;
  readonly agents: Set<string>;
}

function takeOver(state: State, text: JsonText): void {
  const { ends = [], changes, slots } = decodeJson(text, "picture") as PicturePart;
  for (const one of ends) end(state, one);
  const touched: Touched = { executions: new Set(), agents: new Set() };
  for (const [name, list] of Object.entries(changes) as [TableName, readonly Change[]][]) {
    const table = state.tables[name] as Map<string, object>;
    for (const change of list) {
      const [key] = change;
      const record = changed(table.get(key), change);
      if (name === "nodes")
        touched.executions.add(((record ?? table.get(key)) as NodeState | undefined)?.execution ?? "");
      if (record) table.set(key, record);
      else table.delete(key);
      touch(state, touched, name, key);
    }
  }
  for (const id of touched.executions) showExecution(state, id);
  for (const id of touched.agents) showAgent(state, id);
  showLimits(state, slots);
}

/** The record after a change; undefined when it is gone. */
function changed<T extends object>(before: T | undefined, [, fields, gone = []]: Change): T | undefined {
  if (!fields) return undefined;
  const record = { ...before, ...fields } as T;
  for (const name of gone) Reflect.deleteProperty(record, name);
  return record;
}

function touch({ tables, views }: State, { executions, agents }: Touched, name: TableName, key: string): void {
  if (name === "tasks") {
    const task = tables.tasks.get(key);
    if (task) views.tasks.set(key, () => viewTask(task));
    if (!task || !isActive(task)) views.progress.delete(key);
  } else if (name === "approvals") {
    const approval = tables.approvals.get(key);
    if (approval) views.approvals.set(key, viewApproval(approval));
    else views.approvals.delete(key);
  } else if (name === "executions") executions.add(key);
  else if (name === "agents" || name === "loads") agents.add(key);
}

/** It leaves what lives, and stands among the latest that have ended. */
function end(state: State, [kind, id, fields, gone, nodes]: End): void {
  const { tables, views, recent, listeners } = state;
  const record = changed<Task | Execution>(tables[`${kind}s`].get(id), [id, fields, gone]) as Task & Execution;
  tables[`${kind}s`].delete(id);
  if (kind === "task") {
    views.tasks.set(id, () => viewTask(record));
    views.progress.delete(id);
  } else {
    const ended = nodes.map((node) => endNode(tables.nodes, node));
    views.executions.set(id, () => viewExecution(record, () => ended));
  }
  const ids = recent[kind];
  ids.push(id);
  if (ids.length > 2 * RECENT[kind]) for (const old of ids.splice(0, RECENT[kind])) views[`${kind}s`].delete(old);
  listeners.finished(record);
}

/** What tasks put out stands in their own rows from now on. */
function endNode(nodes: CowTable<NodeState>, change: Change): NodeState {
  const [id] = change;
  const node = changed({ ...nodes.get(id), output: undefined }, change) as NodeState;
  nodes.delete(id);
  return node;
}

function noteProgress({ tables, views }: State, signal: Signal): void {
  if (signal.kind !== "progress") return;
  const { task, attempt, fraction, note } = signal;
  if (tables.tasks.get(task)?.attempt !== attempt) return; // of an attempt that is over
  views.progress.set(task, { fraction, ...(note !== undefined && { note }) });
}

function showExecution({ tables, views }: State, id: string): void {
  const execution = tables.executions.get(id);
  if (!execution) return;
  const now = { versions: tables.versions.snapshot(), nodes: tables.nodes.snapshot() }; // the tables go on
  views.executions.set(id, () => viewExecution(execution, () => nodesOf(now, execution)));
}

function showAgent({ tables, views, listeners }: State, id: string): void {
  const agent = tables.agents.get(id);
  if (agent) views.agents.set(id, viewAgent(tables, agent));
  else {
    views.agents.delete(id);
    listeners.unregistered(id);
  }
}

/** Few are set, and each is drawn only when somebody looks. */
function showLimits({ tables, views }: State, slots: number): void {
  for (const id of views.limits.snapshot().keys()) if (!tables.limits.has(id)) views.limits.delete(id);
  if (tables.limits.size === 0) return;
  const uses = tables.uses.snapshot();
  for (const limit of tables.limits.values()) views.limits.set(limit.id, () => viewLimit(uses, limit, slots));
}
