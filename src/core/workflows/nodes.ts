import { nodeKey, type Execution, type NodeState, type WorkflowVersion } from "./execution.ts";

/** The states of an execution's nodes, in the order of the definition. */
export function nodesOf({ versions, nodes }: ReadableNodes, { id, workflow, version }: Execution): NodeState[] {
  const ids = versions.get(`${workflow}@${version}`)?.nodes ?? [];
  return ids.flatMap((node) => nodes.get(nodeKey(id, node)) ?? []);
}

/** As much of the state as is needed to find an execution's nodes; snapshots of the tables will do. */
export interface ReadableNodes {
  readonly versions: { get(key: string): WorkflowVersion | undefined };
  readonly nodes: { get(key: string): NodeState | undefined };
}
