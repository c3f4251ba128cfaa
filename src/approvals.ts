/** `troupe/approvals`: signs answers to approvals, and shows how a payload was edited. */
export { signAnswer } from "./client/approving.ts";
export { createSigner, type SignerOptions } from "./client/signer.ts";
export { diffJson, type Edited } from "./core/approvals/diff.ts";
export type * from "./client/approval-types.ts";
