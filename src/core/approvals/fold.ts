import type { DueIndex, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { keepLatest, restoreTable, saveTable } from "../tables.ts";
import type { Approval, ApprovalEvents, Delegate, SignedAnswer } from "./approval.ts";
import type { ApproverKey } from "./key.ts";
import type { Vote } from "./policy.ts";

export interface ApprovalsState {
  readonly approvals: Table<Approval>;
  /** By the one who answers for others. */
  readonly delegates: Table<Delegate>;
  readonly keys: Table<ApproverKey>;
  /** The latest ones. */
  readonly signed: Table<SignedAnswer>;
  /** The ids of those that are rejected together; follows from the approvals. */
  readonly groups: Map<string, Set<string>>;
  readonly due: DueIndex;
  readonly delegatesDue: DueIndex;
}

export const approvalsFold: Fold<ApprovalsState, ApprovalEvents> = {
  create: (kit) => ({
    approvals: kit.table(),
    delegates: kit.table(),
    keys: kit.table(),
    signed: kit.table(),
    groups: new Map(),
    due: kit.due("approval.wake"),
    delegatesDue: kit.due("delegation.wake"),
  }),
  apply: {
    "approval.requested": (state, data, at) => {
      keep(state, { ...copyJson(data), requestedAt: at });
    },
    "approval.voted": (state, { id, vote, proof }) => {
      const approval = state.approvals.get(id);
      if (!approval) return;
      const votes = withVote(approval.votes, copyJson(vote));
      const isOther = votes.length <= (approval.votes?.length ?? 0);
      state.approvals.set(id, { ...approval, votes, ...(isOther && { turn: (approval.turn ?? 0) + 1 }) });
      sign(state, { id, by: vote.by, approved: vote.approved, proof });
    },
    "approval.edited": (state, { id, by, payload, changes }, at) => {
      const approval = state.approvals.get(id);
      if (!approval) return;
      const { revision = 0, edits = [], votes: _, ...rest } = approval;
      const edit = { by, at, changes: copyJson(changes) };
      state.approvals.set(id, { ...rest, payload, revision: revision + 1, edits: [...edits, edit] });
    },
    "approval.reminded": (state, { id, number, remindAt }) => {
      const { remindAt: _, ...approval } = state.approvals.get(id) ?? {};
      if ("id" in approval) keep(state, { ...approval, reminded: number, ...(remindAt !== undefined && { remindAt }) });
    },
    "approval.escalated": (state, data) => {
      const approval = state.approvals.get(data.id);
      if (!approval) return;
      const { need: _n, rejections: _r, remind: _m, remindAt: _a, expiresAt: _e, reminded: _d, ...rest } = approval;
      keep(state, { ...rest, ...copyJson(data), escalation: (approval.escalation ?? []).slice(1) });
    },
    "approval.decided": (state, data) => {
      close(state, data);
      sign(state, data);
    },
    "approval.cancelled": close,
    "approval.delegated": (state, { to, ...grant }, at) => {
      const others = state.delegates.get(to)?.grants.filter(({ from }) => from !== grant.from) ?? [];
      keepGrants(state, { id: to, grants: [...others, copyJson(grant)] }, at);
    },
    "delegation.expired": (state, { id }, at) => {
      const known = state.delegates.get(id);
      if (known) keepGrants(state, known, at);
    },
    "approver.registered": (state, data) => {
      state.keys.set(data.id, copyJson(data));
    },
  },
  save: ({ approvals, delegates, keys, signed }) => ({
    approvals: saveTable(approvals),
    delegates: saveTable(delegates),
    keys: saveTable(keys),
    signed: saveTable(signed),
  }),
  restore(state, saved) {
    // Earlier releases have saved the approvals alone.
    const all = (Array.isArray(saved) ? { approvals: saved as Approval[] } : saved) as Partial<Saved>;
    for (const approval of all.approvals ?? []) keep(state, approval);
    for (const delegate of all.delegates ?? []) keepGrants(state, delegate, 0);
    restoreTable(state.keys, all.keys ?? []);
    restoreTable(state.signed, all.signed ?? []);
  },
};

interface Saved {
  readonly approvals: readonly Approval[];
  readonly delegates: readonly Delegate[];
  readonly keys: readonly ApproverKey[];
  readonly signed: readonly SignedAnswer[];
}

/** The most signed answers that are remembered. */
const MAX_SIGNED = 1_000;

type Signed = Pick<ApprovalEvents["approval.decided"], "id" | "by" | "approved" | "proof">;

function sign({ signed }: ApprovalsState, { id: approval, by, approved, proof }: Signed): void {
  if (!proof) return;
  const { signature: id, session } = proof;
  keepLatest(signed, { id, approval, by, approved, session }, MAX_SIGNED);
}

/** A person has one vote, whether it was given in person or by another. */
export function withVote(votes: readonly Vote[] = [], vote: Vote): Vote[] {
  return [...votes.filter((one) => one.id !== vote.id && one.by !== vote.by), vote];
}

function keep(state: ApprovalsState, approval: Approval): void {
  const { id, expiresAt, remindAt, group } = approval;
  state.approvals.set(id, approval);
  const next = Math.min(expiresAt ?? Infinity, remindAt ?? Infinity);
  if (next < Infinity) state.due.set(id, next);
  else state.due.delete(id);
  if (group !== undefined) state.groups.set(group, (state.groups.get(group) ?? new Set()).add(id));
}

function close(state: ApprovalsState, { id }: { readonly id: string }): void {
  const { group } = state.approvals.get(id) ?? {};
  state.approvals.delete(id);
  state.due.delete(id);
  if (group === undefined) return;
  const others = state.groups.get(group);
  others?.delete(id);
  if (others?.size === 0) state.groups.delete(group);
}

/** Keeps what holds still, and nothing about somebody who answers for nobody. */
function keepGrants(state: ApprovalsState, { id, grants }: Delegate, now: number): void {
  const held = grants.filter(({ until }) => until > now);
  state.delegates.delete(id);
  state.delegatesDue.delete(id);
  if (held.length === 0) return;
  state.delegates.set(id, { id, grants: held });
  state.delegatesDue.set(id, Math.min(...held.map(({ until }) => until)));
}
