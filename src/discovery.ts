/** `troupe/discovery`: finds agents in a page's mirror. It stands apart because few pages need it. */
export {
  createDiscovery,
  type AgentChange,
  type AgentMatch,
  type AgentQuery,
  type AgentStats,
  type CapabilityInfo,
  type Discovery,
} from "./client/discovery.ts";
export type { CapabilityDefaults } from "./core/capabilities/capability.ts";
export type { JsonSchema, JsonType } from "./core/capabilities/schema.ts";
export type { Requirement } from "./core/tasks/requirement.ts";
