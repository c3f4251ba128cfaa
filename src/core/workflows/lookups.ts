import { RuntimeError } from "../errors.ts";
import { decodeJson } from "../json.ts";
import type { WorkflowsState } from "./fold.ts";
import { planWorkflow, type Graph, type Plan } from "./plan.ts";
import { createScopes, type Scopes } from "./scope.ts";

/** What the rules look up: plans by version, and what expressions see. Both follow from the state alone. */
export interface Lookups {
  readonly scopes: Scopes;
  /** Keeps what a registration has just made; the same would be made of the text later. */
  keep(state: WorkflowsState, version: string, plan: Plan): void;
  /** The graph of a version, `digest` or `digest#path/of/a/body`. @throws RuntimeError `workflow/unknown` */
  planOf(state: WorkflowsState, workflow: string, version: string): Graph;
}

/** Plans of versions that are gone may lie about; beyond this they are dropped. */
const SPARE_PLANS = 64;

export function createLookups(): Lookups {
  const plans = new Map<string, Plan>();
  const find = (state: WorkflowsState, workflow: string, version: string): Plan => {
    const id = `${workflow}@${version}`;
    const known = plans.get(id);
    if (known) return known;
    const text = state.versions.get(id)?.text;
    if (text === undefined) throw new RuntimeError("workflow/unknown", { workflow, version });
    const plan = planWorkflow(decodeJson(text), true);
    plans.set(id, plan);
    return plan;
  };
  return {
    scopes: createScopes(),
    keep(state, version, plan) {
      if (plans.size > state.versions.size + SPARE_PLANS)
        for (const id of plans.keys()) if (!state.versions.has(id)) plans.delete(id);
      plans.set(`${plan.workflow.id}@${version}`, plan);
    },
    planOf(state, workflow, version) {
      const [digest = "", path] = version.split("#");
      let graph: Graph | undefined = find(state, workflow, digest);
      for (const node of path?.split("/") ?? []) graph = graph?.bodies.get(node);
      if (!graph) throw new RuntimeError("workflow/unknown", { workflow, version });
      return graph;
    },
  };
}
