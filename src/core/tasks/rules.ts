import type { CapabilitiesState } from "../capabilities/fold.ts";
import { defaultOf, flawOf } from "../capabilities/lookups.ts";
import { decodeError, encodeRefusal, plainError, RuntimeError, type ErrorData } from "../errors.ts";
import { decodeJson } from "../json.ts";
import type { Env, Request, Rules } from "../kernel.ts";
import type { HostingEvents } from "../hosting/hosting.ts";
import { isSpilled } from "../payload/reference.ts";
import { checkPayload } from "../payload/check.ts";
import { close, enter } from "./dependencies.ts";
import { endOf } from "./ends.ts";
import type { Terms } from "../plugin.ts";
import {
  failAttempt,
  failTask,
  idleTimeout,
  interruptedTooOften,
  mergeRetry,
  timeoutOf,
  type ActiveTask,
  type TaskFact,
} from "./failures.ts";
import type { TasksState } from "./fold.ts";
import { gateStatus } from "./gates.ts";
import { hasRoom, MAX_KEYS, openUse } from "./keys.ts";
import { meterDecisions, type MeterCommands, type MeterEvents } from "./meters.ts";
import { DEFAULTS, type Priority } from "./priority.ts";
import {
  isActive,
  MAX_INTERRUPTIONS,
  type AttemptKey,
  type TaskCommands,
  type TaskCreate,
  type Task,
  type TaskEvents,
} from "./task.ts";
import { wakeTask } from "./waking.ts";

export { retryDelay } from "./failures.ts";

export interface TasksView {
  readonly tasks: TasksState;
  readonly capabilities: CapabilitiesState;
}

export const tasksRules: Rules<
  TasksView,
  TaskCommands & MeterCommands,
  TaskEvents & MeterEvents,
  TaskEvents & HostingEvents
> = {
  decide: {
    ...meterDecisions,
    "task.create": (view, data, env) => {
      if (!data.parent) checkOutside(data.id, data.input);
      return create(view, data, env);
    },
    "task.assign": ({ tasks, capabilities }, { id, link, agent, terms: offered }, { now }) => {
      const task = tasks.tasks.get(id);
      if (task?.status !== "queued") return [];
      const attempt = task.attempt + 1;
      const terms = termsOf(capabilities, task.capabilities[0], offered);
      const dueAt = now + timeoutOf({ timeout: task.timeout, terms });
      const limits = task.limits?.length ? { limits: task.limits } : {};
      return [{ type: "task.assigned", data: { id, attempt, link, agent, dueAt, ...(terms && { terms }), ...limits } }];
    },
    "task.start": ({ tasks }, { id, attempt }) =>
      active(tasks, { id, attempt })?.status === "assigned" ? [{ type: "task.started", data: { id, attempt } }] : [],
    "task.checkpoint": ({ tasks }, { id, attempt, value }) =>
      active(tasks, { id, attempt }) ? [{ type: "task.checkpointed", data: { id, attempt, value } }] : [],
    "task.effect": ({ tasks }, { id, attempt, key, value }) => {
      const task = active(tasks, { id, attempt });
      if (!task || (task.effects && Object.hasOwn(task.effects, key))) return [];
      return [{ type: "task.effected", data: { id, attempt, key, value } }];
    },
    "task.complete": ({ tasks, capabilities }, { id, attempt, output }, env) => {
      const task = active(tasks, { id, attempt });
      if (!task) return []; // a late answer of an attempt that was replaced
      const { link, parent } = task;
      const flaw =
        flawOf(capabilities, task.capabilities[0] ?? "", "output", output) ??
        (parent?.index === undefined ? undefined : textFlaw(output)); // it becomes a part of a list
      if (flaw) return [failAttempt(task, flaw, env)];
      return [{ type: "task.completed", data: { id, attempt, link, output, ...(parent && { parent }) } }];
    },
    "task.fail": ({ tasks }, { id, attempt, error, held }, env) => {
      const task = active(tasks, { id, attempt });
      return task ? [failAttempt(task, plainError(error), env, { held })] : [];
    },
    "task.idle": ({ tasks }, { id, attempt }, env) => {
      const task = active(tasks, { id, attempt });
      const idle = task?.timeouts?.idle;
      if (!task || idle === undefined) return [];
      return [failAttempt(task, idleTimeout(idle), env, { held: true, timedOut: true })];
    },
    "task.interrupt": ({ tasks }, { id, attempt, reason }, env) => {
      const task = active(tasks, { id, attempt });
      if (!task) return [];
      const { link, interruptions } = task;
      if (interruptions < MAX_INTERRUPTIONS) return [{ type: "task.interrupted", data: { id, attempt, link, reason } }];
      return [failAttempt(task, interruptedTooOften(interruptions, reason), env)];
    },
    "task.suspend": ({ tasks }, { id, reason }) => {
      const task = tasks.tasks.get(id);
      const link = task && isActive(task) ? task.link : undefined;
      if (!task || link === undefined) return [];
      return [{ type: "task.interrupted", data: { id, attempt: task.attempt, link, reason, held: true } }];
    },
    "task.wake": ({ tasks }, { id }, env) => {
      const task = tasks.tasks.get(id);
      return task ? wakeTask(task, env) : [];
    },
    "task.settle": ({ tasks }, { id }, { now }) => settle(tasks, id, now),
    "task.extend": ({ tasks }, { by }) =>
      [...tasks.tasks.values()].flatMap((task): TaskFact[] => {
        const { id, attempt, status, dueAt } = task;
        if (dueAt === undefined || (!isActive(task) && status !== "queued")) return [];
        return [{ type: "task.extended", data: { id, attempt, dueAt: dueAt + by } }];
      }),
    "task.reprioritize": ({ tasks }, { id, priority }) => {
      const task = tasks.tasks.get(id);
      if (!task && !endOf(tasks.ends, id)) throw new RuntimeError("task/unknown", { id });
      if (!task || task.priority === priority) return [];
      return [{ type: "task.reprioritized", data: { id, priority } }];
    },
    "task.cancel": ({ tasks }, { id, reason = "cancelled" }) => {
      const task = tasks.tasks.get(id);
      if (!task) return [];
      const { attempt, parent } = task;
      const data = { id, attempt, reason, running: isActive(task), ...(parent && { parent }) };
      return [{ type: "task.cancelled", data }];
    },
  },
  react: {
    // Nothing of the former host's agents is left: what ran under it goes back to the queue.
    "host.started": ({ tasks }) =>
      [...tasks.tasks.values()].filter(isActive).map(({ id, attempt }): Request => ({
        type: "task.interrupt",
        data: { id, attempt, reason: "the host was restarted" },
      })),
    "task.completed": ({ tasks }, { id }) => settleDependents(tasks, id),
    "task.failed": ({ tasks }, { id, retryAt }) => (retryAt === undefined ? settleDependents(tasks, id) : []),
    "task.cancelled": ({ tasks }, { id }) => settleDependents(tasks, id),
    "task.skipped": ({ tasks }, { id }) => settleDependents(tasks, id),
  },
};

