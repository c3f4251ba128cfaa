/** A unit of work that one agent performs. */
import type { ErrorData } from "../errors.ts";
import type { JsonText } from "../json.ts";
import type { LimitUse, TaskOrder } from "./order.ts";
import type { Priority } from "./priority.ts";

export type TaskStatus = "queued" | "running" | "retrying" | "completed" | "failed" | "cancelled";

/** Where a task of a workflow belongs; `index` is the item's place in a map. */
export interface TaskParent {
  readonly execution: string;
  readonly node: string;
  readonly index?: number | undefined;
}

export interface TaskCreate extends TaskOrder {
  readonly parent?: TaskParent | undefined;
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
  /** Running: when the attempt times out. Retrying: when it is queued again. */
  readonly dueAt?: number | undefined;
  readonly checkpoint?: JsonText | undefined;
  readonly effects?: Readonly<Record<string, JsonText>> | undefined;
  readonly output?: JsonText | undefined;
  /** The latest failure. */
  readonly error?: ErrorData | undefined;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
}

/** Names one attempt; all that is said about an older one is ignored. */
export interface AttemptKey {
  readonly id: string;
  readonly attempt: number;
}

export interface TaskEvents {
  "task.created": Omit<TaskCreate, "priority"> & { readonly priority: Priority };
  "task.assigned": AttemptKey & {
    readonly link: string;
    readonly agent: string;
    readonly dueAt: number;
    /** What the task names; an attempt counts there while it holds its slot. */
    readonly limits?: readonly LimitUse[] | undefined;
  };
  "task.checkpointed": AttemptKey & { readonly value: JsonText };
  "task.effected": AttemptKey & { readonly key: string; readonly value: JsonText };
  "task.completed": AttemptKey & {
    readonly link: string;
    readonly output: JsonText;
    readonly parent?: TaskParent | undefined;
  };
  /** With `retryAt` another attempt follows; without it the task has failed for good. */
  "task.failed": AttemptKey & {
    readonly link: string;
    readonly error: ErrorData;
    readonly retryAt?: number | undefined;
    /** True when the agent may still be running: its slot stays taken until it answers or is killed. */
    readonly held?: boolean | undefined;
    readonly parent?: TaskParent | undefined;
  };
  /** The attempt is over through no fault of the task, which is queued again. */
  "task.interrupted": AttemptKey & { readonly link: string; readonly reason: string };
  "task.queued": { readonly id: string };
  "task.extended": AttemptKey & { readonly dueAt: number };
  "task.cancelled": AttemptKey & {
    readonly reason: string;
    readonly running: boolean;
    readonly parent?: TaskParent | undefined;
  };
}

export interface TaskCommands {
  "task.create": TaskCreate;
  "task.cancel": { readonly id: string; readonly reason?: string | undefined };
  "task.assign": { readonly id: string; readonly link: string; readonly agent: string };
  "task.checkpoint": AttemptKey & { readonly value: JsonText };
  "task.effect": AttemptKey & { readonly key: string; readonly value: JsonText };
  "task.complete": AttemptKey & { readonly output: JsonText };
  "task.fail": AttemptKey & { readonly error: ErrorData; readonly held?: boolean | undefined };
  "task.interrupt": AttemptKey & { readonly reason: string };
  /** The due time of the task has come: its attempt timed out, or its retry is due. */
  "task.wake": { readonly id: string };
  /** The clock stood still (sleep, freeze) for so long: running attempts get that time back. */
  "task.extend": { readonly by: number };
}

/** A task that is interrupted so often is taken for the cause, and fails with `task/interrupted`. */
export const MAX_INTERRUPTIONS = 50;
