/** How a task is asked for. It stands apart from the task, so that a mirror needs no schemas. */
import * as v from "valibot";
import { MillisecondsSchema as milliseconds, RetrySchema } from "../plugin.ts";
import { PRIORITIES } from "./priority.ts";
import { requirementFields } from "./requirement.ts";
import { SecretUseSchema } from "./secrets.ts";

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** Its part of what is shared: tasks of other keys get as much, in proportion to the weights. */
export const FairnessSchema = v.strictObject({
  key: name,
  /** Default 1. */
  weight: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1_000))),
});

/** A limit that the task counts against, by the limit's name, and for a limit per key the key. */
export const LimitUseSchema = v.strictObject({ limit: name, key: v.optional(name) });
export type LimitUse = v.InferOutput<typeof LimitUseSchema>;

/** What a task and the task of a workflow node have in common. */
export const workFields = {
  ...requirementFields,
  priority: v.optional(v.picklist(PRIORITIES)),
  /** What is left out is the agent's or the capability's, and else the default. */
  retry: v.optional(RetrySchema),
  /** The longest an attempt may run, in milliseconds; then it is stopped. Default: the agent's, the capability's, 60,000. */
  timeout: v.optional(milliseconds),
  /** Further bounds in milliseconds; default none. */
  timeouts: v.optional(
    v.strictObject({
      /** From being ready to start until it starts. */
      queue: v.optional(milliseconds),
      /** From creation to the end, over all attempts and waits. */
      total: v.optional(milliseconds),
      /** Without a sign of life of the attempt (progress, log, checkpoint, stream, heartbeat). */
      idle: v.optional(milliseconds),
    }),
  ),
  fairness: v.optional(FairnessSchema),
  limits: v.optional(v.pipe(v.array(LimitUseSchema), v.maxLength(8))),
  title: v.optional(v.pipe(v.string(), v.maxLength(200))),
  description: v.optional(v.pipe(v.string(), v.maxLength(2_000))),
} as const;

export type Work = v.InferOutput<ReturnType<typeof v.object<typeof workFields>>>;
const workKeys = Object.keys(workFields) as readonly (keyof Work)[];

/** What a node says of its task, without the node's own fields. */
export function workOf(node: Work): Work {
  const work: Partial<Record<keyof Work, unknown>> = {};
  for (const key of workKeys) if (node[key] !== undefined) work[key] = node[key];
  return work as unknown as Work;
}

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
/** Milliseconds since 1970. */
const moment = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));

/** Tasks that come before. */
export const AfterSchema = v.strictObject({
  tasks: v.pipe(v.array(id), v.minLength(1), v.maxLength(1_000)),
  /** all: every one has succeeded (the default) · any: one has · a number: so many have · done: every one has ended, however. */
  when: v.optional(v.union([v.picklist(["all", "any", "done"]), v.pipe(v.number(), v.integer(), v.minValue(1))])),
  /** What becomes of this task when that can't come true any more. Default "fail". */
  otherwise: v.optional(v.picklist(["fail", "skip"])),
});
export type After = v.InferOutput<typeof AfterSchema>;

/** What `createTask` takes; `input` is already JSON text here. */
export const TaskOrderSchema = v.strictObject({
  ...workFields,
  id,
  input: v.string(),
  /** Secrets that take the place of what stands there in the input, once an agent that is granted them gets the task. */
  secrets: v.optional(v.pipe(v.array(SecretUseSchema), v.maxLength(32))),
  /** What kind of work it is; for people, and for finding tasks. */
  type: v.optional(name),
  /** Not before this moment. */
  startAt: v.optional(moment),
  /** When it should have ended; the order of starting minds it. */
  deadline: v.optional(moment),
  /** What happens then. Default "continue". */
  onDeadline: v.optional(v.picklist(["continue", "fail", "escalate"])),
  after: v.optional(AfterSchema),
  /** A task with the same key within the window, in milliseconds, is not made again. */
  idempotency: v.optional(v.strictObject({ key: id, window: v.optional(milliseconds) })),
  /** The finished task that this one is made again from. */
  requeuedFrom: v.optional(id),
});

export type TaskOrder = v.InferOutput<typeof TaskOrderSchema>;
/** What a page may leave out. */
export type TaskRequest = v.InferInput<typeof TaskOrderSchema>;
