import type { DueIndex, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { Approval, ApprovalEvents } from "./approval.ts";

export interface ApprovalsState {
  readonly approvals: Table<Approval>;
  readonly due: DueIndex;
}

export const approvalsFold: Fold<ApprovalsState, ApprovalEvents> = {
  create: (kit) => ({ approvals: kit.table<Approval>(), due: kit.due("approval.wake") }),
  apply: {
    "approval.requested": (state, data, at) => {
      state.approvals.set(data.id, { ...copyJson(data), requestedAt: at });
      if (data.expiresAt !== undefined) state.due.set(data.id, data.expiresAt);
    },
    "approval.decided": close,
    "approval.cancelled": close,
  },
  save: ({ approvals }) => saveTable(approvals),
  restore(state, saved) {
    const approvals = saved as Approval[];
    restoreTable(state.approvals, approvals);
    for (const { id, expiresAt } of approvals) if (expiresAt !== undefined) state.due.set(id, expiresAt);
  },
};

function close(state: ApprovalsState, { id }: { readonly id: string }): void {
  state.approvals.delete(id);
  state.due.delete(id);
}
