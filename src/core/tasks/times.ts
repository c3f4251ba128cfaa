/** The due times of a task. It has several; the due index holds the earliest of them. */
import type { Task } from "./task.ts";

type Timed = Pick<Task, "dueAt" | "createdAt" | "timeouts" | "deadline" | "late">;

/** When something is next to be decided about a live task, or undefined. */
export function nextDue(task: Timed): number | undefined {
  const { dueAt, deadline, late } = task; // no rest of a record of forty fields: this happens with every change
  let at = Math.min(dueAt ?? Infinity, totalDue(task));
  if (deadline !== undefined && !late) at = Math.min(at, deadline);
  return at === Infinity ? undefined : at;
}

/** When its time is over, over all attempts and waits. */
export function totalDue({ createdAt, timeouts }: Pick<Task, "createdAt" | "timeouts">): number {
  return timeouts?.total === undefined ? Infinity : createdAt + timeouts.total;
}

/** When a task that is queued at that moment must have been given to a worker. */
export function queueDue({ timeouts }: Pick<Task, "timeouts">, at: number): number | undefined {
  return timeouts?.queue === undefined ? undefined : at + timeouts.queue;
}
