import { copyJson } from "../json.ts";
import { nodeKey, type Execution, type MovedNode, type NodeState } from "./execution.ts";
import type { Bodies } from "./version.ts";
import { splitVersion } from "./keys.ts";

/** The states of an execution's nodes, in the order of the definition. */
export function nodesOf({ versions, nodes }: ReadableNodes, { id, workflow, version }: Execution): NodeState[] {
  const [text, path] = splitVersion(version);
  const known = versions.get(`${workflow}@${text}`);
  const ids = (path === undefined ? known?.nodes : known?.bodies?.[path]) ?? [];
  return ids.flatMap((node) => nodes.get(nodeKey(id, node)) ?? []);
}

/** As much of the state as is needed to find an execution's nodes; snapshots of the tables will do. */
export interface ReadableNodes {
  readonly versions: {
    get(key: string): { readonly nodes: readonly string[]; readonly bodies?: Bodies | undefined } | undefined;
  };
  readonly nodes: { get(key: string): NodeState | undefined };
}

/** The nodes of a run that goes on with another version: what they had they keep where their status is the same. */
export function movedNodes(
  execution: string,
  before: readonly NodeState[],
  nodes: readonly MovedNode[],
  at: number,
): NodeState[] {
  const known = new Map(before.map((node) => [node.node, node]));
  return nodes.map((moved) => {
    const old = known.get(moved.node);
    if (old?.status === moved.status && moved.status !== "pending") return { ...old, ...copyJson(moved) };
    const ended = moved.status === "skipped" ? { finishedAt: at } : {};
    return { id: nodeKey(execution, moved.node), execution, ...copyJson(moved), ...ended };
  });
}
