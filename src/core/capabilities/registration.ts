import * as v from "valibot";
import { AGENT_NAME, AGENT_VERSION, MillisecondsSchema, RetrySchema } from "../plugin.ts";
import { PRIORITIES } from "../tasks/priority.ts";

const key = {
  name: v.pipe(v.string(), v.regex(AGENT_NAME, "1 to 64 letters, digits, '.', '_' or '-'")),
  version: v.optional(v.pipe(v.string(), v.regex(AGENT_VERSION, "a version is major.minor.patch"))),
};

/** What `registerCapability` takes; schemas are JSON text here, and are read by the rules. */
export const CapabilityRegisterSchema = v.strictObject({
  ...key,
  description: v.optional(v.pipe(v.string(), v.maxLength(1_000))),
  input: v.optional(v.string()),
  output: v.optional(v.string()),
  defaults: v.optional(
    v.strictObject({
      timeout: v.optional(MillisecondsSchema),
      retry: v.optional(RetrySchema),
      priority: v.optional(v.picklist(PRIORITIES)),
    }),
  ),
  replace: v.optional(v.boolean()),
});

export const CapabilityUnregisterSchema = v.strictObject(key);
