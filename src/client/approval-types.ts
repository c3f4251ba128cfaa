/** What a page gives and gets of approvals. */
import type { PublicKey } from "../core/approvals/key.ts";
import type { Level } from "../core/approvals/policy.ts";
import type { Actor } from "../core/hosting/hosting.ts";
import type { JsonSchema } from "../core/capabilities/schema.ts";
import type { Approval } from "../core/approvals/approval.ts";

export type { Actor, Level };
export type { Need, Seat, Step, Vote } from "../core/approvals/policy.ts";
export type { Edited } from "../core/approvals/diff.ts";

/** An open request as a page sees it. */
export interface ApprovalView extends Omit<Approval, "payload" | "parent"> {
  readonly payload: unknown;
  readonly execution?: string | undefined;
  readonly node?: string | undefined;
}

/** An answer to an approval. */
export interface AnswerInput {
  readonly approved: boolean;
  /** Who answers. Default: who is there, as `identify` has found. */
  readonly by?: string;
  readonly reason?: string;
  readonly data?: unknown;
  /** With an approval, where the payload can be edited: as it should be. */
  readonly edits?: unknown;
  /** How often the payload that was shown had been edited (`revision` of the view). Default 0. */
  readonly revision?: number;
}

/** An answer that was signed: the payload of a message that gives it. */
export interface SignedAnswerInput extends AnswerInput {
  readonly by: string;
  readonly signature: string;
}

/** Who a page says is there, and what should prove it to a host that asks for proof. */
export interface Claim {
  readonly id?: string;
  readonly roles?: readonly string[];
  readonly token?: string;
}

/** An approver names another. */
export interface DelegationInput {
  /** Default: who is there. */
  readonly from?: string;
  readonly to: string;
  /** Milliseconds from now; 0 takes it back. */
  readonly for: number;
}

/** Signs as an approver; `createSigner` of `troupe/approvals` makes one. */
export interface Signer {
  /** The approver. */
  readonly id: string;
  readonly publicKey: PublicKey;
  /** The signature of the text's UTF-8, as base64. */
  sign(text: string): Promise<string>;
}

export interface ApproverOptions {
  /** Whose key it is. Default: who is there. */
  readonly id?: string;
  /** True: an answer of this approver counts only when it is signed. Default false. */
  readonly require?: boolean;
}

/** What the event `human_approval_request` brings. */
export interface ApprovalRequest extends ApprovalView {
  /** What an answer by message has as its recipient: the request's id. */
  readonly sender: string;
  /** The payload. */
  readonly context: unknown;
  /** What the payload can be edited to; undefined when it can't be. */
  readonly schema: JsonSchema | undefined;
}

/** Calls of the handle about approvals, beside `answer`. */
export interface ApprovalCalls {
  /**
   * Says who is at this page from now on, until another is or, without a claim, nobody. A host with a verifier of its own
   * takes only what that finds; others believe the page, and record answers as a `click`. Resolves with what was found.
   * @throws RuntimeError `approval/untrusted`, `command/invalid`
   */
  identify(claim?: Claim): Promise<Actor | undefined>;
  /** Lets another answer for an approver, for so long. @throws RuntimeError `approval/forbidden`, `command/invalid` */
  delegate(delegation: DelegationInput): Promise<void>;
  /**
   * Pins the key that an approver signs with. Another one later takes a session that the host has verified.
   * @throws RuntimeError `approval/key-known`, `approval/forbidden`, `command/invalid`
   */
  registerApprover(signer: Pick<Signer, "publicKey">, options?: ApproverOptions): Promise<void>;
  /**
   * Answers with a signature over the request as it was shown, and the answer; the host looks at it before it counts.
   * @throws RuntimeError `approval/…` when it isn't taken
   */
  decide(shown: ApprovalView, answer: AnswerInput, signer: Signer): Promise<void>;
}
