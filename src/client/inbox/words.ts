/** What people read in the inbox. */
import type { RuntimeError } from "../../core/errors.ts";
import type { Need, OnTimeout, Seat, Vote } from "../../core/approvals/policy.ts";
import type { ApprovalView } from "../approval-types.ts";
import type { Standing } from "./standing.ts";

const SPANS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** How far a moment is away, in the largest unit of which it is two or more: "in 119 minutes". */
export function untilThen(at: number, now: number): string {
  const left = at - now;
  for (const [unit, span] of SPANS)
    if (left >= 2 * span || (left > 0 && unit === "second"))
      return new Intl.RelativeTimeFormat("en").format(Math.max(1, Math.floor(left / span)), unit);
  return "now";
}

export const exactly = (at: number): string =>
  new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" }).format(at);

/** What comes of it when nobody decides in time. */
export function afterwards({ onTimeout, escalation: [next] = [] }: ApprovalView): string {
  const ends: Readonly<Record<OnTimeout, string>> = {
    approve: "then it counts as approved",
    reject: "then it counts as rejected",
    fail: "then the step fails",
    escalate: `then it goes to ${next ? namesOf(next.approvers) : "others"}`,
  };
  return ends[onTimeout];
}

export function seatName(seat: Seat): string {
  if (typeof seat === "string") return seat;
  const name = "id" in seat ? seat.id : seat.role;
  return `${name}${seat.weight === undefined ? "" : ` (weight ${String(seat.weight)})`}${seat.veto ? " (veto)" : ""}`;
}

const namesOf = (approvers: readonly Seat[]): string =>
  approvers.length === 0 ? "anybody" : approvers.map(seatName).join(", ");

/** Whom it takes, as a sentence. */
export function needOf(approvers: readonly Seat[], need: Need = "any"): string {
  const names = namesOf(approvers);
  if (need === "any") return `The first answer of ${names} decides.`;
  if (need === "all") return `All of them have to approve: ${names}.`;
  if (typeof need === "number") return `${String(need)} people have to approve, of ${names}.`;
  return `Approvals have to weigh ${String(need.weight)} together: ${names}.`;
}

const SELF = "You have started this run, so somebody else has to decide.";
const OTHERS = "Others are asked, not you.";

/** What is said of a request that waits for who is there. */
export const MINE = "Waits for you";

/** How it stands, in a few words each. */
export function tagsOf(
  { step, reminded = 0, trust }: ApprovalView,
  standing: Standing,
  said: Vote | undefined,
): readonly string[] {
  const own = said ? `You have ${said.approved ? "approved" : "rejected"}` : standing === "asked" ? MINE : "";
  const times = ["", "once", "twice"][reminded] ?? `${String(reminded)} times`;
  const tags = [
    own,
    step ? "Escalated" : "",
    times && `Reminded ${times}`,
    trust === "signed" ? "Signed answers only" : "",
  ];
  return tags.filter((tag) => tag !== "");
}

/** Why somebody can't answer. */
export const WHY: Readonly<Record<Standing, string>> = {
  asked: "",
  voted: "You have answered, and that stands.",
  self: SELF,
  others: OTHERS,
  nobody: "Sign in to answer.",
};

const REFUSALS: Readonly<Record<string, string>> = {
  "approval/closed": "This was decided already.",
  "approval/expired": "Its time was over.",
  "approval/forbidden": "You are not asked.",
  "approval/self": SELF,
  "approval/voted": "You have answered already, and the answer can't be changed.",
  "approval/stale": "The payload was edited meanwhile. Look at it again.",
  "approval/untrusted": "It isn't known surely enough who you are. Sign in, or sign your answer.",
  "approval/signature-invalid": "The signature isn't one of this decision by this approver.",
  "approval/key-known": "Another key than this browser's is registered for you.",
  "approval/reason-missing": "Give a reason.",
};

/** Why an answer wasn't taken. */
export function refusalOf({ code, message, detail: { at, expected } }: RuntimeError): string {
  if (code === "approval/edit-invalid" && typeof at === "string" && typeof expected === "string")
    return `${at} has to be ${expected}.`;
  return REFUSALS[code] ?? message;
}
