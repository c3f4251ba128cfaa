/** A unit of work that one agent performs. */
import * as v from "valibot";
import type { ErrorData } from "../errors.ts";
import type { JsonText } from "../json.ts";

export const PRIORITIES = ["critical", "high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

export type TaskStatus = "queued" | "running" | "retrying" | "completed" | "failed" | "cancelled";

const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365 * 86_400_000));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** How a failed attempt is followed by another: after `base · factor^(n-1)` milliseconds, at most `cap`, with full jitter. */
export const RetrySchema = v.strictObject({
  /** Default 3; 1 means no second attempt. */
  maxAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 3),
  base: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400_000)), 1_000),
  factor: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100)), 2),
  cap: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400_000)), 60_000),
  jitter: v.optional(v.picklist(["full", "none"]), "full"),
});
export type Retry = v.InferOutput<typeof RetrySchema>;

/** What a task and the task of a workflow node have in common. */
export const workFields = {
  /** All of them must be offered by the agent. */
  capabilities: v.pipe(v.array(name), v.minLength(1), v.maxLength(16)),
  priority: v.optional(v.picklist(PRIORITIES)),
  retry: v.optional(RetrySchema, {}),
  /** The longest an attempt may run, in milliseconds; then it is stopped. Default 60,000. */
  timeout: v.optional(milliseconds, 60_000),
  title: v.optional(v.pipe(v.string(), v.maxLength(200))),
} as const;

/** What `createTask` takes; `input` is already JSON text here. */
export const TaskCreateSchema = v.strictObject({
  ...workFields,
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  input: v.string(),
});

/** Where a task of a workflow belongs; `index` is the item's place in a map. */
export interface TaskParent {
  readonly execution: string;
  readonly node: string;
  readonly index?: number | undefined;
}

export interface TaskCreate extends v.InferOutput<typeof TaskCreateSchema> {
  readonly parent?: TaskParent | undefined;
}

export interface Task {
  readonly id: string;
  readonly capabilities: readonly string[];
  readonly priority: Priority;
  readonly retry: Retry;
  readonly timeout: number;
  readonly title?: string | undefined;
  readonly input: JsonText;
  readonly parent?: TaskParent | undefined;
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

export function isTerminal(status: TaskStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}
