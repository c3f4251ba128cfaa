/** A unit of work that one agent performs. */
import type { ErrorData } from "../errors.ts";
import type { JsonText } from "../json.ts";
import type { Terms } from "../plugin.ts";
import type { GateCounts } from "./gates.ts";
import type { LimitUse, TaskOrder } from "./order.ts";
import type { Priority } from "./priority.ts";
import type { TaskStatus } from "./transitions.ts";

export type { TaskStatus } from "./transitions.ts";

/** Where a task or a run within a run belongs; `index` is the item's place in a map, or the number of the iteration. */
export interface TaskParent {
  readonly execution: string;
  readonly node: string;
  readonly index?: number | undefined;
  /** From 2 on when the node is tried again. */
  readonly round?: number | undefined;
  /** It undoes what was done: the number of that among what its run has to undo. */
  readonly undo?: number | undefined;
  /** What the item is known by. */
  readonly key?: string | undefined;
}

export interface TaskCreate extends TaskOrder {
  readonly parent?: TaskParent | undefined;
}

/** An attempt that didn't end well. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly agent?: string | undefined;
  /** When it was given to a worker. */
  readonly startedAt?: number | undefined;
  readonly endedAt: number;
  /** The code of the error that ended it. */
  readonly code: string;
}

export interface Task extends Omit<TaskCreate, "priority"> {
  readonly priority: Priority;
  readonly status: TaskStatus;
  /** The number of the latest attempt; 0 before the first. It fences every message about the task. */
  readonly attempt: number;
  /** Attempts that failed; interruptions don't count. */
  readonly failures: number;
  readonly interruptions: number;
  /** Its place in the order of creation. */
  readonly order: number;
  readonly link?: string | undefined;
  readonly agent?: string | undefined;
  /** What the agent of the latest attempt and the capability have it performed by, where the task itself says nothing. */
  readonly terms?: Terms | undefined;
  /** When its present status is over: waiting, retrying: queued then; queued, assigned, running: timed out then. */
  readonly dueAt?: number | undefined;
  readonly checkpoint?: JsonText | undefined;
  readonly effects?: Readonly<Record<string, JsonText>> | undefined;
  readonly output?: JsonText | undefined;
  /** The latest failure. */
  readonly error?: ErrorData | undefined;
  readonly createdAt: number;
  /** When the latest attempt was given to a worker. */
  readonly startedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  /** True once its deadline has passed. */
  readonly late?: boolean | undefined;
  /** The latest attempts that didn't end well, oldest first, at most {@link MAX_ATTEMPTS_KEPT}. */
  readonly attempts?: readonly AttemptRecord[] | undefined;
  /** It repeats this task, whose idempotency key it has, and was never started itself. */
  readonly alias?: string | undefined;
}

/** So many attempts are kept in a task's record. */
export const MAX_ATTEMPTS_KEPT = 20;

/** Given to a worker, whether that has shown a sign of life or not: it holds a slot. */
export function isActive({ status }: Pick<Task, "status">): boolean {
  return status === "assigned" || status === "running";
}

/** Names one attempt; all that is said about an older one is ignored. */
export interface AttemptKey {
  readonly id: string;
  readonly attempt: number;
}

