/**
 * What an agent plugin is: a manifest, two schemas and one function.
 * It goes into the bundle of every agent, so it imports no library.
 */
import { RuntimeError } from "../errors.ts";

/** The part of Standard Schema (standardschema.dev, version 1) that Troupe uses; valibot's and zod's schemas have it. */
export interface StandardSchema<Output> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

/** The outcome of a Standard Schema's `validate`. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong with a value, and where. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A reference to stored bytes: `size` bytes of the blob from `offset` on (default 0). */
export interface BlobRef {
  readonly blob: string;
  readonly size: number;
  readonly offset?: number | undefined;
}

/** The part of AbortSignal that the core may name; in a worker it is a real AbortSignal. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a running attempt can reach. */
export interface AgentContext {
  /** For entries of this package, as `troupe/messages`: not to be called by agents. */
  readonly call?: unknown;
  /** Aborted when the attempt is cancelled or timed out; whoever ignores it is terminated after the grace. */
  readonly signal: Signal;
  readonly task: {
    readonly id: string;
    /** Counts from 1. Hand it to other systems as a fencing token. */
    readonly attempt: number;
    /** The same for all attempts of the task. */
    readonly idempotencyKey: string;
    readonly capability: string;
  };
  /** The last committed checkpoint of an earlier attempt, or undefined. */
  readonly checkpointed: unknown;
  /** Keeps a recovery point for the next attempt; resolves when it is durable. */
  checkpoint(value: unknown): Promise<void>;
  /** Reports how far the work is, from 0 to 1. Not durable; the latest of a turn wins. */
  progress(fraction: number, note?: string): void;
  /** Writes a log line. Not durable. */
  log(level: LogLevel, message: string): void;
  /**
   * Sends a part of what is being made to whoever reads the task's stream. Not durable; a later attempt streams anew.
   * Await it: it resolves when those who read have caught up.
   */
  stream(item: unknown): Promise<unknown>;
  /** Runs an effect once for all attempts: a later attempt gets the recorded value. The value is JSON. */
  once<T>(key: string, effect: () => T | Promise<T>): Promise<T>;
  readonly blobs: {
    /** @throws RuntimeError `blob/unknown`, `blob/range` */
    read(ref: BlobRef): Promise<Uint8Array>;
    /** Stores bytes beside the journal; they live as long as the execution or the task that made them. */
    write(bytes: Uint8Array): Promise<BlobRef>;
  };
}

/** An agent: pure data, two schemas, and the function that does the work. */
export interface AgentDefinition<I = unknown, O = unknown> {
  readonly name: string;
  readonly version: string;
  /** What it can do: `translate`, or `translate@2.1.0` for those who need a range of versions. `code` does `code.refactor` too. */
  readonly capabilities: readonly string[];
  readonly description?: string | undefined;
  /** What it is best at: tasks that name one of these prefer it. */
  readonly specializations?: readonly string[] | undefined;
  /** The most attempts at once, over all of its workers. Default: what these have slots for. */
  readonly maxConcurrentTasks?: number | undefined;
  /** After so many attempts a worker is ended when it runs none, and a new one takes its place. Default: never. */
  readonly recycleAfter?: number | undefined;
  /** Attempts that one worker runs at once, unless the page says another number. Default 1. */
  readonly slots?: number | undefined;
  /** The longest an attempt may run, in milliseconds, for tasks that say nothing else. Default: the capability's. */
  readonly timeout?: number | undefined;
  /** How tasks that say nothing else are tried again; what is left out is the capability's. */
  readonly retry?:
    | {
        readonly maxAttempts?: number;
        readonly base?: number;
        readonly factor?: number;
        readonly cap?: number;
        readonly jitter?: "full" | "none";
        readonly except?: readonly string[];
        readonly also?: readonly string[];
      }
    | undefined;
  readonly input: StandardSchema<I>;
  readonly output: StandardSchema<O>;
  run(input: I, context: AgentContext): O | Promise<O>;
  /**
   * Called when an attempt has ended and no other runs: forgets what the next one mustn't find. It is part of the
   * attempt's time; when it throws, the worker is ended as crashed.
   */
  reset?(): void | Promise<void>;
}

/** How agents and capabilities are named. */
export const AGENT_NAME: RegExp = /^[a-z\d][\w.-]{0,63}$/i;

/** How a capability is offered: its name, and perhaps its version. */
export const CAPABILITY: RegExp = /^[a-z\d][\w.-]{0,63}(@\d+\.\d+\.\d+([-+][\w.+-]{1,64})?)?$/i;

/** How agents are versioned: major.minor.patch, and a suffix. */
export const AGENT_VERSION: RegExp = /^\d+\.\d+\.\d+([-+][\w.+-]{1,64})?$/;

/**
 * Checks a definition and returns it. Serve it in a worker with `exposeAgent`.
 * @throws RuntimeError `agent/manifest-invalid`, naming the field.
 */
export function defineAgent<I, O>(definition: AgentDefinition<I, O>): AgentDefinition<I, O> {
  const { name, version, capabilities, run, input, output } = definition as Partial<AgentDefinition<I, O>>;
  const is = (text = ""): boolean => CAPABILITY.test(text);
  const wrong =
    (!is(name) && "name") ||
    (!is(`${name}@${version}`) && "version") ||
    (!(capabilities?.length && capabilities.every(is)) && "capabilities") ||
    (typeof run !== "function" && "run") ||
    (!input?.["~standard"] && "input") ||
    (!output?.["~standard"] && "output");
  if (wrong) throw new RuntimeError("agent/manifest-invalid", { agent: name, field: wrong });
  return definition;
}
