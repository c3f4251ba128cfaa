/** The end of a request, and of those that end with it. */
import type { FactOf } from "../kernel.ts";
import type { Approval, ApprovalEvents } from "./approval.ts";
import type { ApprovalsState } from "./fold.ts";

type Outcome = Omit<ApprovalEvents["approval.decided"], "id" | "parent" | "votes" | "payload" | "sibling">;

/** Ends the request; when it is rejected, the others of its group in the same step. */
export function conclude(
  { approvals, groups }: ApprovalsState,
  approval: Approval,
  outcome: Outcome,
): FactOf<ApprovalEvents>[] {
  const { id: sibling, group } = approval;
  const facts = [decided(approval, outcome)];
  if (outcome.approved || group === undefined) return facts;
  for (const id of groups.get(group) ?? []) {
    const other = id === sibling ? undefined : approvals.get(id);
    if (other)
      facts.push(decided(other, { approved: false, by: outcome.by, reason: `${sibling} was rejected` }, sibling));
  }
  return facts;
}

function decided(
  { id, parent, need, votes = [], edit, payload }: Approval,
  outcome: Outcome,
  sibling?: string,
): FactOf<ApprovalEvents> {
  const more = { ...(need !== undefined && { votes }), ...(edit && { payload }), ...(parent && { parent }) };
  return { type: "approval.decided", data: { id, ...outcome, ...(sibling !== undefined && { sibling }), ...more } };
}
