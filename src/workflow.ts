/** `troupe/workflow`: definitions made by typed calls, and all that is wrong with one. It needs no host. */
export {
  fromJSON,
  returns,
  workflow,
  type Returns,
  type Scope,
  type WorkflowBuilder,
} from "./client/workflow-builder.ts";
export { cel, itemOf, select, type Expr, type Given, type Ref } from "./client/workflow-refs.ts";
export type { Problem, ProblemCode } from "./core/workflows/proofs/problem.ts";
export { validate, type KnownCapability, type ValidateOptions } from "./core/workflows/proofs/validate.ts";
export { WorkflowNodeType } from "./core/workflows/node-type.ts";
export type { WorkflowInput } from "./core/workflows/definition.ts";
