/** What is checked of an agent plugin where it meets the host; the plugin itself is in plugin/definition.ts. */
import * as v from "valibot";
import { AGENT_NAME, AGENT_VERSION, CAPABILITY } from "./plugin/definition.ts";

export * from "./plugin/definition.ts";

/** A time span in milliseconds: at least one, at most a year. */
export const MillisecondsSchema: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(365 * 86_400_000),
);
const wait = v.pipe(v.number(), v.minValue(0), v.maxValue(86_400_000));
const codes = v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(32));

/**
 * How a failed attempt is followed by another: after `base · factor^(n-1)` milliseconds, at most `cap`, with full jitter.
 * What is left out is taken from the agent's retry, then from the capability's, then from the defaults.
 */
export const RetrySchema = v.strictObject({
  /** Default 3; 1 means no second attempt. */
  maxAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))),
  /** In milliseconds. Default 1,000. */
  base: v.optional(wait),
  /** Default 2. */
  factor: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100))),
  /** In milliseconds. Default 60,000. */
  cap: v.optional(wait),
  /** Default "full": a random part of the wait; none: all of it. */
  jitter: v.optional(v.picklist(["full", "none"])),
  /** Codes of errors after which there is no other attempt. */
  except: v.optional(codes),
  /** Codes of errors after which there is another attempt, though the error says that none can help. */
  also: v.optional(codes),
});
export type Retry = v.InferOutput<typeof RetrySchema>;

/** What a task is performed by that names no other: an agent and a capability can have some. */
export interface Terms {
  /** The longest an attempt may run, in milliseconds. */
  readonly timeout?: number | undefined;
  readonly retry?: Retry | undefined;
}

const slots = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000));

export const BlobRefSchema = v.object({
  blob: v.pipe(v.string(), v.maxLength(600)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  offset: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

/** What an agent says of itself when its worker is asked: the data of its definition. */
export const AgentDescriptionSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(AGENT_NAME, "a name is 1 to 64 letters, digits, '.', '_' or '-'")),
  version: v.pipe(v.string(), v.regex(AGENT_VERSION, "a version is major.minor.patch")),
  capabilities: v.pipe(
    v.array(v.pipe(v.string(), v.regex(CAPABILITY, "a capability is written name or name@major.minor.patch"))),
    v.minLength(1),
    v.maxLength(64),
  ),
  description: v.optional(v.pipe(v.string(), v.maxLength(1_000))),
  specializations: v.optional(v.pipe(v.array(v.pipe(v.string(), v.regex(AGENT_NAME))), v.maxLength(64))),
  recycleAfter: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000))),
  maxConcurrentTasks: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(640_000))),
  slots: v.optional(slots),
  timeout: v.optional(MillisecondsSchema),
  retry: v.optional(RetrySchema),
});
export type AgentDescription = v.InferOutput<typeof AgentDescriptionSchema>;
