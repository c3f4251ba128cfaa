/** The types of nodes by name, for those who would rather not write texts. */
export const WorkflowNodeType = {
  TASK: "task",
  MAP: "map",
  LOOP: "loop",
  SUBWORKFLOW: "subworkflow",
  DECISION: "decision",
  PARALLEL: "parallel",
  JOIN: "join",
  APPROVAL: "approval",
  HUMAN_APPROVAL: "human_approval",
  TIMER: "timer",
  EVENT: "event",
  ERROR_HANDLER: "errorHandler",
} as const;
