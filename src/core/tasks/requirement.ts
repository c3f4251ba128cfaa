/** What a task demands of the agent that performs it, and what it would like. */
import * as v from "valibot";
import { parseRange } from "../versions.ts";

const name = v.pipe(v.string(), v.regex(/^[a-z\d][\w.-]{0,63}$/i, "1 to 64 letters, digits, '.', '_' or '-'"));
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const RANGE = "a range of versions is written like ^1.2, ~1.2.3, >=1 <3, 1.x || 2, *";

function isRange(text: string): boolean {
  return text !== "" && parseRange(text) !== undefined;
}

/** A capability, or one in a range of versions: `translate`, `translate@^2`. Names are open. */
const capability = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(128),
  v.check((text) => !text.includes("@") || isRange(text.slice(text.indexOf("@") + 1)), RANGE),
);

/** Bounds on the agents that may be chosen; all are hard. */
export const ConstraintsSchema = v.strictObject({
  /** Ids of agents that must not be chosen. */
  exclude: v.optional(v.pipe(v.array(id), v.maxLength(64))),
  /** Range of the agent's version, as in semver. */
  version: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64), v.check(isRange, RANGE))),
  /** The greatest part of an agent's slots that may be taken already, from 0 to 1. */
  maxLoad: v.optional(share),
  /** The least success rate, from 0 to 1. */
  minSuccessRate: v.optional(share),
  /** True: at least one of the specializations is demanded. */
  specialized: v.optional(v.boolean()),
  /** Labels that the agent must have with these values. */
  labels: v.optional(v.record(name, v.pipe(v.string(), v.maxLength(200)))),
});
export type Constraints = v.InferOutput<typeof ConstraintsSchema>;

export const requirementFields = {
  /** All of them must be offered by the agent. */
  capabilities: v.pipe(v.array(capability), v.minLength(1), v.maxLength(16)),
  /** Those that the agent has of these make it fit better. */
  optional: v.optional(v.pipe(v.array(capability), v.maxLength(16))),
  /** Agents with one of these are preferred. */
  specializations: v.optional(v.pipe(v.array(name), v.maxLength(16))),
  agents: v.optional(ConstraintsSchema),
} as const;

/** What of a task decides which agents can perform it; tasks with equal ones are interchangeable for matching. */
export interface Requirement {
  readonly capabilities: readonly string[];
  readonly optional?: readonly string[] | undefined;
  readonly specializations?: readonly string[] | undefined;
  readonly agents?: Constraints | undefined;
  /** The agent must be granted all of them. */
  readonly secrets?: readonly { readonly name: string }[] | undefined;
}
