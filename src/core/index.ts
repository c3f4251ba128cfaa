export * from "./agents/agent.ts";
export * from "./agents/manifest.ts";
export { agentStatus, type AgentStatus } from "./agents/status.ts";
export * from "./agents/agent-index.ts";
export * from "./agents/enforcement.ts";
export * from "./agents/matching.ts";
export * from "./agents/statistics.ts";
export * from "./approvals/approval.ts";
export * from "./audit/verify.ts";
export * from "./capabilities/capability.ts";
export type { JsonSchema, JsonType } from "./capabilities/schema.ts";
export * from "./engine.ts";
export * from "./errors.ts";
export * from "./expressions/index.ts";
export * from "./ids.ts";
export * from "./json.ts";
export * from "./limits/limit.ts";
export * from "./mail/mail.ts";
export type * from "./messages/message.ts";
export * from "./plugin.ts";
export type * from "./ports.ts";
export { AGING } from "./scheduling/aging.ts";
export type { AgentMatch, Waiting } from "./scheduling/why.ts";
export type * from "./schedules/schedule.ts";
export * from "./tasks/order.ts";
export * from "./tasks/priority.ts";
export type { Constraints, Requirement } from "./tasks/requirement.ts";
export * from "./tasks/task.ts";
export { FINAL_STATUSES, isFinal, LIVE_STATUSES, TRANSITIONS, type FinalStatus } from "./tasks/transitions.ts";
export type * from "./timers/timer.ts";
export * from "./workflows/definition.ts";
export { diffWorkflows, type EdgeDiff, type GraphDiff, type NodeDiff } from "./workflows/diff.ts";
export * from "./workflows/execution.ts";
export { planWorkflow, type Plan } from "./workflows/plan.ts";
export type { Problem, ProblemCode } from "./workflows/proofs/problem.ts";
export { validate, type KnownCapability, type ValidateOptions } from "./workflows/proofs/validate.ts";
export type { MigrationPreview } from "./workflows/migration.ts";
export { progressOf, type Progress } from "./workflows/progress.ts";
export {
  applyEvent,
  createState,
  restoreState,
  saveState,
  type CoreCommand,
  type CoreEvent,
  type CoreEvents,
  type CoreState,
} from "./runtime.ts";
export { decodeEvents, encodeEvents } from "./events.ts";
