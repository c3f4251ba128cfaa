/** How a person stands to a request: whether it waits for that one, and if not, why. */
import { isAsked, type Person, type Vote } from "../../core/approvals/policy.ts";
import type { ApprovalView, Claim } from "../approval-types.ts";

/** asked: may answer · voted: has answered · self: has begun the run · others: they are asked · nobody: who is it? */
export type Standing = "asked" | "voted" | "self" | "others" | "nobody";

export function standingOf(view: ApprovalView, person: Person | undefined): Standing {
  if (!person) return "nobody";
  if (view.requestedBy === person.id && !view.selfApproval) return "self";
  if (ownVote(view, person) && !view.revote) return "voted";
  return isAsked(view, person) ? "asked" : "others";
}

/** What the person has said, for itself or for another. */
export function ownVote({ votes = [] }: ApprovalView, person: Person | undefined): Vote | undefined {
  return votes.find(({ id, by }) => by === person?.id || id === person?.id);
}

/** Whether a decision waits for this person: who is asked, may answer, and hasn't yet. */
export function waitsFor(view: ApprovalView, { id, roles = [] }: Claim): boolean {
  const person = id === undefined ? undefined : { id, roles };
  return standingOf(view, person) === "asked" && !ownVote(view, person);
}
