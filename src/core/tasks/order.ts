/** How a task is asked for. It stands apart from the task, so that a mirror needs no schemas. */
import * as v from "valibot";
import { DEFAULTS, PRIORITIES } from "./priority.ts";

const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365 * 86_400_000));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** How a failed attempt is followed by another: after `base · factor^(n-1)` milliseconds, at most `cap`, with full jitter. */
export const RetrySchema = v.strictObject({
  /** Default 3; 1 means no second attempt. */
  maxAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), DEFAULTS.retry.maxAttempts),
  base: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400_000)), DEFAULTS.retry.base),
  factor: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100)), DEFAULTS.retry.factor),
  cap: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400_000)), DEFAULTS.retry.cap),
  jitter: v.optional(v.picklist(["full", "none"]), DEFAULTS.retry.jitter),
});
export type Retry = v.InferOutput<typeof RetrySchema>;

/** What a task and the task of a workflow node have in common. */
export const workFields = {
  /** All of them must be offered by the agent. */
  capabilities: v.pipe(v.array(name), v.minLength(1), v.maxLength(16)),
  priority: v.optional(v.picklist(PRIORITIES)),
  retry: v.optional(RetrySchema, {}),
  /** The longest an attempt may run, in milliseconds; then it is stopped. Default 60,000. */
  timeout: v.optional(milliseconds, DEFAULTS.timeout),
  title: v.optional(v.pipe(v.string(), v.maxLength(200))),
} as const;

/** What `createTask` takes; `input` is already JSON text here. */
export const TaskOrderSchema = v.strictObject({
  ...workFields,
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  input: v.string(),
});

export type TaskOrder = v.InferOutput<typeof TaskOrderSchema>;
/** What a page may leave out. */
export type TaskRequest = v.InferInput<typeof TaskOrderSchema>;
