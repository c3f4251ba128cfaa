/** The types of messages that there always are. */
export const MessageType = {
  TASK_REQUEST: "task_request",
  TASK_RESPONSE: "task_response",
  STATUS_UPDATE: "status_update",
  ERROR: "error",
  HUMAN_APPROVAL_REQUEST: "human_approval_request",
  HUMAN_APPROVAL_RESPONSE: "human_approval_response",
  HEARTBEAT: "heartbeat",
  CONTROL: "control",
} as const;
