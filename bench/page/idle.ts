/** What happens when nothing happens: wake-ups and writes of a runtime with idle agents and a timer that isn't due. */
import { connect } from "../../src/index.ts";
import { countAs, countedBy, differences, pause, type Counts, type Part } from "../counted/counters.ts";
import { openCrowd } from "./crowd.ts";
import { demand, type Benchmark, type Figure, type Scale } from "./measure.ts";

const ASSETS = "/bench/dist/counted/";
const WORKERS = 2;
/** Agents that are offered and have no worker. */
const OFFERED = 100;
/** What came before must be over: a last ping 5 s after the work, and a new host's patience of 10 s with pages of the one before. */
const CALM = 12_000;
const PARTS = { host: 1, page: 1, worker: WORKERS } as const;

export function idle({ quick }: Scale): Benchmark[] {
  const seconds = quick ? 10 : 60;
  const figures = [
    ...of("host", "the host", ["timers", "posts", "reads", "writes"]),
    ...of("page", "the page", ["timers", "posts"]),
    ...of("worker", `${String(WORKERS)} workers`, ["timers", "posts"]),
  ];
  const name = `idle for ${String(seconds)} s`;
  const figureOf = ({ what }: (typeof figures)[number]): Figure => ({
    figure: `${name}, ${what}`,
    unit: "",
    better: "less",
  });
  return [
    {
      name,
      once: true,
      figures: figures.map(figureOf),
      open: () =>
        Promise.resolve([
          {
            name: "ours",
            role: "ours",
            round: async () => {
              const found = await rest(seconds * 1_000);
              return figures.map(({ part, key }) => found[part][key]);
            },
          },
        ]),
    },
  ];
}

const WORDS = {
  timers: "timers that ran",
  posts: "messages posted",
  reads: "transactions that read",
  writes: "transactions that write",
} as const;

function of(part: Part, who: string, keys: readonly (keyof Counts)[]) {
  return keys.map((key) => ({ part, key, what: `${who}: ${WORDS[key]}` }));
}

async function rest(milliseconds: number): Promise<Record<Part, Counts>> {
  countAs("page");
  const name = `idle-${String(Date.now())}`;
  const runtime = await connect({ name, assets: ASSETS });
  const about = { trusted: true, workers: WORKERS, minWorkers: WORKERS } as const;
  await runtime.registerAgent({ url: "/bench/dist/counted-agent.js", ...about });
  await openCrowd({ name, assets: ASSETS, count: OFFERED, shared: "nothing" });
  runtime.registerWorkflow({ id: "later", nodes: [{ id: "t", type: "timer", for: 3_600_000 }] });
  const run = runtime.startWorkflow("later");
  const work = async (n: number): Promise<void> => {
    const output = await runtime.result(runtime.createTask({ capabilities: ["echo"], input: { n } }));
    demand((output as { n: number }).n === n, "the task");
  };
  await work(1);
  while (runtime.agents.size <= OFFERED || runtime.agents.get("echo@1.0.0")?.links !== WORKERS) await pause(50);
  await pause(CALM);
  const before = await countedBy(PARTS);
  await pause(milliseconds);
  const after = await countedBy(PARTS);
  demand(runtime.executions.get(run)?.status === "running", "a run that waits");
  await work(2); // it was idle, not dead; and who counts has seen it
  const later = await countedBy(PARTS);
  const found = differences(before, after);
  const woken = differences(after, later);
  demand(woken.host.writes > 0 && woken.host.posts > 0 && woken.page.posts > 0, "counters that count");
  demand(woken.worker.posts > 0, "a worker that counts");
  return found;
}
