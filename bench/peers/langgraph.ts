/** LangGraph.js, as its documentation has it for browsers. */
import { Annotation, END, MemorySaver, START, StateGraph, type BaseCheckpointSaver } from "@langchain/langgraph/web";
import { demand } from "../page/measure.ts";
import { openIdbSaver } from "./idb-saver.ts";

export interface Graph {
  /** Runs it so many times at once, each run in a thread of its own; gives the number of nodes that ran. */
  run(runs: number): Promise<number>;
  readonly first: number;
}

/** none: nothing is kept; memory: its MemorySaver; indexeddb: each step is durable before the next. */
export type Saving = "none" | "memory" | "indexeddb";

const sum = Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 });
const State = Annotation.Root({ n: sum });

/** The part of a graph that takes names which are made at run time. */
interface Loose {
  addNode(name: string, run: () => { n: number }): unknown;
  addEdge(from: string, to: string): unknown;
  compile(options: { checkpointer?: BaseCheckpointSaver }): {
    invoke(input: { n: number }, options: object): Promise<{ n: number }>;
  };
}

export function graphChain(length: number, saving: Saving): Promise<Graph> {
  const edges = Array.from({ length: length - 1 }, (_, at) => [name(at), name(at + 1)] as const);
  return make(length, [[START, name(0)], ...edges, [name(length - 1), END]], saving);
}

export function graphFan(width: number, saving: Saving): Promise<Graph> {
  const all = Array.from({ length: width }, (_, at) => name(at));
  return make(width, [...all.map((to) => [START, to] as const), ...all.map((from) => [from, END] as const)], saving);
}

const name = (at: number): string => `n${String(at)}`;
let threads = 0;
let idb: Promise<BaseCheckpointSaver> | undefined;

async function make(nodes: number, edges: readonly (readonly [string, string])[], saving: Saving): Promise<Graph> {
  let first = 0;
  const graph = new StateGraph(State) as unknown as Loose;
  const work = (): { n: number } => {
    first ||= performance.now();
    return { n: 1 };
  };
  for (let at = 0; at < nodes; at++) graph.addNode(name(at), work);
  for (const [from, to] of edges) graph.addEdge(from, to);
  if (saving === "indexeddb") idb ??= openIdbSaver(`langgraph-${String(Date.now())}`);
  const checkpointer = saving === "memory" ? new MemorySaver() : saving === "indexeddb" ? await idb : undefined;
  const compiled = graph.compile(checkpointer ? { checkpointer } : {});
  return {
    get first() {
      return first;
    },
    async run(runs) {
      first = 0;
      const one = async (): Promise<number> => {
        const options = {
          recursionLimit: 5_000,
          durability: "sync",
          configurable: { thread_id: `t${String(++threads)}` },
        };
        const { n } = await compiled.invoke({ n: 0 }, options);
        return n;
      };
      const done = await Promise.all(Array.from({ length: runs }, one));
      demand(
        done.every((n) => n === nodes),
        "LangGraph's nodes",
      );
      return runs * nodes;
    },
  };
}
