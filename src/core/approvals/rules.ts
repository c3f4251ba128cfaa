import { RuntimeError } from "../errors.ts";
import { checkJson, decodeJson } from "../json.ts";
import type { Rules } from "../kernel.ts";
import type { ApprovalCommands, ApprovalEvents } from "./approval.ts";
import type { ApprovalsState } from "./fold.ts";

export interface ApprovalsView {
  readonly approvals: ApprovalsState;
}

export const approvalsRules: Rules<ApprovalsView, ApprovalCommands, ApprovalEvents> = {
  decide: {
    "approval.request": ({ approvals }, { timeout, ...request }, { now }) => {
      if (approvals.approvals.has(request.id)) return [];
      const expiry = timeout === undefined ? {} : { expiresAt: now + timeout };
      return [{ type: "approval.requested", data: { ...request, ...expiry } }];
    },
    "approval.answer": ({ approvals }, { id, by, ...answer }, { now }) => {
      const approval = approvals.approvals.get(id);
      if (!approval) throw new RuntimeError("approval/closed", { id });
      if (approval.expiresAt !== undefined && approval.expiresAt <= now)
        throw new RuntimeError("approval/expired", { id, expiresAt: approval.expiresAt });
      if (approval.approvers.length > 0 && !approval.approvers.includes(by))
        throw new RuntimeError("approval/forbidden", { id, by, approvers: approval.approvers });
      if (answer.data !== undefined) decodeJson(checkJson(answer.data, "data"), "data"); // it becomes a part of an output
      const parent = approval.parent && { parent: approval.parent };
      return [{ type: "approval.decided", data: { id, by, ...answer, ...parent } }];
    },
    "approval.wake": ({ approvals }, { id }, { now }) => {
      const approval = approvals.approvals.get(id);
      if (approval?.expiresAt === undefined || approval.expiresAt > now) return [];
      const { onTimeout, parent } = approval;
      const reason = "nobody answered in time";
      const approved = onTimeout === "approve";
      const data = { id, approved, by: "timeout", reason, expired: true, ...(parent && { parent }) };
      return [{ type: "approval.decided", data }];
    },
    "approval.cancel": ({ approvals }, data) =>
      approvals.approvals.has(data.id) ? [{ type: "approval.cancelled", data }] : [],
  },
};
