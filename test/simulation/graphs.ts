/**
 * Workflows drawn from a seed whose results are known beforehand: branches, decisions and joins over tasks that add up
 * what came before. Whatever befalls a run of one, it ends with what is computed here, which knows nothing of tokens.
 */
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";
import { validate } from "../../src/workflow.ts";
import type { Chance } from "../../src/testing/simulation/chance.ts";

type Node = WorkflowInput["nodes"][number];
type Edge = NonNullable<WorkflowInput["edges"]>[number];

/** A part with one way in and one way out. */
interface Block {
  readonly first: string;
  readonly last: string;
  /** The tasks whose results are seen behind it. */
  readonly tail: readonly string[];
  /** Adds what its tasks put out for an input. */
  play(x: number, results: Map<string, number>): void;
}

export interface Graph {
  readonly definition: WorkflowInput;
  /** The output of a run, by its input: one number or null for each task. */
  expected(x: number): Record<string, number | null>;
}

/** What a task puts out; an agent does the same. */
export function addUp(n: number, of: readonly number[]): number {
  return (n * 7_919 + 31 * of.reduce((sum, one) => (sum * 3 + one) % 100_003, 1)) % 100_003;
}

const RETRY = { maxAttempts: 60, base: 20, cap: 500 };

/** What contradicts itself is refused at its registration, so it is drawn again. */
export function drawGraph(chance: Chance, id: string): Graph {
  for (;;) {
    const graph = drawAny(chance, id);
    if (validate(graph.definition).every(({ severity }) => severity !== "error")) return graph;
  }
}

function drawAny(chance: Chance, id: string): Graph {
  const nodes: Node[] = [];
  const edges: Edge[] = [];
  const tasks: string[] = [];
  const draw: Draw = { chance, nodes, edges, tasks };
  const start = drawTask(draw, []);
  const rest = drawBlock(draw, 3, start.tail);
  edges.push({ from: start.last, to: rest.first });
  const output = `{${tasks.map((one) => `'${one}': has(nodes.${one}.output) ? nodes.${one}.output : null`).join(", ")}}`;
  return {
    definition: { id, nodes, edges, output },
    expected(x) {
      const results = new Map<string, number>();
      start.play(x, results);
      rest.play(x, results);
      return Object.fromEntries(tasks.map((one) => [one, results.get(one) ?? null]));
    },
  };
}

interface Draw {
  readonly chance: Chance;
  readonly nodes: Node[];
  readonly edges: Edge[];
  readonly tasks: string[];
}

function drawBlock(draw: Draw, depth: number, before: readonly string[]): Block {
  const { chance } = draw;
  if (depth === 0) return drawTask(draw, before);
  switch (chance.below(4)) {
    case 0:
      return drawTask(draw, before);
    case 1: {
      const one = drawBlock(draw, depth - 1, before);
      const other = drawBlock(draw, depth - 1, one.tail);
      draw.edges.push({ from: one.last, to: other.first });
      return {
        first: one.first,
        last: other.last,
        tail: other.tail,
        play(x, results) {
          one.play(x, results);
          other.play(x, results);
        },
      };
    }
    case 2:
      return drawParallel(draw, depth, before);
    default:
      return drawDecision(draw, depth, before);
  }
}

function drawTask({ chance, nodes, tasks }: Draw, before: readonly string[]): Block {
  const n = tasks.length + 1;
  const id = `t${n}`;
  tasks.push(id);
  const of = before.map((one) => `has(nodes.${one}.output) ? nodes.${one}.output : 0`).join(", ");
  const capabilities = [chance.pick(["a", "b"])];
  const input = `{'add': ${n}, 'of': [${before.length === 0 ? "input.x" : of}]}`;
  nodes.push({ id, type: "task", capabilities, retry: RETRY, timeout: 4_000, input });
  return {
    first: id,
    last: id,
    tail: [id],
    play(x, results) {
      const seen = before.length === 0 ? [x] : before.map((one) => results.get(one) ?? 0);
      results.set(id, addUp(n, seen));
    },
  };
}

function drawParallel(draw: Draw, depth: number, before: readonly string[]): Block {
  const { chance, nodes, edges } = draw;
  const at = nodes.length;
  const [first, last] = [`p${at}`, `j${at}`];
  nodes.push({ id: first, type: "parallel" });
  const branches = Array.from({ length: chance.between(2, 3) }, () => drawBlock(draw, depth - 1, before));
  nodes.push({ id: last, type: "join" });
  for (const branch of branches) edges.push({ from: first, to: branch.first }, { from: branch.last, to: last });
  return {
    first,
    last,
    tail: branches.flatMap(({ tail }) => tail),
    play(x, results) {
      for (const { play } of branches) play(x, results);
    },
  };
}

/** The first condition that holds takes its branch; the other branches are dead, and the join must not wait for them. */
function drawDecision(draw: Draw, depth: number, before: readonly string[]): Block {
  const { chance, nodes, edges } = draw;
  const at = nodes.length;
  const [first, last] = [`d${at}`, `j${at}`];
  nodes.push({ id: first, type: "decision" });
  const bound = chance.below(10);
  const high = drawBlock(draw, depth - 1, before);
  const low = drawBlock(draw, depth - 1, before);
  nodes.push({ id: last, type: "join" });
  edges.push({ from: first, to: high.first, when: `input.x > ${bound}` }, { from: first, to: low.first });
  for (const branch of [high, low]) edges.push({ from: branch.last, to: last });
  return {
    first,
    last,
    tail: [...high.tail, ...low.tail],
    play(x, results) {
      (x > bound ? high : low).play(x, results);
    },
  };
}
