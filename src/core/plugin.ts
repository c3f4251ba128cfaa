/** What is checked of an agent plugin where it meets the host; the plugin itself is in plugin/definition.ts. */
import * as v from "valibot";
import { AGENT_NAME, AGENT_VERSION, CAPABILITY } from "./plugin/definition.ts";

export * from "./plugin/definition.ts";

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
});
export type AgentDescription = v.InferOutput<typeof AgentDescriptionSchema>;
