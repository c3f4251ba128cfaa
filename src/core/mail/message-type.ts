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

/** What is beside the fields that a type has to have is the sender's. */
interface More {
  readonly [field: string]: unknown;
}

/**
 * What messages of a type hold, for the types of calls: the same as the host checks. A program adds its own:
 *
 * ```ts norun
 * declare module "troupe" {
 *   interface MessagePayloads {
 *     order: { id: number };
 *   }
 * }
 * ```
 */
export interface MessagePayloads {
  task_request: More & { readonly capability: string };
  task_response: More & { readonly task?: string; readonly error?: object | null };
  /** `progress` is from 0 to 1. */
  status_update: More & { readonly status: string; readonly progress?: number };
  error: More & { readonly message: string; readonly code?: string };
  human_approval_request: More & { readonly message: string };
  /** Of an answer to an approval: see `runtime.answer`. */
  human_approval_response: More & { readonly approved: boolean; readonly approver?: string };
  heartbeat: object | null;
  control: More & { readonly action: string };
}

/** Any JSON value for a type that {@link MessagePayloads} doesn't know. */
export type PayloadOf<T extends string> = T extends keyof MessagePayloads ? MessagePayloads[T] : unknown;
