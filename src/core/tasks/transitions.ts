/** What a task can be, and what it can become: the table that rules and fold keep to. */

/** Statuses of a live task. */
export const LIVE_STATUSES = ["pending", "waiting", "queued", "assigned", "running", "retrying"] as const;

/** Statuses of a finished task, which never changes again. */
export const FINAL_STATUSES = ["completed", "failed", "cancelled", "timed-out", "skipped"] as const;

export type LiveStatus = (typeof LIVE_STATUSES)[number];
export type FinalStatus = (typeof FINAL_STATUSES)[number];

/**
 * pending: tasks that come before are still open · waiting: for `startAt` · queued: for a worker ·
 * assigned: given to a worker that has said nothing of it yet · running: the worker has · retrying: until the next
 * attempt may start · completed · failed · cancelled · timed-out: failed because some time was over ·
 * skipped: never started, since what it waited for can't come true, or it was asked for twice.
 */
export type TaskStatus = LiveStatus | FinalStatus;

/** What a task may be at first; skipped is one that repeats another (`alias`). */
export const FIRST_STATUSES: readonly TaskStatus[] = ["pending", "waiting", "queued", "skipped"];

const ended = ["completed", "failed", "timed-out", "cancelled"] as const;

/** Whatever is not in it is impossible; a test holds every command sequence against it. */
export const TRANSITIONS: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  pending: ["waiting", "queued", "failed", "timed-out", "cancelled", "skipped"],
  waiting: ["queued", "failed", "timed-out", "cancelled"],
  queued: ["assigned", "failed", "timed-out", "cancelled"],
  assigned: ["running", "queued", "retrying", ...ended],
  running: ["queued", "retrying", ...ended],
  retrying: ["queued", "failed", "timed-out", "cancelled"],
  completed: [],
  failed: [],
  cancelled: [],
  "timed-out": [],
  skipped: [],
};

/** Tells whether the task has ended. */
export function isFinal(status: TaskStatus): status is FinalStatus {
  return TRANSITIONS[status].length === 0;
}
