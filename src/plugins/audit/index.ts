/**
 * The audit of a code base, for pages, programs and tests: the workflow, its schemas, and the archive of a folder.
 * The analysers themselves are in the agents (`troupe/agents/*`): they are megabytes, and run in workers.
 */
export { createAuditWorkflow, type AuditWorkflowOptions } from "./workflow.ts";
export { packFiles, type PackedFile } from "./pack.ts";
export {
  CONFIDENCES,
  FindingSchema,
  ObservationSchema,
  SEVERITIES,
  SummarySchema,
  type Confidence,
  type Finding,
  type Observation,
  type Severity,
  type Summary,
  type Tool,
} from "./findings.ts";
export { FileSchema, KINDS, type AuditFile, type Kind } from "./files.ts";
export { LimitsSchema, type Limits } from "./limits.ts";
export { DecisionsSchema, type Decisions } from "./report/decisions.ts";
export { LicencePolicySchema, PERMISSIVE, type LicencePolicy } from "./dependencies/licence-policy.ts";
