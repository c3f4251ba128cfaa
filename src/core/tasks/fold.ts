import type { DueIndex, FinishedSink, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import { createEnds, remember, restoreEnds, saveEnds, type Ends, type SavedEnds } from "./ends.ts";
import { addGate, countEnd, dropGate, neededOf, type Gate, type Gates } from "./gates.ts";
import { createKeys, DEFAULT_WINDOW, restoreKeys, saveKeys, useKey, type Keys, type KeyUse } from "./keys.ts";
import { createMeters, meterFold, type MeterEvents, type Meters } from "./meters.ts";
import { DEFAULTS } from "./priority.ts";
import { fields } from "./record.ts";
import { isActive, MAX_ATTEMPTS_KEPT, type AttemptRecord, type Task, type TaskEvents } from "./task.ts";
import { nextDue, queueDue } from "./times.ts";
import type { FinalStatus } from "./transitions.ts";

/** Totals since the journal began. */
export interface TaskCounts {
  readonly created: number;
  readonly completed: number;
  /** Without those that timed out. */
  readonly failed: number;
  readonly cancelled: number;
  /** Failed attempts that were followed by another. */
  readonly retried: number;
  readonly timedOut: number;
  /** Without repeated ones. */
  readonly skipped: number;
  /** Repeated ones: asked for again with the same idempotency key. */
  readonly aliased: number;
}

export interface TasksState extends Gates {
  readonly meters: Meters;
  /** The live ones; what is final has left. */
  readonly tasks: Table<Task>;
  readonly due: DueIndex;
  readonly finished: FinishedSink<Task>;
  /** How the latest tasks ended, but those of runs. */
  readonly ends: Ends;
  readonly keys: Keys;
  counts: TaskCounts;
}

const none: TaskCounts = {
  created: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  retried: 0,
  timedOut: 0,
  skipped: 0,
  aliased: 0,
};

export const tasksFold: Fold<TasksState, TaskEvents & MeterEvents> = {
  create: (kit) => ({
    tasks: kit.table<Task>(),
    gates: kit.table<Gate>(),
    dependents: new Map(),
    due: kit.due("task.wake"),
    finished: kit.finished<Task>("task"),
    ends: createEnds(),
    keys: createKeys(),
    meters: createMeters(kit),
    counts: none,
  }),
  apply: {
    "task.created": (state, data, at) => {
      const order = state.counts.created + 1;
      state.counts = { ...state.counts, created: order };
      const { id, idempotency, startAt, status = "queued" } = data;
      if (idempotency) {
        const { key, window = DEFAULT_WINDOW } = idempotency;
        useKey(state.keys, { key, task: id, until: at + window }, at);
      }
      const task: Task = {
        ...fields,
        ...copyJson(data.gate ? enterGate(state, data) : data),
        status,
        attempt: 0,
        failures: 0,
        interruptions: 0,
        order,
        createdAt: at,
      };
      const dueAt = status === "waiting" ? startAt : status === "queued" ? queueDue(task, at) : undefined;
      put(state, dueAt === undefined ? task : { ...task, dueAt }, at);
    },
    "task.aliased": (state, { id, of }, at) => {
      state.counts = { ...state.counts, aliased: state.counts.aliased + 1 };
      remember(state.ends, id, { outcome: "aliased", at, cause: of });
      state.finished.add(id, aliasOf(id, of, at), at);
    },
    "task.assigned": (state, { id, attempt, link, agent, dueAt, terms }, at) => {
      const task = state.tasks.get(id); // spelled out, as below: a second spread is slow, and this happens with every task
      if (task)
        put(
          state,
          { ...task, status: "assigned", attempt, link, agent, dueAt, startedAt: at, terms: copyJson(terms) },
          at,
        );
    },
    "task.started": (state, { id }) => {
      const task = state.tasks.get(id);
      if (task) state.tasks.set(id, { ...task, status: "running" });
    },
    "task.checkpointed": (state, { id, value }) => {
      const task = state.tasks.get(id);
      if (task) state.tasks.set(id, { ...task, checkpoint: value, checkpoints: (task.checkpoints ?? 0) + 1 });
    },
    "task.effected": (state, { id, key, value }) => {
      const task = state.tasks.get(id);
      if (task) state.tasks.set(id, { ...task, effects: { ...task.effects, [key]: value } });
    },
    "task.completed": (state, { id, output }, at) => {
      state.counts = { ...state.counts, completed: state.counts.completed + 1 };
      const task = state.tasks.get(id);
      if (!task) return;
      meterFold.ended(state.meters, task, "completed", at);
      finish(state, { ...task, status: "completed", output }, at);
    },
    "task.failed": (state, { id, link, retryAt, timedOut, cause, error }, at) => {
      const { counts } = state;
      if (retryAt !== undefined) state.counts = { ...counts, retried: counts.retried + 1 };
      else if (timedOut) state.counts = { ...counts, timedOut: counts.timedOut + 1 };
      else state.counts = { ...counts, failed: counts.failed + 1 };
      const task = state.tasks.get(id);
      if (!task) return;
      meterFold.ended(state.meters, task, retryAt === undefined ? "failed" : "retried", at);
      const failures = task.failures + (link === undefined ? 0 : 1);
      const failed = { ...task, error: copyJson(error), failures, attempts: historyOf(task, error.code, at) };
      if (retryAt !== undefined) put(state, { ...failed, ...idle, status: "retrying", dueAt: retryAt }, at);
      else finish(state, { ...failed, status: timedOut ? "timed-out" : "failed" }, at, cause);
    },
    "task.skipped": (state, { id, error, cause }, at) => {
      state.counts = { ...state.counts, skipped: state.counts.skipped + 1 };
      const task = state.tasks.get(id);
      if (task) finish(state, { ...task, status: "skipped", error: copyJson(error) }, at, cause);
    },
    "task.interrupted": (state, { id, held }, at) => {
      const task = state.tasks.get(id);
      if (!task) return;
      const interruptions = task.interruptions + (held ? 0 : 1);
      const attempts = historyOf(task, "task/interrupted", at);
      queue(state, { ...task, interruptions, attempts }, at);
    },
    "task.queued": (state, { id }, at) => {
      const task = state.tasks.get(id);
      if (task) queue(state, task, at);
    },
    "task.scheduled": (state, { id, startAt }, at) => {
      const task = state.tasks.get(id);
      if (!task) return;
      dropGate(state, id, task.after?.tasks ?? []);
      put(state, { ...task, status: "waiting", dueAt: startAt }, at);
    },
    "task.extended": (state, { id, dueAt }, at) => {
      change(state, id, { dueAt }, at);
    },
    "task.reprioritized": (state, { id, priority }, at) => {
      change(state, id, { priority }, at);
    },
    "task.late": (state, { id }, at) => {
      change(state, id, { late: true }, at);
    },
    "task.escalated": (state, { id, priority }, at) => {
      change(state, id, { late: true, priority }, at);
    },
    "task.cancelled": (state, { id, running }, at) => {
      state.counts = { ...state.counts, cancelled: state.counts.cancelled + 1 };
      const task = state.tasks.get(id);
      if (!task) return;
      const attempts = running ? historyOf(task, "task/cancelled", at) : task.attempts;
      finish(state, { ...task, status: "cancelled", attempts }, at);
    },
    "meter.set": ({ meters, tasks }, measure) => {
      meterFold.set(meters, measure, tasks);
    },
    "meter.watched": ({ meters, tasks }, data, at) => {
      meterFold.watched(meters, data, tasks, at);
    },
    "meter.left": ({ meters }, { id }) => {
      meterFold.left(meters, id);
    },
    "meter.asked": ({ meters }, { id }, at) => {
      meterFold.asked(meters, id, at);
    },
  },
  save: ({ tasks, gates, ends, keys, meters, counts }) => ({
    meters: meterFold.save(meters),
    tasks: saveTable(tasks),
    gates: saveTable(gates),
    ends: saveEnds(ends),
    keys: saveKeys(keys),
    counts,
  }),
  restore(state, saved) {
    // What an earlier release wrote has only tasks and counts.
    const { tasks, gates = [], ends, keys = [], meters, counts } = saved as Saved;
    if (meters) meterFold.restore(state.meters, meters);
    restoreTable(
      state.tasks,
      tasks.map((task) => ({ ...fields, ...task })),
    );
    const gateById = new Map(gates.map((gate) => [gate.id, gate]));
    for (const task of tasks) {
      const dueAt = nextDue(task);
      if (dueAt !== undefined) state.due.set(task.id, dueAt);
    }
    for (const { id, after } of tasks) {
      const gate = gateById.get(id);
      if (gate && after) addGate(state, gate, after.tasks);
    }
    if (ends) restoreEnds(state.ends, ends);
    restoreKeys(state.keys, keys);
    state.counts = { ...none, ...counts };
  },
};

interface Saved {
  readonly tasks: readonly Task[];
  readonly gates?: readonly Gate[];
  readonly ends?: SavedEnds;
  readonly keys?: readonly KeyUse[];
  readonly meters?: Parameters<typeof meterFold.restore>[1];
  readonly counts: TaskCounts;
}

/** Notes what the task waits for; gives back what belongs into its record. */
function enterGate(state: TasksState, { gate, ...created }: TaskEvents["task.created"]): TaskEvents["task.created"] {
  const { id, after } = created;
  if (gate && after) {
    const { tasks } = after;
    addGate(state, { id, ...gate, total: tasks.length, needed: neededOf(after) }, tasks);
  }
  return created;
}

const idle = { link: undefined, agent: undefined, dueAt: undefined } as const;

/** The one place where a live record changes its times: the due index holds the earliest of them. */
function put({ tasks, due, meters }: TasksState, task: Task, now: number): void {
  meterFold.moved(meters, tasks.get(task.id), task, now);
  tasks.set(task.id, task);
  const at = nextDue(task);
  if (at === undefined) due.delete(task.id);
  else due.set(task.id, at);
}

function change(state: TasksState, id: string, changes: Partial<Task>, at: number): void {
  const task = state.tasks.get(id);
  if (task) put(state, { ...task, ...changes }, at);
}

function queue(state: TasksState, task: Task, at: number): void {
  if (task.status === "pending") dropGate(state, task.id, task.after?.tasks ?? []);
  put(state, { ...task, ...idle, status: "queued", dueAt: queueDue(task, at) }, at);
}

/** The attempts with the one that is active now, if any, which ends with this code. */
function historyOf(task: Task, code: string, at: number): Task["attempts"] {
  if (!isActive(task)) return task.attempts;
  const { attempt, agent, startedAt, attempts = [] } = task;
  const record: AttemptRecord = { attempt, agent, startedAt, endedAt: at, code };
  return [...attempts.slice(1 - MAX_ATTEMPTS_KEPT), record];
}

/** The task leaves the live state. */
function finish(state: TasksState, task: Task & { readonly status: FinalStatus }, at: number, cause?: string): void {
  const { id, status, parent } = task;
  if (state.gates.has(id)) dropGate(state, id, task.after?.tasks ?? []);
  state.due.delete(id);
  meterFold.moved(state.meters, state.tasks.get(id), undefined, at);
  state.tasks.delete(id);
  if (!parent) remember(state.ends, id, { outcome: status, at, ...(cause !== undefined && { cause }) });
  countEnd(state, id, status === "completed");
  state.finished.add(id, { ...task, dueAt: undefined, checkpoint: undefined, finishedAt: at }, at);
}

/** What the archive says of a repeated task. */
function aliasOf(id: string, of: string, at: number): Task {
  return {
    ...fields,
    id,
    capabilities: [],
    priority: DEFAULTS.priority,
    input: "null",
    status: "skipped",
    attempt: 0,
    failures: 0,
    interruptions: 0,
    order: 0,
    createdAt: at,
    finishedAt: at,
    alias: of,
  };
}
