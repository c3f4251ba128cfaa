/** What passes for a task: messages between page, host and worker, and transactions of storage. Counts, not times. */
import type { Runtime } from "../../src/index.ts";
import { connect } from "../../src/index.ts";
import { countAs, countedBy, differences, pause, type Counts, type Part } from "../counted/counters.ts";
import { demand, type Benchmark, type Figure, type Scale } from "./measure.ts";

const ASSETS = "/bench/dist/counted/";
const PARTS = { host: 1, page: 1, worker: 1 } as const;

interface Counted {
  readonly what: string;
  readonly of: (sums: Record<Part, Counts>) => number;
}

const COUNTED: readonly Counted[] = [
  { what: "transactions that write", of: ({ host }) => host.writes },
  { what: "messages of the page", of: ({ page }) => page.posts },
  { what: "messages of the host", of: ({ host }) => host.posts },
  { what: "messages of the worker", of: ({ worker }) => worker.posts },
];

export function traffic({ quick }: Scale): Benchmark[] {
  const count = quick ? 100 : 500;
  let opened: Promise<Runtime> | undefined;
  const place = (): Promise<Runtime> => (opened ??= open());
  return [1, 64, 1_000].map((window): Benchmark => {
    const name = window === 1 ? "a task alone" : `a task among ${window.toLocaleString("en")} in flight`;
    const total = window === 1 ? count : Math.max(count, 10 * window);
    const figures = COUNTED.map(({ what }): Figure => ({
      figure: `${name}: ${what}`,
      unit: "",
      better: "less",
      place: { line: `a task: ${what}`, over: "tasks in flight", count: window },
    }));
    return {
      name,
      figures,
      open: async () => {
        const runtime = await place();
        return [{ name: "ours", role: "ours", round: () => counted(runtime, total, window) }];
      },
    };
  });
}

async function open(): Promise<Runtime> {
  countAs("page");
  const runtime = await connect({ name: `traffic-${String(Date.now())}`, assets: ASSETS });
  await runtime.registerAgent({ url: "/bench/dist/counted-agent.js", trusted: true, slots: 1_000 });
  await run(runtime, 10, 1);
  return runtime;
}

async function counted(runtime: Runtime, total: number, window: number): Promise<readonly number[]> {
  await pause(50); // what acknowledges the ones before has passed
  const before = await countedBy(PARTS);
  await run(runtime, total, window);
  await pause(50);
  const sums = differences(before, await countedBy(PARTS));
  return COUNTED.map(({ of }) => of(sums) / total);
}

/** So many tasks, so many of them at once; each answer is looked at. */
async function run(runtime: Runtime, total: number, window: number): Promise<void> {
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < total) {
      const n = sent++;
      const output = await runtime.result(runtime.createTask({ capabilities: ["echo"], input: { n } }));
      demand((output as { n: number }).n === n, "the task");
    }
  };
  await Promise.all(Array.from({ length: window }, lane));
}
