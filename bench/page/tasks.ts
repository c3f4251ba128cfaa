/** Durable tasks: from a page to an agent, and acknowledged when their end is durable. */
import { openBound, type Bound } from "./bound.ts";
import { latency, rate, type Benchmark, type Scale } from "./measure.ts";
import { openOurs, openStoring, type Ours } from "./ours.ts";
import { openPool, openPosts, type Pool, type Posts } from "./raw.ts";

interface All {
  readonly ours: Ours;
  readonly cells: Ours;
  readonly bound: Bound;
  readonly posts: Posts;
  readonly pool: Pool;
}

export function tasks({ quick }: Scale): Benchmark[] {
  const run = String(Date.now());
  let opened: Promise<All> | undefined;
  const open = async (): Promise<All> => ({
    ours: await openOurs(`tasks-${run}`, true),
    cells: await openOurs(`cells-${run}`, false),
    bound: await openBound(`bound-${run}`),
    posts: openPosts(),
    pool: openPool(),
  });
  const all = (): Promise<All> => (opened ??= open());
  const many = quick ? 4_000 : 20_000;
  const few = quick ? 500 : 3_000;
  return [
    flood("durable tasks, 2,000 in flight", many, 2_000, all),
    flood("durable tasks, 64 in flight", few, 64, all),
    ...[100, 1_000, 10_000].map((window) => inFlight(window, Math.min(many, 20 * window), all)),
    alone(quick ? 50 : 200, all),
    storing(quick ? 500 : 2_000, `storing-${run}`),
  ];
}

function flood(name: string, count: number, window: number, all: () => Promise<All>): Benchmark {
  return {
    name,
    figures: [{ figure: name, unit: "tasks/s", better: "more" }],
    open: async () => {
      const { ours, cells, bound, posts, pool } = await all();
      return [
        { name: "ours", role: "ours", round: rate(() => ours.tasks(count, window)) },
        { name: "bound", role: "bound", round: rate(() => bound.tasks(count, window)) },
        { name: "ours, isolated", role: "ours", variant: "isolated", round: rate(() => cells.tasks(count, window)) },
        { name: "Comlink, 2 workers (nothing kept)", role: "peer", round: rate(() => pool.tasks(count, window)) },
        { name: "postMessage of 100", role: "limit", round: rate(() => posts.round(count)) },
      ];
    },
  };
}

/** How the rate grows with what is in flight, and that it doesn't fall again. */
function inFlight(window: number, count: number, all: () => Promise<All>): Benchmark {
  const name = `durable tasks by what is in flight, ${window.toLocaleString("en")}`;
  const place = { line: "durable tasks", over: "tasks in flight", count: window };
  return {
    name,
    figures: [{ figure: name, unit: "tasks/s", better: "more", place }],
    open: async () => {
      const { ours, bound } = await all();
      return [
        { name: "ours", role: "ours", round: rate(() => ours.tasks(count, window)) },
        { name: "bound", role: "bound", round: rate(() => bound.tasks(count, window)) },
      ];
    },
  };
}

/** What a batch saves an agent that pays for each call: here with a strict transaction of its own. */
function storing(count: number, name: string): Benchmark {
  const figure = "small tasks that their agent keeps, 50 together";
  return {
    name: figure,
    figures: [{ figure, unit: "tasks/s", better: "more" }],
    open: async () => {
      const ours = await openStoring(name);
      const by = (capability: string) => rate(() => ours.tasks(count, 500, capability));
      return [
        { name: "ours", role: "ours", round: by("batch") },
        { name: "ours, each by itself", role: "peer", round: by("single") },
      ];
    },
  };
}

function alone(count: number, all: () => Promise<All>): Benchmark {
  const figure = (part: string) => ({ figure: `one durable task alone, ${part}`, unit: "ms", better: "less" }) as const;
  return {
    name: "one durable task alone",
    figures: [figure("p50"), figure("p99")],
    open: async () => {
      const { ours, cells, bound, pool } = await all();
      return [
        { name: "ours", role: "ours", round: latency(count, () => ours.tasks(1, 1)) },
        { name: "bound", role: "bound", round: latency(count, () => bound.tasks(1, 1)) },
        { name: "ours, isolated", role: "ours", variant: "isolated", round: latency(count, () => cells.tasks(1, 1)) },
        { name: "Comlink, 2 workers (nothing kept)", role: "peer", round: latency(count, () => pool.tasks(1, 1)) },
      ];
    },
  };
}
