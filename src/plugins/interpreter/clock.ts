/** The time that untrusted code computes. */
import { RuntimeError } from "../../core/errors.ts";
import { platform } from "./platform.ts";

export interface Clock {
  /** Milliseconds so far. */
  readonly used: number;
  /** Since the slice that runs has begun. */
  readonly slice: number;
  /** Whether the code has to end; once so, always so, because code can survive the first interrupt in a promise. */
  isOver(): boolean;
  /**
   * Counts what runs.
   * @throws RuntimeError `agent/cpu-exceeded` when that was too much
   */
  count<T>(run: () => T): T;
}

export function createClock(cpuMs: number): Clock {
  let used = 0;
  let since: number | undefined;
  let over = false;
  const slice = (): number => (since === undefined ? 0 : platform.performance.now() - since);
  const isOver = (): boolean => (over ||= used + slice() > cpuMs);
  return {
    get used() {
      return used + slice();
    },
    get slice() {
      return slice();
    },
    isOver,
    count(run) {
      since = platform.performance.now();
      try {
        const result = run();
        if (isOver()) throw cpuExceeded(cpuMs);
        return result;
      } finally {
        used += slice();
        since = undefined;
      }
    },
  };
}

export const cpuExceeded = (limit: number): RuntimeError =>
  new RuntimeError("agent/cpu-exceeded", { limit, unit: "ms", where: "the interpreter" });
