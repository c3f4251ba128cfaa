/** How tasks fail: which attempts are followed by another, and the errors that say whose time was over. */
import type { ErrorData } from "../errors.ts";
import type { Env, FactOf } from "../kernel.ts";
import type { Retry } from "../plugin.ts";
import { DEFAULTS } from "./priority.ts";
import { isActive, type Task, type TaskEvents } from "./task.ts";

export type TaskFact = FactOf<TaskEvents>;
export type ActiveTask = Task & { readonly link: string };

/** More about a failure than its error. */
interface Manner {
  /** The agent may still be running. */
  readonly held?: boolean | undefined;
  /** One of the task's times was over. */
  readonly timedOut?: boolean | undefined;
}

/** The longest that an attempt of the task may run. */
export function timeoutOf({ timeout, terms }: Pick<Task, "timeout" | "terms">): number {
  return timeout ?? terms?.timeout ?? DEFAULTS.timeout;
}

/** A retry in which nothing is left open. */
type Plan = Retry & { readonly [K in keyof typeof DEFAULTS.retry]: NonNullable<Retry[K]> };

function planOf({ retry, terms }: Task): Plan {
  return { ...DEFAULTS.retry, ...mergeRetry(terms?.retry, retry) } as Plan;
}

/** Field by field: the latter one says more. */
export function mergeRetry(...parts: readonly (Retry | undefined)[]): Retry {
  const said = parts.flatMap((part) => Object.entries(part ?? {})).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said);
}

/** Records the failure of the active attempt, and plans the next one while there are any left. */
export function failAttempt(
  task: ActiveTask,
  error: ErrorData,
  { now, random }: Env,
  { held, timedOut }: Manner = {},
): TaskFact {
  const { id, attempt, link, parent, failures } = task;
  const { code, retryable } = error;
  const retry = planOf(task);
  const mayRetry = (retryable !== false || retry.also?.includes(code)) && !retry.except?.includes(code);
  const again = mayRetry && failures + 1 < retry.maxAttempts;
  const data = {
    id,
    attempt,
    link,
    error,
    ...(again && { retryAt: now + retryDelay(retry, failures + 1, random) }),
    ...(held && { held }),
    ...(timedOut && { timedOut }),
    ...(parent && { parent }),
  };
  return { type: "task.failed", data };
}

/** Records that the task has failed for good, whatever it was doing. */
export function failTask(
  task: Task,
  error: ErrorData,
  { timedOut, cause }: { readonly timedOut?: boolean; readonly cause?: string } = {},
): TaskFact {
  const { id, attempt, link, parent } = task;
  const data = {
    id,
    attempt,
    ...(isActive(task) && { link, held: true }),
    error,
    ...(timedOut && { timedOut }),
    ...(parent && { parent }),
    ...(cause !== undefined && { cause }),
  };
  return { type: "task.failed", data };
}

/** The wait before the attempt that follows failure number `failure`: exponential, capped, with full jitter (Brooker, AWS 2015). */
export function retryDelay(retry: Plan, failure: number, random: () => number): number {
  let longest = retry.base;
  // Not `**`, whose last digits differ between runtimes (E7).
  for (let at = 1; at < failure && longest < retry.cap; at++) longest *= retry.factor;
  longest = Math.min(retry.cap, longest);
  return Math.round(retry.jitter === "full" ? random() * longest : longest);
}

function timeoutError(code: string, message: string, detail: Readonly<Record<string, number>>): ErrorData {
  return { name: "TimeoutError", message, code, detail };
}

export function attemptTimeout(task: Task): ErrorData {
  const timeout = timeoutOf(task);
  return timeoutError("task/timeout", `the attempt ran longer than ${String(timeout)} ms and was stopped`, { timeout });
}

export function idleTimeout(idle: number): ErrorData {
  return timeoutError("task/idle-timeout", `the attempt showed no sign of life for ${String(idle)} ms`, { idle });
}

export function queueTimeout(queue: number): ErrorData {
  return timeoutError("task/queue-timeout", `no worker took the task within ${String(queue)} ms`, { queue });
}

export function totalTimeout(total: number): ErrorData {
  return timeoutError("task/total-timeout", `the task had not ended ${String(total)} ms after it was made`, { total });
}

export function deadlinePassed(deadline: number): ErrorData {
  return {
    name: "RuntimeError",
    message: "the task had not ended at its deadline",
    code: "task/deadline",
    detail: { deadline },
  };
}

export function interruptedTooOften(interruptions: number, reason: string): ErrorData {
  return {
    name: "RuntimeError",
    message: `interrupted ${String(interruptions + 1)} times, last because ${reason}`,
    code: "task/interrupted",
    detail: { interruptions: interruptions + 1, reason },
    retryable: false,
  };
}
