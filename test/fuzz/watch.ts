/** Runs a door on a thread of its own, and ends one that isn't heard of any more. */
import { Worker } from "node:worker_threads";
import type { Report, Totals } from "./play.ts";
import type { Order } from "./thread.ts";

/** Nothing was heard of an episode for so long, in milliseconds: it hangs. */
const HANGS = 60_000;

/** Runs a door on a thread; one that isn't heard of any more is ended. */
export function runDoor(order: Order): Promise<Totals> {
  const pulse = new Int32Array(new SharedArrayBuffer(12)); // beats, the episode, inputs so far
  const worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData: { ...order, pulse } });
  return new Promise((resolve) => {
    let beats = -1;
    let since = performance.now();
    const end = (totals: Totals): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve(totals);
    };
    const broken = (kind: string, message: string): void => {
      const [, episode = 0, count = 0] = pulse;
      end(brokenTotals(order, { kind, message, episode, count, milliseconds: performance.now() - since }));
    };
    const watch = setInterval(() => {
      const beat = Atomics.load(pulse, 0);
      if (beat !== beats) [beats, since] = [beat, performance.now()];
      else if (performance.now() - since > HANGS) broken("hangs", `an input has not ended after ${HANGS} ms`);
    }, 500);
    worker.once("message", end);
    worker.once("error", (error) => {
      broken("thread", String(error.stack ?? error));
    });
    worker.once("exit", (code) => {
      broken("thread", `the thread ended with ${code}`);
    });
  });
}

interface Broken {
  readonly kind: string;
  readonly message: string;
  readonly episode: number;
  readonly count: number;
  readonly milliseconds: number;
}

function brokenTotals({ door }: Order, { kind, message, episode, count, milliseconds }: Broken): Totals {
  const report: Report = { door, kind, message, inputs: [], tape: undefined, episode };
  return {
    door,
    inputs: count,
    episodes: episode,
    milliseconds,
    slowest: milliseconds,
    outcomes: {},
    reports: [report],
  };
}
