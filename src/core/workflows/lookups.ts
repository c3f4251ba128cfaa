import { RuntimeError } from "../errors.ts";
import { decodeJson } from "../json.ts";
import type { WorkflowsState } from "./fold.ts";
import { splitVersion } from "./keys.ts";
import { planAppended, planWorkflow, type Graph } from "./plan.ts";
import { createScopes, type Scopes } from "./scope.ts";

/** What the rules look up: plans by version, and what expressions see. Both follow from the state alone. */
export interface Lookups {
  readonly scopes: Scopes;
  /** Keeps what a registration has just made; the same would be made of the text later. */
  keep(state: WorkflowsState, workflow: string, version: string, graph: Graph): void;
  /** The graph of a version: of a definition, of a body in it, or of what was appended. @throws RuntimeError `workflow/unknown` */
  planOf(state: WorkflowsState, workflow: string, version: string): Graph;
}

/** Plans of versions that are gone may lie about; beyond this they are dropped. */
const SPARE_PLANS = 64;

export function createLookups(): Lookups {
  const plans = new Map<string, Graph>();
  const put = (state: WorkflowsState, id: string, graph: Graph): void => {
    if (plans.size > state.versions.size + SPARE_PLANS)
      for (const one of plans.keys()) if (!state.versions.has(one)) plans.delete(one);
    plans.set(id, graph);
  };
  const find = (state: WorkflowsState, workflow: string, version: string): Graph => {
    const id = `${workflow}@${version}`;
    const known = plans.get(id);
    if (known) return known;
    const text = state.versions.get(id)?.text;
    if (text === undefined) throw new RuntimeError("workflow/unknown", { workflow, version });
    const definition = decodeJson(text);
    const graph = version.includes("#") ? planAppended(definition) : planWorkflow(definition);
    put(state, id, graph);
    return graph;
  };
  return {
    scopes: createScopes(),
    keep(state, workflow, version, graph) {
      put(state, `${workflow}@${version}`, graph);
    },
    planOf(state, workflow, version) {
      const [text, path] = splitVersion(version);
      let graph: Graph | undefined = find(state, workflow, text);
      for (const node of path?.split("/") ?? []) graph = graph?.bodies.get(node);
      if (!graph) throw new RuntimeError("workflow/unknown", { workflow, version });
      return graph;
    },
  };
}
