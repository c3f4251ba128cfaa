/** Graphs of one shape each. */
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";

export function chain(id: string, length: number): WorkflowInput {
  const nodes = Array.from({ length }, (_, at) => ({
    id: `n${String(at)}`,
    type: "task" as const,
    capabilities: ["echo"],
    input: at === 0 ? "input" : `nodes.n${String(at - 1)}.output`,
  }));
  return { id, nodes, edges: steps(length) };
}

/** Nodes that run inside the host. */
export function localChain(id: string, length: number): WorkflowInput {
  const nodes = Array.from({ length }, (_, at) => ({ id: `n${String(at)}`, type: "parallel" as const }));
  return { id, nodes, edges: steps(length) };
}

export function fan(id: string, width: number): WorkflowInput {
  const targets = Array.from({ length: width }, (_, at) => `n${String(at)}`);
  return {
    id,
    nodes: [
      { id: "start", type: "parallel" },
      ...targets.map((node) => ({ id: node, type: "task" as const, capabilities: ["echo"] })),
    ],
    edges: targets.map((to) => ({ from: "start", to })),
  };
}

function steps(length: number): { from: string; to: string }[] {
  return Array.from({ length: length - 1 }, (_, at) => ({ from: `n${String(at)}`, to: `n${String(at + 1)}` }));
}
