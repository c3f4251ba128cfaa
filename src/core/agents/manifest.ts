import * as v from "valibot";
import { AgentDescriptionSchema } from "../plugin.ts";
import { PRIORITIES } from "../tasks/priority.ts";
import { SecretNameSchema } from "../tasks/secrets.ts";

const count = (max: number): v.GenericSchema<number> => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));

const label = v.pipe(v.string(), v.regex(/^[a-z\d][\w.-]{0,63}$/i, "1 to 64 letters, digits, '.', '_' or '-'"));

/** What the registering page knows of the agent's past: it counts like so many attempts that were seen. */
const PriorSchema = v.strictObject({
  /** Default 1. */
  successRate: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  /** In milliseconds. Default: unknown. */
  averageResponseTime: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  /** In attempts; 0: nothing is known. Default 10. */
  weight: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000))),
});

/** An agent's manifest: what its code says of itself, and what the registering page grants it. */
export const ManifestSchema = v.strictObject({
  ...AgentDescriptionSchema.entries,
  url: v.pipe(v.string(), v.maxLength(4_096)),
  /** SHA-256 of the code, as `sha256-` and base 64. Other bytes are refused. */
  integrity: v.optional(v.pipe(v.string(), v.regex(/^sha256-[A-Za-z0-9+/]{43}=$/u))),
  /** True: a plain worker of the page's own origin, which can reach all that the page can. Default: an isolated cell. */
  trusted: v.optional(v.boolean(), false),
  /** Hosts that an isolated agent may connect to, as `https://host[:port]`. Default none; never the own origin. */
  network: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.regex(/^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/u))), v.maxLength(32)),
    [],
  ),
  /** Secrets, by name, that tasks may give to it. Default none. */
  secrets: v.optional(v.pipe(v.array(SecretNameSchema), v.maxLength(64))),
  /** The most workers that serve it at once. Default 1. */
  workers: v.optional(count(64), 1),
  /** Workers that are kept up, also when there is nothing to do, while a page offers it. Default 0, at most `workers`. */
  minWorkers: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(64))),
  /** Attempts that one worker runs at once. Default 1. */
  slots: v.optional(count(10_000), 1),
  /** Among agents that fit as well, those of a higher priority come first. Default "medium". */
  priority: v.optional(v.picklist(PRIORITIES)),
  /** What a task can ask for, and what lists are filtered by. */
  labels: v.optional(v.pipe(v.record(label, v.pipe(v.string(), v.maxLength(200))), v.maxEntries(32))),
  prior: v.optional(PriorSchema),
  /** What a worker may use. Whether that can be enforced is told by the agent's view. */
  resourceLimits: v.optional(
    v.strictObject({
      /** A worker over it is ended, and what it ran has failed. */
      maxMemoryMB: v.optional(v.pipe(v.number(), v.finite(), v.minValue(1))),
      /** A worker that has grown by so much since it was first measured ends what it runs, and is replaced. */
      maxMemoryGrowthMB: v.optional(v.pipe(v.number(), v.finite(), v.minValue(1))),
      /** Of one processor. A worker over it for 10 s gets no new work, and is ended when it stays so for 20 s more. */
      maxCPUPercent: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100))),
    }),
  ),
});
export type Manifest = v.InferOutput<typeof ManifestSchema>;
