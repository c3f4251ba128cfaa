/** The public keys that approvers sign with, as JSON Web Keys. */
import * as v from "valibot";
import type { Level } from "./policy.ts";

const coordinate = v.pipe(v.string(), v.regex(/^[\w-]{43}$/u, "32 bytes as base64url"));

/** Ed25519, or ECDSA on P-256 where a browser has no Ed25519. */
export const KeySchema = v.variant("crv", [
  v.strictObject({ kty: v.literal("OKP"), crv: v.literal("Ed25519"), x: coordinate }),
  v.strictObject({ kty: v.literal("EC"), crv: v.literal("P-256"), x: coordinate, y: coordinate }),
]);
export type PublicKey = v.InferOutput<typeof KeySchema>;

export interface ApproverKey {
  /** The approver. */
  readonly id: string;
  readonly key: PublicKey;
  readonly require: boolean;
  /** How surely it was known who registered it. */
  readonly level: Level;
}
