/** A definition becomes a version: refused for its errors, taken with its warnings. */
import type { AgentsState } from "../agents/fold.ts";
import { matches } from "../agents/matching.ts";
import type { CapabilitiesState } from "../capabilities/fold.ts";
import { checkJson, decodeJson, digestOf } from "../json.ts";
import type { FactOf } from "../kernel.ts";
import type { WorkflowCommands, WorkflowEvents } from "./execution.ts";
import type { WorkflowsState } from "./fold.ts";
import type { Lookups } from "./lookups.ts";
import { bodiesOf, planWorkflow } from "./plan.ts";
import { invalidWorkflow, tellable } from "./proofs/problem.ts";
import { isError, provePlan } from "./proofs/validate.ts";

export interface RegistrationView {
  readonly workflows: WorkflowsState;
  readonly agents: AgentsState;
  readonly capabilities: CapabilitiesState;
}

/** @throws RuntimeError `workflow/invalid` for what is an error; with `strict` for warnings too. */
export function register(
  lookups: Lookups,
  { workflows: state, agents: { agents }, capabilities }: RegistrationView,
  { text, strict = false }: WorkflowCommands["workflow.register"],
): FactOf<WorkflowEvents>[] {
  checkJson(text, "workflow");
  const plan = planWorkflow(decodeJson(text, "workflow"));
  const { workflow } = plan;
  const version = digestOf(text);
  const active = state.active.get(workflow.id);
  const isActive = active?.version === version || active?.withdrawn?.includes(version) === true;
  if (isActive && !strict) return [];
  const offered = [...agents.values()];
  const problems = provePlan(plan, {
    capabilities,
    canDo: (requirement) => offered.some((agent) => matches(agent, requirement)),
  });
  const refused = strict ? problems : problems.filter(isError);
  if (refused.length > 0) throw invalidWorkflow(refused);
  if (isActive) return [];
  lookups.keep(state, workflow.id, version, plan);
  const nodes = workflow.nodes.map(({ id }) => id);
  const warnings = tellable(problems);
  const bodies = plan.bodies.size > 0 ? { bodies: bodiesOf(plan) } : {};
  const told = warnings.length > 0 ? { warnings } : {};
  const { id, stallAfter } = workflow;
  const patience = stallAfter === undefined ? {} : { stallAfter };
  const data = { workflow: id, version, text, nodes, ...bodies, ...told, ...patience };
  return [{ type: "workflow.registered", data }];
}
