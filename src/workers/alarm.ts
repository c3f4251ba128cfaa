import type { Engine } from "../core/engine.ts";

/** Timers longer than this overflow in browsers; the alarm then rings early and is set again. */
const LONGEST = 2_000_000_000;

/** A ring this late means that the machine slept or the process was frozen: nobody's time ran meanwhile. */
const SLEPT = 5_000;

/** One timer for the next due time of all. */
export interface Alarm {
  /** Sets the timer anew. */
  set(): void;
  stop(): void;
}

export function createAlarm(engine: Engine): Alarm {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueAt: number | undefined;

  const ring = (): void => {
    timer = undefined;
    const late = Date.now() - (dueAt ?? 0);
    dueAt = undefined;
    if (late > SLEPT) engine.submit([{ type: "task.extend", data: { by: late } }]);
    engine.wake();
    set();
  };
  const set = (): void => {
    const next = engine.nextDue();
    if (next === dueAt) return;
    clearTimeout(timer);
    dueAt = next;
    if (next === undefined) return;
    const wait = Math.min(LONGEST, Math.max(0, next - Date.now()));
    if (wait === LONGEST) dueAt = Date.now() + LONGEST;
    timer = setTimeout(ring, wait);
  };
  set();
  return {
    set,
    stop() {
      clearTimeout(timer);
    },
  };
}
