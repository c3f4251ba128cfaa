import { encodeRefusal, plainError, RuntimeError, type ErrorData } from "../errors.ts";
import { checkJson, decodeJson } from "../json.ts";
import type { Env, FactOf, Request, Rules } from "../kernel.ts";
import type { HostingEvents } from "../hosting/hosting.ts";
import type { TasksState } from "./fold.ts";
import type { Retry } from "./order.ts";
import { MAX_INTERRUPTIONS, type AttemptKey, type Task, type TaskCommands, type TaskEvents } from "./task.ts";

export interface TasksView {
  readonly tasks: TasksState;
}

type TaskFact = FactOf<TaskEvents>;

export const tasksRules: Rules<TasksView, TaskCommands, TaskEvents, TaskEvents & HostingEvents> = {
  decide: {
    "task.create": ({ tasks }, data) => {
      const { id, input, parent } = data;
      if (!parent) checkOutside(id, input);
      if (tasks.tasks.has(id)) throw new RuntimeError("task/duplicate", { id });
      return [{ type: "task.created", data: { ...data, priority: data.priority ?? "medium" } }];
    },
    "task.assign": ({ tasks }, { id, link, agent }, { now }) => {
      const task = tasks.tasks.get(id);
      if (task?.status !== "queued") return [];
      const attempt = task.attempt + 1;
      const dueAt = now + task.timeout;
      const limits = task.limits?.length ? { limits: task.limits } : {};
      return [{ type: "task.assigned", data: { id, attempt, link, agent, dueAt, ...limits } }];
    },
    "task.checkpoint": ({ tasks }, { id, attempt, value }) =>
      running(tasks, { id, attempt }) ? [{ type: "task.checkpointed", data: { id, attempt, value } }] : [],
    "task.effect": ({ tasks }, { id, attempt, key, value }) => {
      const task = running(tasks, { id, attempt });
      if (!task || (task.effects && Object.hasOwn(task.effects, key))) return [];
      return [{ type: "task.effected", data: { id, attempt, key, value } }];
    },
    "task.complete": ({ tasks }, { id, attempt, output }, env) => {
      const task = running(tasks, { id, attempt });
      if (!task) return []; // a late answer of an attempt that was replaced
      const { link, parent } = task;
      const flaw = parent?.index === undefined ? undefined : flawOf(output); // it becomes a part of a list
      if (flaw) return failAttempt(task, flaw, false, env);
      return [{ type: "task.completed", data: { id, attempt, link, output, ...origin(parent) } }];
    },
    "task.fail": ({ tasks }, { id, attempt, error, held }, env) => {
      const task = running(tasks, { id, attempt });
      return task ? failAttempt(task, plainError(error), held === true, env) : [];
    },
    "task.interrupt": ({ tasks }, { id, attempt, reason }, env) => {
      const task = running(tasks, { id, attempt });
      if (!task) return [];
      const { link, interruptions } = task;
      if (interruptions < MAX_INTERRUPTIONS) return [{ type: "task.interrupted", data: { id, attempt, link, reason } }];
      return failAttempt(task, interruptedTooOften(interruptions, reason), false, env);
    },
    "task.wake": ({ tasks }, { id }, env) => {
      const task = tasks.tasks.get(id);
      if (task?.dueAt === undefined || task.dueAt > env.now) return [];
      if (task.status === "retrying") return [{ type: "task.queued", data: { id } }];
      const live = running(tasks, task);
      return live ? failAttempt(live, timedOut(live), true, env) : [];
    },
    "task.extend": ({ tasks }, { by }) =>
      [...tasks.tasks.values()]
        .filter(({ status }) => status === "running")
        .map(({ id, attempt, dueAt = 0 }) => ({
          type: "task.extended",
          data: { id, attempt, dueAt: dueAt + by },
        })),
    "task.cancel": ({ tasks }, { id, reason = "cancelled" }) => {
      const task = tasks.tasks.get(id);
      if (!task) return [];
      const { attempt, parent, status } = task;
      const data = { id, attempt, reason, running: status === "running", ...origin(parent) };
      return [{ type: "task.cancelled", data }];
    },
  },
  react: {
    // Nothing of the former host's agents is left: what ran under it goes back to the queue.
    "host.started": ({ tasks }) =>
      [...tasks.tasks.values()]
        .filter(({ status }) => status === "running")
        .map(({ id, attempt }): Request => ({
          type: "task.interrupt",
          data: { id, attempt, reason: "the host was restarted" },
        })),
  },
};

/** A task of a run is made by the run, whose ids and inputs are checked already. */
function checkOutside(id: string, input: string): void {
  if (id.includes("/"))
    throw new RuntimeError("command/invalid", { id, reason: "only tasks of a run have '/' in their ids" });
  checkJson(input, "input");
}

function flawOf(output: string): ErrorData | undefined {
  try {
    decodeJson(output, "output");
    return undefined;
  } catch (error) {
    return { ...encodeRefusal(error), code: "agent/output-invalid", retryable: false };
  }
}

type RunningTask = Task & { readonly link: string };

function running(state: TasksState, { id, attempt }: AttemptKey): RunningTask | undefined {
  const task = state.tasks.get(id);
  const current = task?.status === "running" && task.attempt === attempt;
  return current && task.link !== undefined ? (task as RunningTask) : undefined;
}

function origin(parent: Task["parent"]): { parent?: NonNullable<Task["parent"]> } {
  return parent ? { parent } : {};
}

/** Records the failure, and plans the next attempt while there are any left. */
function failAttempt(task: RunningTask, error: ErrorData, held: boolean, { now, random }: Env): TaskFact[] {
  const { id, attempt, link, parent, retry, failures } = task;
  const again = error.retryable !== false && failures + 1 < retry.maxAttempts;
  return [
    {
      type: "task.failed",
      data: {
        id,
        attempt,
        link,
        error,
        ...(again && { retryAt: now + retryDelay(retry, failures + 1, random) }),
        ...(held && { held }),
        ...origin(parent),
      },
    },
  ];
}

/** The wait before the attempt that follows failure number `failure`: exponential, capped, with full jitter (Brooker, AWS 2015). */
export function retryDelay(retry: Retry, failure: number, random: () => number): number {
  let longest = retry.base;
  // Not `**`, whose last digits differ between runtimes (E7).
  for (let at = 1; at < failure && longest < retry.cap; at++) longest *= retry.factor;
  longest = Math.min(retry.cap, longest);
  return Math.round(retry.jitter === "full" ? random() * longest : longest);
}

function timedOut({ timeout }: Task): ErrorData {
  return {
    name: "TimeoutError",
    message: `the attempt ran longer than ${String(timeout)} ms and was stopped`,
    code: "task/timeout",
    detail: { timeout },
  };
}

function interruptedTooOften(interruptions: number, reason: string): ErrorData {
  return {
    name: "RuntimeError",
    message: `interrupted ${String(interruptions + 1)} times, last because ${reason}`,
    code: "task/interrupted",
    detail: { interruptions: interruptions + 1, reason },
    retryable: false,
  };
}
