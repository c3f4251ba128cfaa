/** A question to people that holds up a piece of work until it is answered or its time is over. */
import * as v from "valibot";
import type { JsonText } from "../json.ts";
import type { TaskParent } from "../tasks/task.ts";

const person = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

export const ApprovalAnswerSchema = v.strictObject({
  id: v.string(),
  approved: v.boolean(),
  /** Who answers; must be one of the approvers when any are named. */
  by: person,
  reason: v.optional(v.pipe(v.string(), v.maxLength(4_096))),
  /** What the approver gives along, as JSON text. */
  data: v.optional(v.string()),
});
export type ApprovalAnswer = v.InferOutput<typeof ApprovalAnswerSchema>;

/** A request that is still open. Answered ones leave the live state. */
export interface Approval {
  readonly id: string;
  readonly message: string;
  /** What is to be decided on, as JSON text. */
  readonly payload: JsonText;
  /** Who may answer; anybody when it is empty. */
  readonly approvers: readonly string[];
  readonly requestedAt: number;
  readonly expiresAt?: number | undefined;
  readonly onTimeout: "approve" | "reject";
  readonly parent?: TaskParent | undefined;
}

export interface ApprovalEvents {
  "approval.requested": Omit<Approval, "requestedAt">;
  "approval.decided": {
    readonly id: string;
    readonly approved: boolean;
    readonly by: string;
    readonly reason?: string | undefined;
    readonly data?: JsonText | undefined;
    /** True when nobody answered in time. */
    readonly expired?: boolean | undefined;
    readonly parent?: TaskParent | undefined;
  };
  "approval.cancelled": { readonly id: string; readonly reason: string };
}

export interface ApprovalCommands {
  "approval.request": Omit<Approval, "requestedAt" | "expiresAt"> & {
    readonly timeout?: number | undefined;
  };
  "approval.answer": ApprovalAnswer;
  "approval.wake": { readonly id: string };
  "approval.cancel": { readonly id: string; readonly reason: string };
}
