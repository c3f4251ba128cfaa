import type { DueIndex, FinishedSink, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { Task, TaskEvents } from "./task.ts";

/** Totals since the journal began. */
export interface TaskCounts {
  readonly created: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Failed attempts that were followed by another. */
  readonly retried: number;
}

export interface TasksState {
  /** The live ones: neither completed, failed nor cancelled. */
  readonly tasks: Table<Task>;
  readonly due: DueIndex;
  readonly finished: FinishedSink<Task>;
  counts: TaskCounts;
}

const none: TaskCounts = { created: 0, completed: 0, failed: 0, cancelled: 0, retried: 0 };

export const tasksFold: Fold<TasksState, TaskEvents> = {
  create: (kit) => ({
    tasks: kit.table<Task>(),
    due: kit.due(),
    finished: kit.finished<Task>("task"),
    counts: none,
  }),
  apply: {
    "task.created": (state, created, at) => {
      const order = state.counts.created + 1;
      state.counts = { ...state.counts, created: order };
      state.tasks.set(created.id, {
        ...fields,
        ...copyJson(created),
        status: "queued",
        attempt: 0,
        failures: 0,
        interruptions: 0,
        order,
        createdAt: at,
      });
    },
    "task.assigned": (state, { id, attempt, link, agent, dueAt }, at) => {
      state.due.set(id, dueAt);
      const task = state.tasks.get(id); // spelled out, as below: a second spread is slow, and this happens with every task
      if (task) state.tasks.set(id, { ...task, status: "running", attempt, link, agent, dueAt, startedAt: at });
    },
    "task.checkpointed": (state, { id, value }) => {
      change(state, id, { checkpoint: value });
    },
    "task.effected": (state, { id, key, value }) => {
      change(state, id, { effects: { ...state.tasks.get(id)?.effects, [key]: value } });
    },
    "task.completed": (state, { id, output }, at) => {
      state.counts = { ...state.counts, completed: state.counts.completed + 1 };
      const task = state.tasks.get(id);
      if (task) finish(state, { ...task, status: "completed", output }, at);
    },
    "task.failed": (state, data, at) => {
      const task = state.tasks.get(data.id);
      const failures = (task?.failures ?? 0) + 1;
      const { retryAt } = data;
      const error = copyJson(data.error);
      if (retryAt === undefined) {
        state.counts = { ...state.counts, failed: state.counts.failed + 1 };
        if (task) finish(state, { ...task, status: "failed", error, failures }, at);
        return;
      }
      state.counts = { ...state.counts, retried: state.counts.retried + 1 };
      state.due.set(data.id, retryAt);
      change(state, data.id, { ...idle, status: "retrying", error, failures, dueAt: retryAt });
    },
    "task.interrupted": (state, { id }) => {
      const interruptions = (state.tasks.get(id)?.interruptions ?? 0) + 1;
      state.due.delete(id);
      change(state, id, { ...idle, status: "queued", interruptions });
    },
    "task.queued": (state, { id }) => {
      state.due.delete(id);
      change(state, id, { ...idle, status: "queued" });
    },
    "task.extended": (state, { id, dueAt }) => {
      state.due.set(id, dueAt);
      change(state, id, { dueAt });
    },
    "task.cancelled": (state, { id }, at) => {
      state.counts = { ...state.counts, cancelled: state.counts.cancelled + 1 };
      const task = state.tasks.get(id);
      if (task) finish(state, { ...task, status: "cancelled" }, at);
    },
  },
  save: ({ tasks, counts }) => ({ tasks: saveTable(tasks), counts }),
  restore(state, saved) {
    const { tasks, counts } = saved as { tasks: Task[]; counts: TaskCounts };
    restoreTable(
      state.tasks,
      tasks.map((task) => ({ ...fields, ...task })),
    );
    state.counts = counts;
    for (const { id, dueAt } of tasks) if (dueAt !== undefined) state.due.set(id, dueAt);
  },
};

/** Every record begins with every field, in this order: so a restored one is byte by byte what it was. */
const fields: { readonly [K in keyof Task]-?: Task[K] | undefined } = {
  id: undefined,
  type: undefined,
  title: undefined,
  description: undefined,
  capabilities: undefined,
  optional: undefined,
  specializations: undefined,
  agents: undefined,
  priority: undefined,
  fairness: undefined,
  limits: undefined,
  retry: undefined,
  timeout: undefined,
  timeouts: undefined,
  startAt: undefined,
  deadline: undefined,
  onDeadline: undefined,
  after: undefined,
  idempotency: undefined,
  input: undefined,
  parent: undefined,
  status: undefined,
  attempt: undefined,
  failures: undefined,
  interruptions: undefined,
  order: undefined,
  createdAt: undefined,
  startedAt: undefined,
  finishedAt: undefined,
  link: undefined,
  agent: undefined,
  dueAt: undefined,
  checkpoint: undefined,
  effects: undefined,
  output: undefined,
  error: undefined,
};

const idle = { link: undefined, agent: undefined, dueAt: undefined } as const;

function change(state: TasksState, id: string, changes: Partial<Task>): void {
  const task = state.tasks.get(id);
  if (task) state.tasks.set(id, { ...task, ...changes });
}

/** The task leaves the live state. */
function finish(state: TasksState, task: Task, at: number): void {
  const { id } = task;
  state.due.delete(id);
  state.tasks.delete(id);
  state.finished.add(id, { ...task, dueAt: undefined, checkpoint: undefined, finishedAt: at }, at);
}
