/** One request: what is asked, what others have said, and the answer that is being written. */
import { isAsked } from "../../core/approvals/policy.ts";
import { RuntimeError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { AnswerInput, ApprovalView, Claim } from "../approval-types.ts";
import { element, textOf } from "./parts.ts";
import { needOf, refusalOf, untilThen } from "./words.ts";

export interface ItemOptions {
  /** Resolves when the answer is durable. */
  readonly answer: (view: ApprovalView, answer: AnswerInput) => Promise<void>;
  readonly person: () => Claim | undefined;
}

export interface Item {
  readonly element: HTMLLIElement;
  /** Shows it as it is now; what was written stays. */
  update(view: ApprovalView): void;
  /** Time has passed, or somebody else is there. */
  refresh(now: number): void;
  focus(): void;
}

let made = 0;

export function createItem(first: ApprovalView, { answer, person }: ItemOptions): Item {
  const id = `request-${String(++made)}`;
  const parts = createParts(id);
  const { title, trouble, reason, editor, approve, reject } = parts;
  let view = first;
  let edited = "";
  let isSending = false;
  const enable = (): void => {
    const claim = person();
    const asked = !claim?.id || isAsked(view, { id: claim.id, roles: claim.roles ?? [] });
    parts.notYours.hidden = asked;
    // A control that is disabled loses the keyboard.
    for (const control of [approve, reject]) control.setAttribute("aria-disabled", String(isSending));
  };
  const update = (next: ApprovalView): void => {
    const text = textOf(next.payload);
    if (editor.value === edited) editor.value = text;
    else if (text !== edited) trouble.textContent = "The payload was edited meanwhile. Compare it with what you wrote.";
    edited = text;
    view = next;
    show(parts, view);
    enable();
  };
  const send = async (approved: boolean): Promise<void> => {
    if (isSending) return;
    isSending = true;
    trouble.textContent = "";
    enable();
    try {
      await answer(view, answerOf(view, { approved, reason: reason.value.trim(), payload: editor.value, edited }));
      trouble.textContent = "Your answer is counted.";
    } catch (error) {
      trouble.textContent = error instanceof RuntimeError ? refusalOf(error) : String(error);
    } finally {
      isSending = false;
      enable();
    }
  };
  approve.addEventListener("click", () => void send(true));
  reject.addEventListener("click", () => void send(false));
  update(first);
  return {
    element: parts.root,
    update,
    refresh(now) {
      const { expiresAt } = view;
      parts.deadline.hidden = expiresAt === undefined;
      if (expiresAt !== undefined) parts.deadline.textContent = `Its time is over ${untilThen(expiresAt, now)}.`;
      enable();
    },
    focus: () => {
      title.focus();
    },
  };
}

interface Written {
  readonly approved: boolean;
  readonly reason: string;
  readonly payload: string;
  readonly edited: string;
}

/** @throws RuntimeError `json/invalid` for a payload that is none. */
function answerOf({ edit, revision = 0 }: ApprovalView, { approved, reason, payload, edited }: Written): AnswerInput {
  const answer = { approved, revision, ...(reason !== "" && { reason }) };
  if (!edit || !approved || payload === edited) return answer;
  try {
    return { ...answer, edits: JSON.parse(payload) as Json };
  } catch (cause) {
    throw new RuntimeError("json/invalid", {}, { message: "The edited payload isn't JSON.", cause });
  }
}

type Parts = ReturnType<typeof createParts>;

function createParts(id: string) {
  const title = element("h3", { id, tabindex: "-1" });
  const about = element("p");
  const deadline = element("p");
  const notYours = element("p", {}, "Others are asked, not you.");
  const context = element("pre", { tabindex: "0", "aria-label": "What it is about" });
  const changes = element("table", { "aria-label": "What was edited" });
  const votes = element("ul", { "aria-label": "Answers so far" });
  const reason = element("textarea");
  const editor = element("textarea", { spellcheck: "false" });
  const editing = element("label", {}, "Payload, as it should be", editor);
  const approve = element("button", { type: "button" }, "Approve");
  const reject = element("button", { type: "button" }, "Reject");
  const trouble = element("p", { role: "status", class: "trouble" });
  const actions = element("div", { class: "actions" }, approve, reject);
  const writing = element("label", {}, "Reason", reason);
  const all = [title, about, deadline, notYours, context, changes, votes, editing, writing, actions, trouble];
  const root = element("li", {}, element("article", { "aria-labelledby": id }, ...all));
  return {
    root,
    title,
    about,
    deadline,
    notYours,
    context,
    changes,
    votes,
    reason,
    editor,
    editing,
    approve,
    reject,
    trouble,
  };
}

function show(
  parts: Parts,
  { message, approvers, need, payload, edits = [], votes = [], edit, needReason }: ApprovalView,
): void {
  parts.title.textContent = message;
  parts.about.textContent = needOf(approvers, need);
  parts.context.textContent = textOf(payload);
  parts.context.hidden = payload === null;
  parts.editing.hidden = !edit;
  parts.reason.toggleAttribute("required", needReason === "always");
  const rows = edits.flatMap(({ by, changes }) =>
    changes.map(({ path, before, after }) => {
      const was = element("del", {}, textOf(before));
      const is = element("ins", {}, textOf(after));
      const cells = [by, path.join(" › "), was, is].map((part) => element("td", {}, part));
      return element("tr", {}, ...cells);
    }),
  );
  const heads = ["Who", "Where", "Before", "Now"].map((head) => element("th", { scope: "col" }, head));
  parts.changes.replaceChildren(element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
  parts.changes.hidden = rows.length === 0;
  const said = votes.map(({ id, by, approved, reason, level }) => {
    const who = by === id ? by : `${by}, for ${id},`;
    const why = reason === undefined ? "" : `: ${reason}`;
    return element("li", {}, `${who} ${approved ? "approves" : "rejects"} (${level})${why}`);
  });
  parts.votes.replaceChildren(...said);
  parts.votes.hidden = said.length === 0;
}
