import type { Signal } from "../core/protocol.ts";

/** Signals are gathered for so long before they are posted, in milliseconds. */
const SIGNAL_EVERY = 50;

/** Log lines beyond so many in that time are not shown. */
const MAX_LINES = 1_000;

export interface Signals {
  add(signal: Signal): void;
  /** The latest progress of every task that runs: for a page that has just come. */
  latest(): readonly Signal[];
  end(task: string): void;
  stop(): void;
}

/** Gathers signals; of one task only the latest progress counts. */
export function createSignals(post: (signals: readonly Signal[]) => void): Signals {
  let progress = new Map<string, Signal>();
  let logs: Signal[] = [];
  const latest = new Map<string, Signal>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    const all = [...logs, ...progress.values()];
    progress = new Map();
    logs = [];
    post(all);
  };
  return {
    add(signal) {
      if (signal.kind === "progress") {
        progress.set(signal.task, signal);
        latest.set(signal.task, signal);
      } else if (logs.length < MAX_LINES) logs.push(signal);
      timer ??= setTimeout(flush, SIGNAL_EVERY);
    },
    latest: () => [...latest.values()],
    end(task) {
      latest.delete(task);
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