export interface TaskEvents {
  /** Its status is "queued" unless the event says another. */
  "task.created": Omit<TaskCreate, "priority"> & {
    readonly priority: Priority;
    readonly status?: "pending" | "waiting" | undefined;
    /** Of a pending one: what was over already of the tasks that come before. */
    readonly gate?: GateCounts | undefined;
  };
  /** A task with the idempotency key of another, `of`, was asked for: there is only the first one. */
  "task.aliased": { readonly id: string; readonly of: string };
  "task.assigned": AttemptKey & {
    readonly link: string;
    readonly agent: string;
    readonly dueAt: number;
    readonly terms?: Terms | undefined;
    /** What the task names; an attempt counts there while it holds its slot. */
    readonly limits?: readonly LimitUse[] | undefined;
  };
  /** The attempt's first sign of life; left out when its outcome came with it. */
  "task.started": AttemptKey;
  "task.checkpointed": AttemptKey & { readonly value: JsonText };
  "task.effected": AttemptKey & { readonly key: string; readonly value: JsonText };
  "task.completed": AttemptKey & {
    readonly link: string;
    readonly output: JsonText;
    readonly parent?: TaskParent | undefined;
  };
  /** With `retryAt` another attempt follows; without it the task has failed for good. */
  "task.failed": AttemptKey & {
    /** The worker of the attempt that failed; absent when none was active (a time was over, a dependency failed). */
    readonly link?: string | undefined;
    readonly error: ErrorData;
    readonly retryAt?: number | undefined;
    /** True when the agent may still be running: its slot stays taken until it answers or is killed. */
    readonly held?: boolean | undefined;
    /** True when one of its times was over: without `retryAt` the status is "timed-out" then. */
    readonly timedOut?: boolean | undefined;
    readonly parent?: TaskParent | undefined;
    /** The task before it that it failed for. */
    readonly cause?: string | undefined;
  };
  /** A pending task ended without being started: what it waited for can't come true. */
  "task.skipped": { readonly id: string; readonly error: ErrorData; readonly cause: string };
  /** The attempt is over through no fault of the task, which is queued again. */
  "task.interrupted": AttemptKey & {
    readonly link: string;
    readonly reason: string;
    /** It was stopped on purpose: its slot stays taken until the agent answers or is killed. */
    readonly held?: boolean | undefined;
  };
  /** What it waited for has come: it can be started. */
  "task.queued": { readonly id: string };
  /** The tasks before it are done; it is queued at that moment. */
  "task.scheduled": { readonly id: string; readonly startAt: number };
  "task.extended": AttemptKey & { readonly dueAt: number };
  "task.reprioritized": { readonly id: string; readonly priority: Priority };
  /** Its deadline has passed. */
  "task.late": { readonly id: string };
  /** Its deadline has passed, and it comes before others now. */
  "task.escalated": { readonly id: string; readonly priority: Priority };
  "task.cancelled": AttemptKey & {
    readonly reason: string;
    /** An attempt was active. */
    readonly running: boolean;
    readonly parent?: TaskParent | undefined;
  };
}

export interface TaskCommands {
  "task.create": TaskCreate;
  "task.cancel": { readonly id: string; readonly reason?: string | undefined };
  "task.reprioritize": { readonly id: string; readonly priority: Priority };
  "task.assign": {
    readonly id: string;
    readonly link: string;
    readonly agent: string;
    /** The agent's. */
    readonly terms?: Terms | undefined;
  };
  /** The attempt has shown a sign of life. */
  "task.start": AttemptKey;
  "task.checkpoint": AttemptKey & { readonly value: JsonText };
  "task.effect": AttemptKey & { readonly key: string; readonly value: JsonText };
  "task.complete": AttemptKey & { readonly output: JsonText };
  "task.fail": AttemptKey & { readonly error: ErrorData; readonly held?: boolean | undefined };
  "task.interrupt": AttemptKey & { readonly reason: string };
  /** Stops the active attempt; another follows when its run goes on. */
  "task.suspend": { readonly id: string; readonly reason: string };
  /** The attempt has shown no sign of life for the time of `timeouts.idle`. */
  "task.idle": AttemptKey;
  /** A due time of the task has come. */
  "task.wake": { readonly id: string };
  /** A task before it has ended, and its condition is decided. */
  "task.settle": { readonly id: string };
  /** The clock stood still (sleep, freeze) for so long: active attempts and the queue get that time back. */
  "task.extend": { readonly by: number };
}

/** A task that is interrupted so often is taken for the cause, and fails with `task/interrupted`. */
export const MAX_INTERRUPTIONS = 50;
