/** What people have said so far: seat by seat, so that it is seen who is still asked. */
import { isAsked, seated, type Vote } from "../../core/approvals/policy.ts";
import type { ApprovalView } from "../approval-types.ts";
import { element } from "./parts.ts";
import { seatName } from "./words.ts";

export function answersOf(view: ApprovalView): HTMLLIElement[] {
  const { approvers, votes = [] } = view;
  const counted = votes.filter((vote) => isAsked(view, vote));
  const sitting = seated(approvers, counted);
  const seats = approvers.map((seat, at) => {
    const vote = counted.find((one) => sitting.get(one) === at);
    return line(seatName(seat), vote);
  });
  const others = votes.filter((vote) => !sitting.has(vote));
  return [
    ...seats,
    ...others.map((vote) => line("", vote, counted.includes(vote) ? "" : "asked before; it doesn’t count now")),
  ];
}

function line(seat: string, vote: Vote | undefined, note = ""): HTMLLIElement {
  const said = vote ? voteParts(vote) : [element("span", { class: "quiet" }, "is asked")];
  return element("li", {}, ...(seat === "" ? [] : [element("b", {}, seat)]), ...said, note);
}

function voteParts({ id, by, approved, level, reason }: Vote): HTMLElement[] {
  const who = by === id ? by : `${by}, for ${id},`;
  const how = level === "click" ? "" : ` (${level})`;
  const [mark, verb] = approved ? ["✓", "approves"] : ["✗", "rejects"];
  const sign = element("span", { "aria-hidden": "true" }, `${mark} `);
  const told = element("span", { class: approved ? "yes" : "no" }, sign, `${who} ${verb}${how}`);
  return reason === undefined ? [told] : [told, element("q", {}, reason)];
}
