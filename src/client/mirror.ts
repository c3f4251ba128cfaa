/** The page's mirror: the same folds as the host's, over tables whose snapshots never change. */
import { agentId } from "../core/agents/agent.ts";
import type { Manifest } from "../core/agents/manifest.ts";
import type { FinishedSink, Kit, Table } from "../core/kernel.ts";
import type { Signal } from "../core/protocol.ts";
import {
  applyEvent,
  createState,
  decodeEvents,
  restoreState,
  type CoreEvent,
  type CoreState,
} from "../core/runtime.ts";
import { isActive, type Task } from "../core/tasks/task.ts";
import type { Execution } from "../core/workflows/execution.ts";
import { nodesOf } from "../core/workflows/fold.ts";
import type { StoreApi } from "zustand/vanilla";
import { createCowTable, type CowTable } from "./cow-table.ts";
import { createLazyTable, type LazyTable } from "./lazy-table.ts";
import { createMirrorStore } from "./mirror-store.ts";
import type { AgentView, ApprovalView, ExecutionView, LimitView, MirrorState, TaskView } from "./runtime.ts";
import { viewAgent, viewApproval, viewExecution, viewLimit, viewTask } from "./views.ts";

/** Finished tasks and runs that a mirror still shows; older ones are in the archive. */
const RECENT = { task: 2_000, execution: 100 } as const;

export type Finished =
  { readonly kind: "task"; readonly record: Task } | { readonly kind: "execution"; readonly record: Execution };

export interface Mirror {
  readonly store: StoreApi<MirrorState>;
  /** Begins anew from a host's state. */
  reset(text: string, seq: number, epoch: number): void;
  /** Folds a batch; gives back the events that were new. */
  fold(text: string, from: number, to: number): readonly CoreEvent[];
  signal(signals: readonly Signal[]): void;
  /** Shows a task or run that the host hasn't accepted yet. */
  expect(task: Task | Execution): void;
  /** It was refused. */
  retract(id: string): void;
  update(changes: Partial<MirrorState>): void;
  isLive(id: string): boolean;
}

interface Touched {
  readonly tasks: Set<string>;
  readonly executions: Set<string>;
  readonly approvals: Set<string>;
  readonly agents: Set<string>;
  /** What limits give out may be another number. */
  isLimited: boolean;
}

const untouched = (): Touched => ({
  tasks: new Set(),
  executions: new Set(),
  approvals: new Set(),
  agents: new Set(),
  isLimited: false,
});

interface Views {
  readonly tasks: LazyTable<TaskView>;
  readonly executions: LazyTable<ExecutionView>;
  readonly approvals: CowTable<ApprovalView>;
  readonly agents: CowTable<AgentView>;
  readonly limits: LazyTable<LimitView>;
  readonly progress: CowTable<{ readonly fraction: number; readonly note?: string }>;
}

const createViews = (): Views => ({
  tasks: createLazyTable(),
  executions: createLazyTable(),
  approvals: createCowTable(),
  agents: createCowTable(),
  limits: createLazyTable(),
  progress: createCowTable(),
});

/** The present pictures; a map is the same object as before when nothing in it has changed. */
const pictures = (views: Views, { capabilities }: CoreState): Pick<MirrorState, keyof Views | "capabilities"> => ({
  tasks: views.tasks.snapshot(),
  executions: views.executions.snapshot(),
  approvals: views.approvals.snapshot(),
  agents: views.agents.snapshot(),
  limits: views.limits.snapshot(),
  progress: views.progress.snapshot(),
  capabilities: snapshotOf(capabilities.known),
});

