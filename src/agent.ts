/** What an agent's worker needs: define the agent, and serve it. */
export {
  defineAgent,
  type AgentContext,
  type AgentDefinition,
  type BlobRef,
  type LogLevel,
  type Signal,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from "./core/plugin/definition.ts";
export { RuntimeError, type ErrorCode, type ErrorDetail } from "./core/errors.ts";
export { exposeAgent } from "./workers/agent.ts";
