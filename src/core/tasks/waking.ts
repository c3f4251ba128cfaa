/** What a due time of a task comes to. */
import type { Env } from "../kernel.ts";
import {
  attemptTimeout,
  deadlinePassed,
  failAttempt,
  failTask,
  queueTimeout,
  totalTimeout,
  type ActiveTask,
  type TaskFact,
} from "./failures.ts";
import { isActive, type Task } from "./task.ts";
import { totalDue } from "./times.ts";

/** All that is due of the task at this moment. */
export function wakeTask(task: Task, env: Env): TaskFact[] {
  const end = endOf(task, env.now);
  if (end) return [end];
  const facts = lateness(task, env.now);
  if (task.dueAt !== undefined && task.dueAt <= env.now) facts.push(...statusEnd(task, env));
  return facts;
}

/** The earlier of the two times that end any task. */
function endOf(task: Task, now: number): TaskFact | undefined {
  const { timeouts, deadline, onDeadline } = task;
  const total = totalDue(task);
  const failsAt = onDeadline === "fail" && deadline !== undefined ? deadline : Infinity;
  if (Math.min(total, failsAt) > now) return undefined;
  if (failsAt <= total) return failTask(task, deadlinePassed(failsAt));
  return failTask(task, totalTimeout(timeouts?.total ?? 0), { timedOut: true });
}

function lateness({ id, deadline, late, onDeadline }: Task, now: number): TaskFact[] {
  if (late || deadline === undefined || deadline > now) return [];
  if (onDeadline === "escalate") return [{ type: "task.escalated", data: { id, priority: "critical" } }];
  return [{ type: "task.late", data: { id } }];
}

function statusEnd(task: Task, env: Env): TaskFact[] {
  if (task.status === "waiting" || task.status === "retrying") return [{ type: "task.queued", data: { id: task.id } }];
  if (task.status === "queued") return [failTask(task, queueTimeout(task.timeouts?.queue ?? 0), { timedOut: true })];
  if (!isActive(task)) return [];
  return [failAttempt(task as ActiveTask, attemptTimeout(task), env, { held: true, timedOut: true })];
}
