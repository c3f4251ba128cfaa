/** What people read in the inbox. */
import type { RuntimeError } from "../../core/errors.ts";
import type { Need, Seat } from "../../core/approvals/policy.ts";

const SPANS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** How far a moment is away: "in 3 hours", "in less than a minute". */
export function untilThen(at: number, now: number): string {
  const left = at - now;
  for (const [unit, span] of SPANS)
    if (left >= span) return new Intl.RelativeTimeFormat("en").format(Math.floor(left / span), unit);
  return left > 0 ? "in less than a minute" : "now";
}

export function seatName(seat: Seat): string {
  if (typeof seat === "string") return seat;
  const name = "id" in seat ? seat.id : seat.role;
  return `${name}${seat.weight === undefined ? "" : ` (weight ${String(seat.weight)})`}${seat.veto ? " (veto)" : ""}`;
}

/** Whom it takes, as a sentence. */
export function needOf(approvers: readonly Seat[], need: Need = "any"): string {
  const names = approvers.length === 0 ? "anybody" : approvers.map(seatName).join(", ");
  if (need === "any") return `The first answer of ${names} decides.`;
  if (need === "all") return `All of them have to approve: ${names}.`;
  if (typeof need === "number") return `${String(need)} people have to approve, of ${names}.`;
  return `Approvals have to weigh ${String(need.weight)} together: ${names}.`;
}

const REFUSALS: Readonly<Record<string, string>> = {
  "approval/closed": "This was decided already.",
  "approval/expired": "Its time was over.",
  "approval/forbidden": "You are not asked.",
  "approval/self": "You have started this run, so somebody else has to decide.",
  "approval/voted": "You have answered already, and the answer can't be changed.",
  "approval/stale": "The payload was edited meanwhile. Look at it again.",
  "approval/untrusted": "It isn't known surely enough who you are. Sign in.",
  "approval/signature-invalid": "The signature isn't one of this decision by this approver.",
  "approval/reason-missing": "Give a reason.",
};

/** Why an answer wasn't taken. */
export function refusalOf({ code, message }: RuntimeError): string {
  return REFUSALS[code] ?? message;
}
