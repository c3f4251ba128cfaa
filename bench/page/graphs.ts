/** Large graphs, and long histories: what the start of a run costs by its size, and a node by what has been before. */
import { flowChain, flowFan, type Flow } from "../peers/flowcraft.ts";
import type { WorkflowInput } from "../../src/core/index.ts";
import { demand, type Benchmark, type Scale } from "./measure.ts";
import { openOurs, type Ours } from "./ours.ts";
import { chain, localChain } from "./shapes.ts";

const SIZES = [200, 1_000, 10_000];

export function graphs({ quick }: Scale): Benchmark[] {
  const run = String(Date.now());
  let opened: Promise<Ours> | undefined;
  const all = (): Promise<Ours> => (opened ??= open(run));
  return [...SIZES.map((size) => start(size, all)), registration(10_000, all), ...histories(quick, `history-${run}`)];
}

async function open(run: string): Promise<Ours> {
  const ours = await openOurs(`graphs-${run}`, true);
  for (const size of SIZES) ours.runtime.registerWorkflow(chain(`of-${String(size)}`, size));
  await ours.runtime.settled();
  await ours.tasks(10, 1); // its worker is up
  return ours;
}

/** From the call to the moment when the page knows that an agent has the first node. */
function start(size: number, all: () => Promise<Ours>): Benchmark {
  const name = `a chain of ${size.toLocaleString("en")} nodes, from the start to the first node`;
  return {
    name,
    figures: [
      {
        figure: name,
        unit: "ms",
        better: "less",
        place: { line: "from the start of a chain to its first node", over: "nodes of the chain", count: size },
      },
    ],
    open: async () => {
      const { runtime } = await all();
      const ours = (): Promise<readonly number[]> =>
        new Promise((resolve) => {
          const started = performance.now();
          const id = runtime.startWorkflow(`of-${String(size)}`, { n: 1 });
          const stop = runtime.on("task.assigned", ({ id: task }) => {
            if (!task.startsWith(`${id}/`)) return;
            stop();
            resolve([performance.now() - started]);
            runtime.cancelWorkflow(id);
          });
        });
      const peer = (flow: Flow) => async (): Promise<readonly number[]> => {
        const started = performance.now();
        await flow.run();
        return [flow.first - started];
      };
      return [
        { name: "ours", role: "ours", round: ours },
        ...(size <= 1_000
          ? [{ name: "Flowcraft (nothing kept)", role: "peer", round: peer(flowChain(size)) } as const]
          : [{ name: "Flowcraft (nothing kept), a fan of 1,000", role: "peer", round: peer(flowFan(1_000)) } as const]),
      ];
    },
  };
}

/** From the call to the moment when the definition is checked, planned and durable. */
function registration(size: number, all: () => Promise<Ours>): Benchmark {
  const name = `a definition of ${size.toLocaleString("en")} nodes, proved and registered`;
  let count = 0;
  return {
    name,
    figures: [{ figure: name, unit: "ms", better: "less" }],
    open: async () => {
      const { runtime } = await all();
      const round = async (): Promise<readonly number[]> => {
        const id = `made-${String(++count)}`;
        const definition = chain(id, size);
        const started = performance.now();
        runtime.registerWorkflow(definition);
        await runtime.settled(id);
        return [performance.now() - started];
      };
      return [{ name: "ours", role: "ours", round }];
    },
  };
}

/** So many nodes have ended before the round: the cost of one more, in µs. Their rounds fit in between. */
const BEFORE = [0, 25_000, 50_000, 75_000, 100_000, 150_000, 200_000];
/** Of a round, in all its runs. */
const NODES = 4_000;

/** Nodes that the host runs itself, and nodes that agents run. */
function histories(quick: boolean, name: string): Benchmark[] {
  return [
    ...history("a node of the host", quick, `${name}-host`, localChain("line", 100), 100),
    ...history("a node of an agent", quick, `${name}-agent`, chain("line", 10), 10),
  ];
}

/** Chains of so many nodes, as many at once as a round has. */
function history(what: string, quick: boolean, name: string, definition: WorkflowInput, length: number): Benchmark[] {
  const runs = NODES / length / (quick ? 10 : 1);
  let ours: Ours | undefined;
  let made = 0;
  const opened = async (): Promise<Ours> => {
    if (ours) return ours;
    ours = await openOurs(name, true);
    ours.runtime.registerWorkflow(definition);
    await ours.runtime.settled();
    await ours.tasks(10, 1); // its worker is up
    return ours;
  };
  return BEFORE.map((full): Benchmark => {
    const before = quick ? full / 10 : full;
    const figure = `${what}, after ${before.toLocaleString("en")} others`;
    return {
      name: figure,
      figures: [{ figure, unit: "µs", better: "less" }],
      open: async () => {
        const { runs: run } = await opened();
        demand(made <= before, "no more before it than it says");
        while (made < before) made += await run("line", Math.min(runs, (before - made) / length), length);
        const round = async (): Promise<readonly number[]> => {
          const started = performance.now();
          const nodes = await run("line", runs, length);
          demand(nodes === runs * length, "the nodes");
          made += nodes;
          return [((performance.now() - started) * 1_000) / nodes];
        };
        return [{ name: "ours", role: "ours", round }];
      },
    };
  });
}
