/** What an approver signs: the request as it was shown, and the answer. Page and host write it alike. */
import type { JsonText } from "../json.ts";
import type { Approval, ApprovalAnswer } from "./approval.ts";
import type { PublicKey } from "./key.ts";

type Shown = Pick<Approval, "id" | "nonce" | "message" | "expiresAt" | "turn">;

/** `payload` is what is shown, as JSON of the parsed value; of one that is kept elsewhere the reference, with its digest. */
export function statementOf(
  { id, nonce = "", message, expiresAt = 0, turn }: Shown,
  payload: JsonText,
  { approved, by = "", reason = "", data = "", edits = "", revision = 0 }: ApprovalAnswer,
): string {
  const request = [id, nonce, expiresAt, revision, message, payload];
  const after = turn === undefined ? [] : [turn];
  return JSON.stringify(["troupe approval 1", ...request, ...after, approved, by, reason, data, edits]);
}

/** How WebCrypto names what a key signs with. */
export function algorithmOf({ crv }: Pick<PublicKey, "crv">): { name: string; namedCurve?: string; hash?: string } {
  return crv === "Ed25519" ? { name: crv } : { name: "ECDSA", namedCurve: crv, hash: "SHA-256" };
}
