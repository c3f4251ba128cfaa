/**
 * Signs of life of attempts. They pass by and are not journaled: the host keeps the time of the last one, and the
 * engine hears only of the first (`task.start`) and of an idle time that is over (`task.idle`).
 */
import { holdingId } from "../core/agents/agent.ts";
import type { Engine } from "../core/engine.ts";
import type { CoreEvent } from "../core/runtime.ts";
import type { Task } from "../core/tasks/task.ts";

/** An agent's runtime says so often that an attempt is alive, in milliseconds; more often for a short idle time. */
const BEAT = 1_000;

/** So many beats fit into an idle time, so that one that is late doesn't end an attempt. */
const BEATS_PER_IDLE = 4;

/** A timer this late means that the machine slept or the process was frozen: nobody could show anything meanwhile. */
const SLEPT = 1_000;

/** Timers longer than this overflow in browsers; they ring earlier and are set again. */
const LONGEST = 2_000_000_000;

/** How often an attempt of the task says that it is alive, in milliseconds. */
export function beatOf({ timeouts }: Pick<Task, "timeouts">): number {
  return Math.max(1, Math.min(BEAT, Math.floor((timeouts?.idle ?? Infinity) / BEATS_PER_IDLE)));
}

interface Watch {
  readonly id: string;
  readonly attempt: number;
  readonly idle: number;
  lastSign: number;
  timer?: ReturnType<typeof setTimeout>;
}

export interface Liveness {
  /** The attempt was handed to its worker. */
  watch(task: Task, attempt: number): void;
  /** A frame about the attempt has come; or it may be silent until then, in milliseconds since 1970. */
  sign(task: string, attempt: number, until?: number): void;
  /** Forgets attempts that are over. */
  follow(event: CoreEvent): void;
  stop(): void;
}

export function createLiveness(engine: Pick<Engine, "submit">, now: () => number): Liveness {
  const watches = new Map<string, Watch>();
  const forget = (id: string, attempt: number): void => {
    const key = holdingId(id, attempt);
    clearTimeout(watches.get(key)?.timer);
    watches.delete(key);
  };
  const arm = (watch: Watch, left: number): void => {
    const wait = Math.min(left, LONGEST);
    const dueAt = now() + wait;
    watch.timer = setTimeout(() => {
      ring(watch, dueAt);
    }, wait);
  };
  const ring = (watch: Watch, dueAt: number): void => {
    const { id, attempt, idle } = watch;
    const at = now();
    if (at - dueAt > SLEPT) watch.lastSign = at; // it gets the whole time again
    const left = watch.lastSign + idle - at;
    if (left > 0) {
      arm(watch, left);
      return;
    }
    forget(id, attempt);
    engine.submit([{ type: "task.idle", data: { id, attempt } }]);
  };
  return {
    watch({ id, timeouts }, attempt) {
      const idle = timeouts?.idle;
      if (idle === undefined) return;
      forget(id, attempt);
      const watch: Watch = { id, attempt, idle, lastSign: now() };
      watches.set(holdingId(id, attempt), watch);
      arm(watch, idle);
    },
    sign(task, attempt, until = now()) {
      const watch = watches.get(holdingId(task, attempt));
      if (watch) watch.lastSign = until;
    },
    follow({ type, data }) {
      if (watches.size === 0) return;
      if (
        type === "task.completed" ||
        type === "task.failed" ||
        type === "task.interrupted" ||
        type === "task.cancelled"
      )
        forget(data.id, data.attempt);
    },
    stop() {
      for (const { timer } of watches.values()) clearTimeout(timer);
      watches.clear();
    },
  };
}
