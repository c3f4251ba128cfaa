/** A question to people that holds up a piece of work until it is decided or its time is over. */
import * as v from "valibot";
import type { JsonSchema } from "../capabilities/schema.ts";
import type { ErrorData } from "../errors.ts";
import type { Actor } from "../hosting/hosting.ts";
import type { JsonText } from "../json.ts";
import type { TaskParent } from "../tasks/task.ts";
import type { Edited } from "./diff.ts";
import { KeySchema, type ApproverKey } from "./key.ts";
import type { Level, OnTimeout, Poll, Step, Vote } from "./policy.ts";

const person = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

export const ApprovalAnswerSchema = v.strictObject({
  id: v.pipe(v.string(), v.maxLength(8_192)),
  approved: v.boolean(),
  /** Who answers. Default: who the page has said is there. */
  by: v.optional(person),
  reason: v.optional(v.pipe(v.string(), v.maxLength(4_096))),
  /** What the approver gives along, as JSON text. */
  data: v.optional(v.string()),
  /** With an approval: the payload as it should be, as JSON text. */
  edits: v.optional(v.string()),
  /** How often the payload that was looked at had been edited. Default 0. */
  revision: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});
export type ApprovalAnswer = v.InferOutput<typeof ApprovalAnswerSchema>;

/** The most milliseconds for which an approver can name another. */
const LONGEST = 366 * 86_400_000;

export const DelegationSchema = v.strictObject({
  /** Who is away. Default: who the page has said is there. */
  from: v.optional(person),
  to: person,
  /** Milliseconds from now; 0 takes it back. */
  for: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LONGEST)),
});

export const ApproverRegisterSchema = v.strictObject({
  id: v.optional(person),
  key: KeySchema,
  /** True: an answer of this approver counts only when it is signed. */
  require: v.optional(v.boolean(), false),
});

/** What was asked, and how it is decided. */
export interface Asked extends Omit<Poll, "votes"> {
  readonly id: string;
  readonly message: string;
  /** What is to be decided on, as JSON text. */
  readonly payload: JsonText;
  readonly onTimeout: OnTimeout;
  readonly parent?: TaskParent | undefined;
  readonly remind?: number | undefined;
  /** The steps that are still to come. */
  readonly escalation?: readonly Step[] | undefined;
  readonly revote?: boolean | undefined;
  readonly selfApproval?: boolean | undefined;
  readonly needReason?: "always" | "rejection" | undefined;
  readonly trust?: Level | undefined;
  /** What the payload may be changed to. Default: it can't be. */
  readonly edit?: JsonSchema | undefined;
  /** When one of a group is rejected, so are the others. */
  readonly group?: string | undefined;
  /** Who has started the run, where that is known. */
  readonly requestedBy?: string | undefined;
}

/** What was changed of the payload. */
export interface Edit {
  readonly by: string;
  readonly at: number;
  readonly changes: readonly Edited[];
}

/** A request that is still open. Decided ones leave the live state. */
export interface Approval extends Asked {
  readonly requestedAt: number;
  readonly expiresAt?: number | undefined;
  readonly remindAt?: number | undefined;
  readonly reminded?: number | undefined;
  /** A signed answer names it, so that it is for this request alone. */
  readonly nonce?: string | undefined;
  /** From 1 on when it was escalated. */
  readonly step?: number | undefined;
  readonly votes?: readonly Vote[] | undefined;
  /** How often a vote took the place of another: a signature of before is none for what comes now. */
  readonly turn?: number | undefined;
  /** How often the payload was edited, and how. */
  readonly revision?: number | undefined;
  readonly edits?: readonly Edit[] | undefined;
}

/** A signature that was looked at by the host, which alone can. */
export interface Proof {
  /** Base64. */
  readonly signature: string;
  readonly key?: ApproverKey["key"] | undefined;
  readonly genuine: boolean;
  /** The page that has brought it. */
  readonly session?: string | undefined;
}

/** A signed answer that has counted, so that the page that brought it can bring it again. */
export interface SignedAnswer {
  /** The signature. */
  readonly id: string;
  readonly approval: string;
  readonly by: string;
  readonly approved: boolean;
  readonly session: string | undefined;
}

/** An approver answers for another, until a moment. */
export interface Grant {
  readonly from: string;
  readonly roles: readonly string[];
  readonly level: Level;
  readonly until: number;
}

/** For whom somebody answers. */
export interface Delegate {
  /** The one who answers. */
  readonly id: string;
  readonly grants: readonly Grant[];
}

type Times = Pick<Approval, "expiresAt" | "remindAt">;

export interface ApprovalEvents {
  "approval.requested": Asked & Times & Pick<Approval, "nonce">;
  /** An answer that hasn't decided yet. */
  "approval.voted": {
    readonly id: string;
    readonly vote: Vote;
    readonly data?: JsonText | undefined;
    readonly proof?: Proof;
  };
  /** The payload is another: what others have said of the one before doesn't count. */
  "approval.edited": {
    readonly id: string;
    readonly by: string;
    readonly payload: JsonText;
    readonly changes: readonly Edited[];
  };
  "approval.reminded": Times & { readonly id: string; readonly number: number; readonly approvers: Poll["approvers"] };
  /** Others are asked. */
  "approval.escalated": Times &
    Omit<Step, "timeout"> & { readonly id: string; readonly step: number; readonly onTimeout: OnTimeout };
  "approval.decided": {
    readonly id: string;
    readonly approved: boolean;
    readonly by: string;
    readonly reason?: string | undefined;
    readonly data?: JsonText | undefined;
    /** For whom, where that is another. */
    readonly for?: string | undefined;
    readonly level?: Level | undefined;
    readonly proof?: Proof | undefined;
    /** Every vote, where it takes more than one. */
    readonly votes?: readonly Vote[] | undefined;
    /** As it is in the end, where it can be edited. */
    readonly payload?: JsonText | undefined;
    /** True when nobody answered in time; with `failed` that is an error. */
    readonly expired?: boolean | undefined;
    readonly failed?: boolean | undefined;
    /** The one of its group that was rejected. */
    readonly sibling?: string | undefined;
    readonly parent?: TaskParent | undefined;
  };
  "approval.cancelled": { readonly id: string; readonly reason: string };
  /** An answer that wasn't taken. */
  "approval.refused": {
    readonly id: string;
    readonly by: string | undefined;
    readonly approved: boolean;
    readonly level: Level;
    readonly error: ErrorData;
  };
  "approval.delegated": Grant & { readonly to: string };
  "delegation.expired": { readonly id: string };
  "approver.registered": ApproverKey;
}

interface Attributed {
  /** Who the page's session is, as the host knows; never what a page says in a command. */
  readonly actor?: Actor | undefined;
}

export interface ApprovalCommands {
  "approval.request": Asked & { readonly timeout?: number | undefined };
  "approval.answer": ApprovalAnswer &
    Attributed & {
      readonly proof?: Proof;
      /** What the host asks for in any case. */
      readonly least?: Level | undefined;
    };
  "approval.wake": { readonly id: string };
  "approval.cancel": { readonly id: string; readonly reason: string };
  "approval.delegate": v.InferOutput<typeof DelegationSchema> & Attributed;
  "delegation.wake": { readonly id: string };
  "approver.register": v.InferOutput<typeof ApproverRegisterSchema> & Attributed;
}
