/** How the state of a dynamic node changes: its worker puts out a graph, which is refused, or runs and ends. */
import type { ErrorData } from "../errors.ts";
import { copyJson } from "../json.ts";
import type { Table } from "../kernel.ts";
import { nodeKey, type Execution, type NodeState, type WorkflowEvents } from "./execution.ts";
import type { Registry } from "./registry.ts";

interface Appending extends Registry {
  readonly executions: Table<Execution>;
  readonly nodes: Table<NodeState>;
}

/** A task that was asked for a graph, or the run of one, has ended. */
export function turned(
  { graph, ...node }: NodeState,
  { output }: { readonly output?: string; readonly error?: ErrorData },
): NodeState {
  if (graph === undefined) return output === undefined ? node : { ...node, plan: output };
  return { ...node, output: output ?? node.output, done: (node.done ?? 0) + 1 };
}

/** It is kept as a version is, as long as a run stands on it, or something that was done in one can be undone. */
export function appended(
  { executions, nodes: states, versions }: Appending,
  { execution, node, version, nodes, bodies }: WorkflowEvents["graph.appended"],
  at: number,
): void {
  const { workflow } = executions.get(execution) ?? {};
  const { plan: text, refused: _, ...reached } = states.get(nodeKey(execution, node)) ?? {};
  if (workflow === undefined || text === undefined || !("id" in reached)) return;
  const id = `${workflow}@${version}`;
  const { runs = 0 } = versions.get(id) ?? {};
  const known = { id, workflow, version, text, nodes: [...nodes], registeredAt: at, runs };
  versions.set(id, bodies ? { ...known, bodies: copyJson(bodies) } : known);
  states.set(reached.id, { ...reached, graph: version });
}

export function refused({ nodes }: Appending, { execution, node, error }: WorkflowEvents["graph.refused"]): void {
  const { plan: _, ...reached } = nodes.get(nodeKey(execution, node)) ?? {};
  if (!("id" in reached)) return;
  nodes.set(reached.id, { ...reached, error: copyJson(error), refused: (reached.refused ?? 0) + 1 });
}
