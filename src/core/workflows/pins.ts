/** Which versions of other workflows a run stands on: they are settled for the whole of it when it begins. */
import { RuntimeError } from "../errors.ts";
import type { LimitsState } from "../limits/fold.ts";
import { checkLimits } from "../limits/rules.ts";
import type { WorkflowNode } from "./definition.ts";
import type { Pins } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import type { Graph } from "./graph.ts";
import { worksOf } from "./works.ts";

type Named = Pick<Extract<WorkflowNode, { type: "subworkflow" }>, "workflow" | "version">;

/** By what a node's workflow is found among the pins. */
export function referenceOf({ workflow, version }: Named): string {
  return version === undefined ? workflow : `${workflow}@${version}`;
}

/** The workflows that a node runs, or that graphs may run which are appended at it. */
function namedBy(node: WorkflowNode): readonly Named[] {
  if (node.type === "subworkflow") return [node];
  return node.type === "dynamic" ? node.allow.workflows.map((workflow) => ({ workflow })) : [];
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
      for (const work of worksOf(node)) checkLimits(limits, work.limits);
      if (node.type === "dynamic") for (const limit of node.allow.limits) checkLimits(limits, [{ limit }]);
      for (const named of namedBy(node)) {
        const reference = referenceOf(named);
        if (pins[reference] !== undefined) continue;
        const own = named.workflow === workflow ? version : state.active.get(named.workflow)?.version;
        const pinned = named.version ?? own;
        if (pinned === undefined || !state.versions.has(`${named.workflow}@${pinned}`))
          throw new RuntimeError("workflow/unknown", {
            workflow: named.workflow,
            node: node.id,
            ...(pinned !== undefined && { version: pinned }),
          });
        pins[reference] = pinned;
        open.push(planOf(state, named.workflow, pinned));
      }
    }
  }
  return Object.keys(pins).length > 0 ? pins : undefined;
}
