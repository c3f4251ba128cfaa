/** Flowcraft, as its documentation has it: nodes are functions of the page, and nothing is kept. */
import { createFlow, FlowRuntime } from "flowcraft";
import { demand } from "../page/measure.ts";

export interface Flow {
  /** Runs it to its end; gives the number of its nodes. */
  run(): Promise<number>;
  /** When the first node of the latest run began, by the page's clock. */
  readonly first: number;
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

export function flowChain(length: number): Flow {
  return make(
    length,
    Array.from({ length: length - 1 }, (_, at) => [at, at + 1] as const),
  );
}

/** One node, and `width - 1` behind it. */
export function flowFan(width: number): Flow {
  return make(
    width,
    Array.from({ length: width - 1 }, (_, at) => [0, at + 1] as const),
  );
}

function make(nodes: number, edges: readonly (readonly [number, number])[]): Flow {
  let done = 0;
  let first = 0;
  const flow = createFlow("bench");
  const work = (): Promise<{ output: number }> => {
    if (done++ === 0) first = performance.now();
    return Promise.resolve({ output: 1 });
  };
  for (let at = 0; at < nodes; at++) flow.node(`n${String(at)}`, work);
  for (const [from, to] of edges) flow.edge(`n${String(from)}`, `n${String(to)}`);
  const runtime = new FlowRuntime({ logger: silent });
  return {
    get first() {
      return first;
    },
    async run() {
      done = 0;
      const { status } = await flow.run(runtime, {});
      demand(status === "completed" && done === nodes, `Flowcraft: ${status}, ${String(done)} nodes`);
      return done;
    },
  };
}

function ignore(): void {
  // its log would be measured too
}
