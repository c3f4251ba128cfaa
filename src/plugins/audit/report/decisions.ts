/** What people decided about findings, and what that makes of each of them. */
import * as v from "valibot";
import type { Finding } from "../findings.ts";

const id = v.pipe(v.string(), v.maxLength(64));

export const DecisionsSchema = v.object({
  /** Findings that were confirmed. */
  accepted: v.optional(v.array(id), []),
  /** Findings that are none, or that are tolerated, and why. */
  dismissed: v.optional(v.array(v.object({ id, reason: v.optional(v.pipe(v.string(), v.maxLength(1_000))) })), []),
  by: v.optional(v.pipe(v.string(), v.maxLength(200))),
});
export type Decisions = v.InferOutput<typeof DecisionsSchema>;

export type Decision =
  | { readonly kind: "open" }
  | { readonly kind: "accepted" }
  | { readonly kind: "dismissed"; readonly reason: string | undefined };

/** A finding with what was decided about it. */
export interface Decided {
  readonly finding: Finding;
  readonly decision: Decision;
}

/** In the findings' order. What is both accepted and dismissed counts as accepted: it stays visible. */
export function decide(findings: readonly Finding[], { accepted, dismissed }: Decisions): readonly Decided[] {
  const confirmed = new Set(accepted);
  const reasons = new Map(dismissed.map((one) => [one.id, one]));
  return findings.map((finding) => {
    if (confirmed.has(finding.id)) return { finding, decision: { kind: "accepted" } };
    const dismissal = reasons.get(finding.id);
    if (!dismissal) return { finding, decision: { kind: "open" } };
    return { finding, decision: { kind: "dismissed", reason: dismissal.reason } };
  });
}
