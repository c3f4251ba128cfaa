/** Whom the open approvals wait for. */
import type { ApprovalView, MirrorState } from "../../src/index.ts";
import { waitsFor } from "../../src/inbox.ts";
import { WORKFLOW } from "../audit.ts";
import type { Person } from "../people/people.ts";

export interface Waiting {
  /** Reviews of audits: they take a decision for each finding, so they have a page of their own. Oldest first. */
  readonly reviews: readonly ApprovalView[];
  /** How many decisions wait for who is here; reviews wait for anybody. */
  readonly mine: number;
}

export function isReview({ execution = "" }: ApprovalView, { executions }: Pick<MirrorState, "executions">): boolean {
  return executions.get(execution)?.workflow === WORKFLOW.id;
}

export function waitingIn(mirror: Pick<MirrorState, "approvals" | "executions">, person: Person | undefined): Waiting {
  const all = [...mirror.approvals.values()];
  const reviews = all.filter((one) => isReview(one, mirror)).toSorted((a, b) => a.requestedAt - b.requestedAt);
  const others = all.filter((one) => !reviews.includes(one) && waitsFor(one, person ?? {}));
  return { reviews, mine: reviews.length + others.length };
}
