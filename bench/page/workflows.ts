/** Durable nodes: chains and fans through agents, and nodes that the host runs itself. */
import { flowChain, flowFan } from "../peers/flowcraft.ts";
import { graphChain, graphFan } from "../peers/langgraph.ts";
import { chartChain, chartFan } from "../peers/xstate.ts";
import { openBound, type Bound } from "./bound.ts";
import { percentile, rate, type Benchmark, type Contender, type Scale } from "./measure.ts";
import { openOurs, type Ours } from "./ours.ts";
import { chain, fan, localChain } from "./shapes.ts";
import { openCommits, type Commits } from "./raw.ts";

interface All {
  readonly ours: Ours;
  readonly bound: Bound;
  readonly commits: Commits;
}

const LENGTH = 10;
/** LangGraph's fans are smaller: it would need seconds for a thousand. */
const PEER_FAN = 100;
/** Runs of LangGraph at once, for the figures of many chains. */
const PEER_RUNS = 20;

export function workflows({ quick }: Scale): Benchmark[] {
  const run = String(Date.now());
  let opened: Promise<All> | undefined;
  const all = (): Promise<All> => (opened ??= open(run));
  return [
    chains(1_000, quick ? 200 : 1_000, all),
    chains(100, 100, all),
    chains(1, quick ? 5 : 20, all),
    fans(all),
    local(quick ? 10 : 40, all),
    steps(quick ? 50 : 200, all),
  ];
}

async function open(run: string): Promise<All> {
  const ours = await openOurs(`workflows-${run}`, true);
  const registered = [chain("chain", LENGTH), chain("long", 100), fan("fan", 1_000), localChain("local", 100)];
  for (const definition of registered) ours.runtime.registerWorkflow(definition);
  await ours.runtime.settled();
  return { ours, bound: await openBound(`nodes-${run}`), commits: await openCommits(`commits-${run}`) };
}

/** Chains of ten at once; one alone is repeated. */
function chains(shown: number, runs: number, all: () => Promise<All>): Benchmark {
  const name = `durable nodes through agents, ${shown.toLocaleString("en")} chain${shown === 1 ? "" : "s"} of ten at once`;
  return {
    name,
    figures: [
      {
        figure: name,
        unit: "nodes/s",
        better: "more",
        place: { line: "durable nodes through agents", over: "chains of ten at once", count: shown },
      },
    ],
    open: async () => {
      const { ours, bound } = await all();
      const single = shown === 1;
      const repeat = (work: () => Promise<number>, times: number) => rate(() => repeated(work, single ? times : 1));
      const atOnce = single ? 1 : runs;
      return [
        { name: "ours", role: "ours", round: repeat(() => ours.runs("chain", atOnce, LENGTH), runs) },
        { name: "bound", role: "bound", round: repeat(() => bound.chains(atOnce, LENGTH), runs) },
        ...(await peerChains(single ? 1 : PEER_RUNS)),
      ];
    },
  };
}

async function repeated(work: () => Promise<number>, times: number): Promise<number> {
  let units = 0;
  for (let time = 0; time < times; time++) units += await work();
  return units;
}

async function peerChains(atOnce: number): Promise<Contender[]> {
  const durable = await graphChain(LENGTH, "indexeddb");
  const memory = await graphChain(LENGTH, "memory");
  const flow = flowChain(LENGTH);
  const chart = await chartChain(LENGTH, false);
  const charted = await chartChain(LENGTH, true);
  return [
    { name: "LangGraph.js, IndexedDB saver", role: "peer", round: rate(() => durable.run(atOnce)) },
    { name: "LangGraph.js, MemorySaver", role: "peer", round: rate(() => memory.run(atOnce)) },
    {
      name: "XState, snapshot in IndexedDB, written behind",
      role: "peer",
      round: rate(() => repeated(charted.run, 5)),
    },
    { name: "XState (nothing kept)", role: "peer", round: rate(() => repeated(chart.run, 20)) },
    { name: "Flowcraft (nothing kept)", role: "peer", round: rate(() => repeated(flow.run, 20)) },
  ];
}

function fans(all: () => Promise<All>): Benchmark {
  const name = "durable nodes through agents, a fan of 1,000";
  return {
    name,
    figures: [{ figure: name, unit: "nodes/s", better: "more" }],
    open: async () => {
      const { ours, bound } = await all();
      const durable = await graphFan(PEER_FAN, "indexeddb");
      const memory = await graphFan(PEER_FAN, "memory");
      const flow = flowFan(1_000);
      const chart = chartFan(PEER_FAN);
      return [
        { name: "ours", role: "ours", round: rate(() => ours.runs("fan", 1, 1_001)) },
        { name: "bound", role: "bound", round: rate(() => bound.chains(1_000, 1)) },
        { name: "LangGraph.js, IndexedDB saver, fan of 100", role: "peer", round: rate(() => durable.run(1)) },
        { name: "LangGraph.js, MemorySaver, fan of 100", role: "peer", round: rate(() => memory.run(1)) },
        { name: "XState (nothing kept), fan of 100", role: "peer", round: rate(chart.run) },
        { name: "Flowcraft (nothing kept)", role: "peer", round: rate(flow.run) },
      ];
    },
  };
}

function local(runs: number, all: () => Promise<All>): Benchmark {
  const name = "durable nodes inside the host, chains of 100";
  return {
    name,
    figures: [{ figure: name, unit: "nodes/s", better: "more" }],
    open: async () => {
      const { ours, commits } = await all();
      const count = runs * 100;
      const flow = flowChain(100);
      const memory = await graphChain(LENGTH, "memory");
      return [
        { name: "ours", role: "ours", round: rate(() => ours.runs("local", runs, 100)) },
        { name: "Flowcraft (nothing kept)", role: "peer", round: rate(() => repeated(flow.run, 4)) },
        { name: "LangGraph.js, MemorySaver", role: "peer", round: rate(() => memory.run(PEER_RUNS)) },
        { name: "IndexedDB, events, 100 per record", role: "limit", round: rate(() => commits.events(count, 100)) },
        { name: "IndexedDB, events, 1,000 per record", role: "limit", round: rate(() => commits.events(count, 1_000)) },
      ];
    },
  };
}

/** One chain alone: every node's end is durable before the next one starts. */
function steps(count: number, all: () => Promise<All>): Benchmark {
  const name = "one chain alone, per durable step";
  const perStep = (work: () => Promise<number>) => async (): Promise<readonly number[]> => {
    const started = performance.now();
    const nodes = await work();
    return [(performance.now() - started) / nodes];
  };
  return {
    name,
    figures: [{ figure: name, unit: "ms", better: "less" }],
    open: async () => {
      const { ours, bound, commits } = await all();
      const durable = await graphChain(LENGTH, "indexeddb");
      const single = async (): Promise<readonly number[]> => {
        const times: number[] = [];
        for (let at = 0; at < count; at++) {
          const started = performance.now();
          await commits.events(1, 1);
          times.push(performance.now() - started);
        }
        return [percentile(times, 0.5)];
      };
      return [
        { name: "ours", role: "ours", round: perStep(() => repeated(() => ours.runs("long", 1, 100), count / 50)) },
        { name: "bound", role: "bound", round: perStep(() => repeated(() => bound.chains(1, 100), count / 50)) },
        { name: "LangGraph.js, IndexedDB saver", role: "peer", round: perStep(() => durable.run(1)) },
        { name: "one strict commit", role: "limit", round: single },
      ];
    },
  };
}
