/** `troupe/discovery`: finds agents in a page's mirror. It stands apart because few pages need it. */
export {
  createDiscovery,
  type AgentChange,
  type AgentMatch,
  type AgentQuery,
  type AgentStats,
  type Discovery,
} from "./client/discovery.ts";
export type { Requirement } from "./core/tasks/requirement.ts";
