/** What becomes of requests, of what people say to them, and of those that wait. */
import { RuntimeError } from "../errors.ts";
import type { Env, FactOf, Rules } from "../kernel.ts";
import { answer } from "./answer.ts";
import type { Approval, ApprovalCommands, ApprovalEvents } from "./approval.ts";
import { conclude } from "./decision.ts";
import type { ApprovalsState } from "./fold.ts";
import { tally, type Step } from "./policy.ts";

export interface ApprovalsView {
  readonly approvals: ApprovalsState;
}

type ApprovalFact = FactOf<ApprovalEvents>;

/** The most reminders of one step. */
const MAX_REMINDERS = 100;
/** The most people who answer for others, for how many each does, and the most keys. */
const MAX_DELEGATES = 1_000;
const MAX_GRANTS = 100;
const MAX_KEYS = 10_000;

export const approvalsRules: Rules<ApprovalsView, ApprovalCommands, ApprovalEvents> = {
  decide: {
    "approval.request": ({ approvals }, { timeout, ...request }, { now, id }) => {
      if (approvals.approvals.has(request.id)) return [];
      const data = { ...request, ...timesOf({ ...request, timeout }, now), nonce: id() };
      return [{ type: "approval.requested", data }];
    },
    "approval.answer": ({ approvals }, data, env) => answer(approvals, data, env),
    "approval.wake": ({ approvals }, { id }, env) => wake(approvals, approvals.approvals.get(id), env),
    "approval.cancel": ({ approvals }, data) =>
      approvals.approvals.has(data.id) ? [{ type: "approval.cancelled", data }] : [],
    "approval.delegate": ({ approvals }, data, env) => delegate(approvals, data, env),
    "delegation.wake": ({ approvals }, { id }) =>
      approvals.delegates.has(id) ? [{ type: "delegation.expired", data: { id } }] : [],
    "approver.register": ({ approvals }, data) => register(approvals, data),
  },
};

/** When a step is over, and when the first reminder of it is due. */
function timesOf(
  { timeout, remind }: Pick<Step, "timeout" | "remind">,
  now: number,
): Pick<Approval, "expiresAt" | "remindAt"> {
  return {
    ...(timeout !== undefined && { expiresAt: now + timeout }),
    ...(remind !== undefined && { remindAt: now + remind }),
  };
}

function wake(state: ApprovalsState, approval: Approval | undefined, { now }: Env): ApprovalFact[] {
  if (!approval) return [];
  const { id, expiresAt = Infinity, remindAt = Infinity, remind, reminded = 0, approvers, onTimeout } = approval;
  if (expiresAt > now) {
    if (remindAt > now) return [];
    const number = reminded + 1;
    const next = number < MAX_REMINDERS ? timesOf({ remind }, now) : {};
    return [{ type: "approval.reminded", data: { id, number, approvers, ...next } }];
  }
  const [step] = approval.escalation ?? [];
  if (onTimeout === "escalate" && step) return escalate(state, approval, step, now);
  const outcome = {
    approved: onTimeout === "approve",
    by: "timeout",
    reason: "nobody answered in time",
    expired: true,
  };
  return conclude(state, approval, { ...outcome, ...(onTimeout === "fail" && { failed: true }) });
}

/** Others are asked. Votes of those who are among them count on, and may be enough. */
function escalate(state: ApprovalsState, approval: Approval, { timeout, ...step }: Step, now: number): ApprovalFact[] {
  const { id, votes = [], escalation = [] } = approval;
  const { onTimeout = escalation.length > 1 ? "escalate" : "reject" } = step;
  const times = timesOf({ timeout, remind: step.remind }, now);
  const data = { ...step, ...times, id, onTimeout, step: (approval.step ?? 0) + 1 };
  const escalated: ApprovalFact = { type: "approval.escalated", data };
  const approved = tally({ ...step, votes });
  const last = votes.findLast((vote) => vote.approved === approved);
  if (approved === undefined || !last) return [escalated];
  const { by, level, reason } = last;
  const next = { ...approval, need: step.need };
  return [escalated, ...conclude(state, next, { approved, by, level, ...(reason !== undefined && { reason }) })];
}

function delegate(
  { delegates }: ApprovalsState,
  { from: claimed, to, for: span, actor }: ApprovalCommands["approval.delegate"],
  { now }: Env,
): ApprovalFact[] {
  const from = claimed ?? actor?.id;
  if (from === undefined || from === to)
    throw new RuntimeError("command/invalid", { from, to, expected: "two people" });
  if (actor && actor.id !== from) throw new RuntimeError("approval/forbidden", { from, by: actor.id });
  const grants = delegates.get(to)?.grants;
  if (span === 0 && !grants?.some((grant) => grant.from === from)) return [];
  if (!grants && delegates.size >= MAX_DELEGATES) throw new RuntimeError("runtime/limit", { delegates: MAX_DELEGATES });
  if (grants && grants.length >= MAX_GRANTS) throw new RuntimeError("runtime/limit", { to, delegations: MAX_GRANTS });
  const { roles = [], level = "click" } = actor ?? {};
  return [{ type: "approval.delegated", data: { from, to, roles, level, until: now + span } }];
}

/** A key is pinned by the first one who gives it; another one takes somebody of whom the host is sure. */
function register(
  { keys }: ApprovalsState,
  { id: claimed, key, require, actor }: ApprovalCommands["approver.register"],
): ApprovalFact[] {
  const id = claimed ?? actor?.id;
  if (id === undefined) throw new RuntimeError("command/invalid", { at: "id", expected: "whose key it is" });
  if (actor && actor.id !== id) throw new RuntimeError("approval/forbidden", { id, by: actor.id });
  const { level = "click" } = actor ?? {};
  const data = { id, key, require, level };
  const known = keys.get(id);
  if (JSON.stringify(known) === JSON.stringify(data)) return [];
  if (known && level !== "session") throw new RuntimeError("approval/key-known", { id });
  if (!known && keys.size >= MAX_KEYS) throw new RuntimeError("runtime/limit", { keys: MAX_KEYS });
  return [{ type: "approver.registered", data }];
}
