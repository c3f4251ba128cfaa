/** Agents of untrusted code. */
import * as v from "valibot";
import { RuntimeError } from "../../core/errors.ts";
import { defineAgent, type AgentContext, type AgentDefinition, type StandardSchema } from "../../core/plugin.ts";
import { performJob } from "./attempt.ts";
import type { HostFunction } from "./bridge.ts";
import { createPool, type Seat } from "./pool.ts";

/** How much an attempt may take, and what its code is given. */
export interface EvaluateOptions {
  /**
   * One ECMAScript module without imports. Its default export is the function that is run, with the input and a context:
   * `task`, `checkpointed`, `signal`, `progress`, `log`, `checkpoint`, `stream`, `once`, `blobs` and `functions`.
   */
  readonly source: string;
  /** What the code may allocate, in MiB: 4 to 1,024. Default 32. A text of more than an eighth of it can't cross. */
  readonly memoryMB?: number | undefined;
  /** How long it may compute, in milliseconds; waiting doesn't count. Default 5,000. */
  readonly cpuMs?: number | undefined;
  /** How deep its calls may nest, in KiB of the engine's stack: 16 to 1,024. Default 128, about 700 calls. */
  readonly stackKB?: number | undefined;
  /** Without `Date` and `Math.random`, so that the same input gives the same output. Default false. */
  readonly deterministic?: boolean | undefined;
  /** Functions of yours that the code can call, as `await context.functions.name(…)`. Default none. */
  readonly functions?: Readonly<Record<string, HostFunction>> | undefined;
}

/** A definition whose `run` is untrusted: what the agent is called and can do says whoever embeds it. */
export interface InterpretOptions<I = unknown, O = unknown>
  extends Omit<AgentDefinition<I, O>, "run" | "input" | "output">, EvaluateOptions {
  /** Default: any JSON. */
  readonly input?: StandardSchema<I> | undefined;
  /** Default: any JSON. */
  readonly output?: StandardSchema<O> | undefined;
}

export interface Interpreter {
  /**
   * Makes an agent of the source. Each attempt runs in an engine of its own.
   * @throws RuntimeError `agent/manifest-invalid` with the field
   */
  interpret<I = unknown, O = unknown>(options: InterpretOptions<I, O>): AgentDefinition<I, O>;
  /**
   * Runs the source once, within an attempt of your own agent, and gives what it returned.
   * @throws what the code threw, or RuntimeError `agent/load-failed`, `agent/cpu-exceeded`, `agent/memory-exceeded`,
   *   `agent/stalled`, `agent/output-invalid`, `agent/output-too-large`, `agent/crashed`
   */
  evaluate(options: EvaluateOptions & { readonly input?: unknown }, context: AgentContext): Promise<unknown>;
}

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** What the limits may be. */
export const LIMITS = {
  memoryMB: v.optional(whole(4, 1_024), 32),
  cpuMs: v.optional(whole(1, 3_600_000), 5_000),
  stackKB: v.optional(whole(16, 1_024), 128),
  deterministic: v.optional(v.boolean(), false),
};

const OptionsSchema = v.object({
  ...LIMITS,
  source: v.string(),
  functions: v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-z]\w{0,63}$/iu)), v.function()), {}),
});

/** `start` starts an engine's worker. */
export function createInterpreter(start: () => Seat): Interpreter {
  const pool = createPool(start);
  const performer = (options: EvaluateOptions) => {
    const { source, ...limits } = check(options);
    const { functions = {} } = options;
    return (input: unknown, context: AgentContext) => performJob(pool, { source, input, limits, functions }, context);
  };
  return {
    interpret<I, O>(options: InterpretOptions<I, O>) {
      const { source, memoryMB, cpuMs, stackKB, deterministic, functions, input, output, ...manifest } = options;
      const perform = performer({ source, memoryMB, cpuMs, stackKB, deterministic, functions });
      return defineAgent<I, O>({
        ...manifest,
        input: input ?? (v.unknown() as StandardSchema<unknown> as StandardSchema<I>),
        output: output ?? (v.unknown() as StandardSchema<unknown> as StandardSchema<O>),
        run: (given, context) => perform(given, context) as Promise<O>, // its schema looks at it next
      });
    },
    evaluate: async ({ input, ...options }, context) => performer(options)(input, context),
  };
}

function check(options: EvaluateOptions) {
  const { success, output, issues } = v.safeParse(OptionsSchema, options);
  if (!success) {
    const [issue] = issues;
    throw new RuntimeError("agent/manifest-invalid", { field: v.getDotPath(issue), reason: issue.message });
  }
  const { functions: _, ...rest } = output;
  return rest;
}
