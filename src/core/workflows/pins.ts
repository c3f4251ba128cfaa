/** Which versions of other workflows a run stands on: they are settled for the whole of it when it begins. */
import { RuntimeError } from "../errors.ts";
import type { LimitsState } from "../limits/fold.ts";
import { checkLimits } from "../limits/rules.ts";
import type { WorkflowNode } from "./definition.ts";
import type { Pins } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import type { Graph } from "./graph.ts";

type Subworkflow = Extract<WorkflowNode, { type: "subworkflow" }>;

/** By what a node's workflow is found among the pins. */
export function referenceOf({ workflow, version }: Subworkflow): string {
  return version === undefined ? workflow : `${workflow}@${version}`;
}

/**
 * The pins of a run of this version; undefined when it names no other workflow.
 * @throws RuntimeError `workflow/unknown` with the node that names it, `limit/unknown`.
 */
export function pinsOf(
  { planOf }: Lookups,
  state: WorkflowsState,
  limits: LimitsState,
  { workflow, version }: { readonly workflow: string; readonly version: string },
): Pins | undefined {
  const pins: Record<string, string> = {};
  const open: Graph[] = [planOf(state, workflow, version)];
  for (let graph = open.pop(); graph; graph = open.pop()) {
    open.push(...graph.bodies.values());
    for (const { node } of graph.nodes.values()) {
      if (node.type === "task") for (const one of [node, node.compensate]) checkLimits(limits, one?.limits);
      if (node.type === "map" || node.type === "loop") checkLimits(limits, node.task?.limits);
      if (node.type !== "subworkflow") continue;
      const reference = referenceOf(node);
      if (pins[reference] !== undefined) continue;
      const own = node.workflow === workflow ? version : state.active.get(node.workflow)?.version;
      const pinned = node.version ?? own;
      if (pinned === undefined || !state.versions.has(`${node.workflow}@${pinned}`))
        throw new RuntimeError("workflow/unknown", {
          workflow: node.workflow,
          node: node.id,
          ...(pinned !== undefined && { version: pinned }),
        });
      pins[reference] = pinned;
      open.push(planOf(state, node.workflow, pinned));
    }
  }
  return Object.keys(pins).length > 0 ? pins : undefined;
}