export function createMirror(onFinished: (finished: Finished) => void): Mirror {
  const views = createViews();
  const recent = createRecents(views.tasks, views.executions, onFinished);
  let state = createState(recent.kit);
  let seq = 0;
  const { store, publish, publishSoon } = createMirrorStore(
    { status: "connecting", mode: undefined, error: undefined, seq: 0, epoch: 0, ...pictures(views, state) },
    () => ({ seq, ...pictures(views, state) }),
  );
  return {
    store,
    reset(text, at, epoch) {
      for (const table of Object.values(views)) (table as { clear(): void }).clear();
      state = createState(recent.restart());
      restoreState(state, text);
      seq = at;
      show(views, state, everything(state));
      publish({ epoch, error: undefined });
    },
    fold(text, from, to) {
      if (to <= seq) return [];
      const events = decodeEvents(text).slice(Math.max(0, seq + 1 - from));
      seq = to;
      show(views, state, foldAll(state, events));
      publish();
      return events;
    },
    signal(signals) {
      for (const signal of signals) noteProgress(views, state, signal);
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
    isLive: (id) => state.tasks.tasks.has(id) || state.workflows.executions.has(id),
  };
}

/** Folds events, and notes whose pictures they change. */
function foldAll(state: CoreState, events: readonly CoreEvent[]): Touched {
  const touched = untouched();
  for (const event of events) {
    touch(touched, state, event); // before it is folded: it may take away what it names
    applyEvent(state, event);
  }
  return touched;
}

function noteProgress({ progress }: Views, { tasks }: CoreState, signal: Signal): void {
  if (signal.kind !== "progress") return;
  const { task, attempt, fraction, note } = signal;
  if (tasks.tasks.get(task)?.attempt !== attempt) return; // of an attempt that is over
  progress.set(task, { fraction, ...(note !== undefined && { note }) });
}

function everything({ tasks, workflows, approvals, agents }: CoreState): Touched {
  return {
    tasks: new Set(keysOf(tasks.tasks)),
    executions: new Set(keysOf(workflows.executions)),
    approvals: new Set(keysOf(approvals.approvals)),
    agents: new Set(keysOf(agents.agents)),
    isLimited: true,
  };
}

/** Draws anew what was touched. */
function show(views: Views, state: CoreState, touched: Touched): void {
  for (const id of touched.tasks) {
    const task = state.tasks.tasks.get(id);
    if (task) views.tasks.set(id, () => viewTask(task));
    if (!task || !isActive(task)) views.progress.delete(id);
  }
  for (const id of touched.executions) {
    const execution = state.workflows.executions.get(id);
    if (execution) views.executions.set(id, viewerOf(state, execution));
  }
  for (const id of touched.approvals) {
    const approval = state.approvals.approvals.get(id);
    if (approval) views.approvals.set(id, viewApproval(approval));
    else views.approvals.delete(id);
  }
  for (const id of touched.agents) {
    const agent = state.agents.agents.get(id);
    if (agent) views.agents.set(id, viewAgent(state.agents, agent));
    else views.agents.delete(id);
  }
  if (touched.isLimited) showLimits(views, state);
}

/** Few are set, and each is drawn only when somebody looks. */
function showLimits({ limits }: Views, { limits: state, agents }: CoreState): void {
  for (const id of limits.snapshot().keys()) if (!state.limits.has(id)) limits.delete(id);
  if (state.limits.size === 0) return;
  const uses = snapshotOf(state.uses);
  const slots = agents.holdings.size;
  for (const limit of state.limits.values()) limits.set(limit.id, () => viewLimit({ uses }, limit, slots));
}

function keysOf<T>(table: { entries(): IterableIterator<[string, T]> }): string[] {
  return [...table.entries()].map(([key]) => key);
}

function viewerOf(state: CoreState, execution: Execution): () => ExecutionView {
  const { versions, nodes } = state.workflows;
  const now = { versions: snapshotOf(versions), nodes: snapshotOf(nodes) }; // the tables go on
  return () => viewExecution(execution, () => nodesOf(now, execution));
}

/** Every table of a mirror is a copy-on-write one: its kit makes no others. */
function snapshotOf<T>(table: Table<T>): ReadonlyMap<string, T> {
  return (table as CowTable<T>).snapshot();
}

/** Notes whose pictures an event changes. */
function touch(touched: Touched, { agents }: CoreState, event: CoreEvent): void {
  const data = event.data as {
    readonly id?: string;
    readonly agent?: string;
    readonly link?: string;
    readonly execution?: string;
    readonly parent?: { readonly execution: string };
  };
  const noun = event.type.slice(0, event.type.indexOf("."));
  if (noun === "task" && data.id !== undefined) touched.tasks.add(data.id);
  if (noun === "approval" && data.id !== undefined) touched.approvals.add(data.id);
  if (noun === "execution" && data.id !== undefined) touched.executions.add(data.id);
  const execution = data.execution ?? data.parent?.execution;
  if (execution !== undefined) touched.executions.add(execution);
  const agent = data.agent ?? (data.link === undefined ? undefined : agents.links.get(data.link)?.agent);
  if (agent !== undefined) touched.agents.add(agent);
  if (noun === "limit" || noun === "link" || data.link !== undefined || noun === "host") touched.isLimited = true;
  if (noun === "agent") touched.agents.add(data.id ?? agentId(event.data as Manifest));
  if (event.type === "page.offered")
    for (const id of [...(agents.offers.get(event.data.session)?.agents ?? []), ...event.data.agents])
      touched.agents.add(id);
  if (event.type === "host.started") for (const id of keysOf(agents.agents)) touched.agents.add(id);
}

interface Recents {
  readonly kit: Kit;
  restart(): Kit;
}

/** Keeps the last finished ones in view, and forgets the oldest beyond the bound. */
function createRecents(
  tasks: LazyTable<TaskView>,
  executions: LazyTable<ExecutionView>,
  onFinished: (finished: Finished) => void,
): Recents {
  let order: { task: string[]; execution: string[] } = { task: [], execution: [] };
  const remember = (kind: "task" | "execution", id: string, table: LazyTable<unknown>): void => {
    const ids = order[kind];
    ids.push(id);
    if (ids.length <= 2 * RECENT[kind]) return;
    for (const old of ids.splice(0, RECENT[kind])) table.delete(old);
  };
  const kit: Kit = {
    table: createCowTable,
    due: () => ({ set: () => undefined, delete: () => undefined }),
    finished: <T>(kind: "task" | "execution"): FinishedSink<T> => ({
      add(id, record) {
        const finished = { kind, record } as unknown as Finished;
        if (finished.kind === "task") tasks.set(id, () => viewTask(finished.record));
        else executions.set(id, () => viewExecution(finished.record, () => []));
        remember(kind, id, kind === "task" ? tasks : executions);
        onFinished(finished);
      },
    }),
  };
  return {
    kit,
    restart() {
      order = { task: [], execution: [] };
      return kit;
    },
  };
}
