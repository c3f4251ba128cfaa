import { nodeKey, type Bodies, type Execution, type NodeState } from "./execution.ts";

/** The states of an execution's nodes, in the order of the definition. */
export function nodesOf({ versions, nodes }: ReadableNodes, { id, workflow, version }: Execution): NodeState[] {
  const [digest = "", path] = version.split("#");
  const known = versions.get(`${workflow}@${digest}`);
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
