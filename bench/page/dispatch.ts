/** How quickly tasks reach two and eight workers and come back: ours durable, the others keep nothing. */
import { openWorkerpool } from "../peers/workerpool.ts";
import { latency, rate, type Benchmark, type Scale } from "./measure.ts";
import { openOurs, openStarts } from "./ours.ts";
import { openSingles, startOne } from "./raw.ts";

const WINDOW = 1_000;

export function dispatch({ quick }: Scale): Benchmark[] {
  const count = quick ? 2_000 : 20_000;
  return [...[2, 8].map((workers) => toWorkers(workers, count)), starts(quick ? 5 : 40)];
}

/** What it takes to have a worker for a task: one that is there, or a new one. */
function starts(count: number): Benchmark {
  const name = "one task, its worker started for it";
  const part = (which: string) => ({ figure: `${name}, ${which}`, unit: "ms", better: "less" }) as const;
  return {
    name,
    figures: [part("p50"), part("p99")],
    open: async () => {
      const ours = await openStarts(`starts-${String(Date.now())}`);
      const by = (capability: string) => latency(count, () => ours.tasks(1, 1, capability));
      return [
        { name: "ours", role: "ours", round: by("fresh") },
        { name: "ours, isolated", role: "ours", variant: "isolated", round: by("isolated") },
        { name: "ours, its worker is up", role: "ours", variant: "but it is up", round: by("echo") },
        { name: "new Worker, one message and back", role: "limit", round: latency(count, startOne) },
      ];
    },
  };
}

function toWorkers(workers: number, count: number): Benchmark {
  const name = `tasks to ${String(workers)} workers, 1,000 in flight`;
  return {
    name,
    figures: [{ figure: name, unit: "tasks/s", better: "more" }],
    open: async () => {
      const ours = await openOurs(`dispatch-${String(workers)}-${String(Date.now())}`, true, workers);
      const pool = openWorkerpool(workers);
      const singles = openSingles(workers);
      return [
        { name: "ours", role: "ours", round: rate(() => ours.tasks(count, WINDOW)) },
        { name: "workerpool (nothing kept)", role: "peer", round: rate(() => pool.tasks(count, WINDOW)) },
        {
          name: "postMessage, one a task (nothing kept)",
          role: "limit",
          round: rate(() => singles.tasks(count, WINDOW)),
        },
      ];
    },
  };
}