/** A task of a run is made by the run, whose ids and inputs are checked already. */
function checkOutside(id: string, input: string): void {
  if (id.includes("/"))
    throw new RuntimeError("command/invalid", { id, reason: "only tasks of a run have '/' in their ids" });
  checkPayload(input, id, "input");
}

function create({ tasks, capabilities }: TasksView, data: TaskCreate, env: Env): TaskFact[] {
  const { now } = env;
  const { id, parent, idempotency, capabilities: needs, input } = data;
  const [need = ""] = needs;
  if (tasks.tasks.has(id)) throw new RuntimeError("task/duplicate", { id });
  if (idempotency) {
    const first = openUse(tasks.keys, idempotency.key, now);
    if (first) return [{ type: "task.aliased", data: { id, of: first.task } }];
    if (!hasRoom(tasks.keys, now)) throw new RuntimeError("runtime/limit", { id, keys: MAX_KEYS });
  }
  const flaw = flawOf(capabilities, need, "input", input);
  if (flaw && !parent) throw decodeError({ ...flaw, detail: { id, ...flaw.detail } });
  const priority = data.priority ?? defaultOf(capabilities, need, "priority") ?? DEFAULTS.priority;
  const made = enterTask(tasks, data, priority, env);
  if (!flaw) return made;
  const failed = failTask({ id, parent, attempt: 0, status: "queued" } as Task, flaw); // a run hears of it as of any failure
  return [...made, failed];
}

function enterTask(tasks: TasksState, data: TaskCreate, priority: Priority, { now }: Env): TaskFact[] {
  const { id, after, startAt = 0 } = data;
  const ready = startAt > now ? ({ status: "waiting" } as const) : undefined;
  if (!after) return [{ type: "task.created", data: { ...data, priority, ...ready } }];
  const entry = enter(tasks, id, after);
  const asked = { ...data, after: entry.after, priority };
  if (entry.status === "passed") return [{ type: "task.created", data: { ...asked, ...ready } }];
  const pending = { ...asked, status: "pending", gate: entry.counts } as const;
  const created: TaskFact = { type: "task.created", data: pending };
  if (entry.status === "open") return [created];
  return [created, close(tasks.ends, { id, attempt: 0, status: "pending", after: entry.after })];
}

/** What the agent and the capability say, or undefined when neither does. */
function termsOf(capabilities: CapabilitiesState, need = "", agent: Terms = {}): Terms | undefined {
  const timeout = agent.timeout ?? defaultOf(capabilities, need, "timeout");
  const retry = mergeRetry(defaultOf(capabilities, need, "retry"), agent.retry);
  const says = Object.keys(retry).length > 0;
  if (timeout === undefined && !says) return undefined;
  return { ...(timeout !== undefined && { timeout }), ...(says && { retry }) };
}

/** The condition of a pending task is decided: it is ready, or can never be. */
function settle(tasks: TasksState, id: string, now: number): TaskFact[] {
  const task = tasks.tasks.get(id);
  const gate = tasks.gates.get(id);
  if (!task || !gate) return [];
  const status = gateStatus(gate);
  if (status === "open") return [];
  if (status === "closed") return [close(tasks.ends, task)];
  const { startAt = 0 } = task;
  if (startAt > now) return [{ type: "task.scheduled", data: { id, startAt } }];
  return [{ type: "task.queued", data: { id } }];
}

function settleDependents({ dependents, gates }: TasksState, id: string): Request[] {
  const decided = [...(dependents.get(id) ?? [])].filter((waiting) => {
    const gate = gates.get(waiting);
    return gate && gateStatus(gate) !== "open";
  });
  return decided.map((waiting) => ({ type: "task.settle", data: { id: waiting } }));
}

function textFlaw(output: string): ErrorData | undefined {
  try {
    if (!isSpilled(output)) decodeJson(output, "output");
    return undefined;
  } catch (error) {
    return { ...encodeRefusal(error), code: "agent/output-invalid", retryable: false };
  }
}

/** The task with this as its present attempt, if that is active. */
function active(state: TasksState, { id, attempt }: AttemptKey): ActiveTask | undefined {
  const task = state.tasks.get(id);
  const current = task?.attempt === attempt && isActive(task);
  return current && task.link !== undefined ? (task as ActiveTask) : undefined;
}
