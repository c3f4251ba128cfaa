/** `troupe/inbox`: the element `<approval-inbox>`. */
export { ApprovalInbox, defineApprovalInbox, type InboxRuntime } from "./client/inbox/element.ts";
export { waitsFor } from "./client/inbox/standing.ts";
