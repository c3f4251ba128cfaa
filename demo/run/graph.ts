/** A workflow's picture without pixels: which nodes stand in which column, and the edges between them. */
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";

export interface GraphNode {
  readonly id: string;
  readonly title: string;
  readonly kind: WorkflowInput["nodes"][number]["type"];
  readonly capabilities: readonly string[];
  /** Its column: the longest way from a root. */
  readonly layer: number;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly layers: readonly (readonly GraphNode[])[];
}

/** Reads the shape of a valid definition, whose edges make no cycle; `titleOf` may name nodes anew. */
export function graphOf(
  { nodes, edges = [] }: WorkflowInput,
  titleOf: (node: string) => string | undefined = () => undefined,
): Graph {
  const layerOf = longestWays(nodes, edges);
  const placed = nodes.map((node): GraphNode => {
    const work = node.type === "map" ? node.task : node.type === "task" ? node : undefined;
    return {
      id: node.id,
      title: titleOf(node.id) ?? node.title ?? node.id,
      kind: node.type,
      capabilities: work?.capabilities ?? [],
      layer: layerOf.get(node.id) ?? 0,
    };
  });
  const count = Math.max(0, ...placed.map(({ layer }) => layer + 1));
  const layers = Array.from({ length: count }, (_, layer) => placed.filter((node) => node.layer === layer));
  return { nodes: placed, edges: edges.map(({ from, to }) => ({ from, to })), layers };
}

function longestWays(nodes: WorkflowInput["nodes"], edges: readonly GraphEdge[]): ReadonlyMap<string, number> {
  const layers = new Map(nodes.map(({ id }) => [id, 0]));
  // A longest way has fewer edges than there are nodes, so this many rounds are enough.
  for (let round = 0; round < nodes.length; round++) {
    let moved = false;
    for (const { from, to } of edges) {
      const least = (layers.get(from) ?? 0) + 1;
      if (least <= (layers.get(to) ?? 0)) continue;
      layers.set(to, least);
      moved = true;
    }
    if (!moved) break;
  }
  return layers;
}
