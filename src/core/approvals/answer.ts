/** The one way to decide: whatever door an answer comes through, it is authorised and counted here. */
import { findFlaw } from "../capabilities/schema.ts";
import { encodeRefusal, RuntimeError } from "../errors.ts";
import { checkJson, decodeJson, type Json } from "../json.ts";
import { RecordedRefusal, type FactOf } from "../kernel.ts";
import { isSpilled, MAX_INLINE } from "../payload/reference.ts";
import type { Approval, ApprovalCommands, ApprovalEvents } from "./approval.ts";
import { conclude } from "./decision.ts";
import { diffJson } from "./diff.ts";
import { withVote, type ApprovalsState } from "./fold.ts";
import { isAsked, LEVELS, tally, type Level, type Person, type Vote } from "./policy.ts";

type Answer = ApprovalCommands["approval.answer"];
type ApprovalFact = FactOf<ApprovalEvents>;

/** The most votes that are kept, and the most edits. */
const MAX_VOTES = 1_000;
const MAX_EDITS = 100;

/**
 * What an answer does. One that is refused is recorded.
 * @throws RecordedRefusal of a RuntimeError `approval/…`, `json/…`, `command/invalid`, `runtime/limit`
 */
export function answer(state: ApprovalsState, given: Answer, { now }: { readonly now: number }): ApprovalFact[] {
  const { id, approved, by = given.actor?.id, proof } = given;
  const level = proof?.genuine ? "signed" : (given.actor?.level ?? "click");
  try {
    if (by === undefined) throw new RuntimeError("command/invalid", { id, at: "by", expected: "who answers" });
    return count(state, { ...given, by, level }, now);
  } catch (thrown) {
    const error = encodeRefusal(thrown);
    throw new RecordedRefusal([{ type: "approval.refused", data: { id, by, approved, level, error } }], thrown);
  }
}

interface Said extends Answer {
  readonly by: string;
  readonly level: Level;
}

function count(state: ApprovalsState, said: Said, now: number): ApprovalFact[] {
  const { id, by, level, approved, reason, data, proof } = said;
  if (isAgain(state, said)) return [];
  const approval = state.approvals.get(id);
  if (!approval) throw new RuntimeError("approval/closed", { id });
  if (approval.expiresAt !== undefined && approval.expiresAt <= now)
    throw new RuntimeError("approval/expired", { id, expiresAt: approval.expiresAt });
  const principal = authorise(state, approval, said, now);
  checkForm(approval, said);
  const edited = editOf(approval, said);
  const { votes = [], revote = false } = approval;
  const before = votes.filter((vote) => vote.id === principal.id || vote.by === by);
  const [first] = before;
  if (first && edited.length === 0 && before.length === 1 && first.by === by && first.approved === approved) return [];
  if (first && !revote) throw new RuntimeError("approval/voted", { id, by, for: first.id, approved: first.approved });
  if (votes.length >= MAX_VOTES) throw new RuntimeError("runtime/limit", { id, votes: MAX_VOTES });
  const told = {
    ...(reason !== undefined && { reason }),
    ...(proof && { proof }),
    ...(data !== undefined && { data }),
  };
  const vote: Vote = { ...principal, by, approved, level, ...(reason !== undefined && { reason }) };
  const payload = edited[0]?.data.payload ?? approval.payload;
  const next = { ...approval, payload, votes: withVote(edited.length > 0 ? [] : votes, vote) };
  const verdict = tally(next);
  if (verdict === undefined) {
    const { reason: _, ...rest } = told;
    return [...edited, { type: "approval.voted", data: { id, vote, ...rest } }];
  }
  const who = { by, ...(principal.id !== by && { for: principal.id }), ...(level !== "click" && { level }) };
  return [...edited, ...conclude(state, next, { approved: verdict, ...who, ...told })];
}

/**
 * Whether this signed answer of this page has counted already: it asks again when a host dies with its reply. (Unsigned
 * ones are commands, which have numbers.)
 */
function isAgain({ signed }: ApprovalsState, { id, by, approved, proof }: Said): boolean {
  const known = signed.get(proof?.signature ?? "");
  return (
    known?.session !== undefined &&
    known.session === proof?.session &&
    known.approval === id &&
    known.by === by &&
    known.approved === approved
  );
}

/** As whom somebody answers. @throws RuntimeError `approval/…` when that one may not. */
function authorise(
  state: ApprovalsState,
  approval: Approval,
  { by, level, actor, proof, least = "click" }: Said,
  now: number,
): Person {
  const { id, approvers, requestedBy, selfApproval, trust = "click" } = approval;
  if (proof && !proof.genuine) throw new RuntimeError("approval/signature-invalid", { id, by });
  if (actor && actor.id !== by) throw new RuntimeError("approval/forbidden", { id, by, actor: actor.id });
  const rank = (one: Level): number => LEVELS.indexOf(one);
  const isSure = (person: string, known: Level): boolean =>
    rank(known) >= Math.max(rank(least), rank(state.keys.get(person)?.require ? "signed" : trust));
  if (!isSure(by, level)) throw new RuntimeError("approval/untrusted", { id, by, level });
  const isSelf = (person: string): boolean => person === requestedBy && !selfApproval;
  if (isSelf(by)) throw new RuntimeError("approval/self", { id, by });
  const self = { id: by, roles: actor?.roles ?? [] };
  if (isAsked(approval, self)) return self;
  for (const { from, roles, level: sure, until } of state.delegates.get(by)?.grants ?? []) {
    const other = { id: from, roles };
    if (until > now && !isSelf(from) && isSure(from, sure) && isAsked(approval, other)) return other;
  }
  throw new RuntimeError("approval/forbidden", { id, by, approvers });
}

function checkForm({ id, needReason, revision: current = 0 }: Approval, said: Said): void {
  const { approved, reason = "", data, revision = 0 } = said;
  if (revision !== current) throw new RuntimeError("approval/stale", { id, revision, current });
  if ((needReason === "always" || (needReason && !approved)) && reason.trim() === "")
    throw new RuntimeError("approval/reason-missing", { id });
  if (data !== undefined) decodeJson(checkJson(data, "data"), "data"); // it becomes a part of an output
}

/** The event of an edit that changes something. */
function editOf(
  approval: Approval,
  { approved, by, edits }: Said,
): Extract<ApprovalFact, { type: "approval.edited" }>[] {
  if (edits === undefined) return [];
  const { id, edit, payload, edits: made = [] } = approval;
  const refuse = (reason: string, more: object = {}): RuntimeError =>
    new RuntimeError("approval/edit-invalid", { id, reason, ...more });
  if (!edit) throw refuse("the payload can't be changed");
  if (!approved) throw refuse("what is rejected can't be changed");
  if (isSpilled(payload)) throw refuse("the payload is too long to be changed");
  const after = decodeJson(checkJson(edits, "edits", MAX_INLINE), "edits") as Json;
  const flaw = findFlaw(edit, after, "payload");
  if (flaw) throw refuse("it isn't as the schema says", flaw);
  const changes = diffJson(decodeJson(payload) as Json, after);
  if (changes.length === 0) return [];
  if (made.length >= MAX_EDITS) throw new RuntimeError("runtime/limit", { id, edits: MAX_EDITS });
  return [{ type: "approval.edited", data: { id, by, payload: edits, changes } }];
}
