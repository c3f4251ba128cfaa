/** One request: what is asked, what others have said, and the answer that is being written. */
import { diffJson } from "../../core/approvals/diff.ts";
import type { Person } from "../../core/approvals/policy.ts";
import { RuntimeError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { AnswerInput, ApprovalView } from "../approval-types.ts";
import type { SpilledPayload } from "../runtime.ts";
import { spilledText } from "../views.ts";
import { answersOf } from "./answers.ts";
import { changeList } from "./changes.ts";
import { createFields, type Fields } from "./fields.ts";
import { element, tell, textOf, type Child } from "./parts.ts";
import { readable } from "./readable.ts";
import { ownVote, standingOf } from "./standing.ts";
import { afterwards, exactly, MINE, needOf, refusalOf, tagsOf, untilThen, WHY } from "./words.ts";

export interface ItemOptions {
  /** Resolves when the answer is durable. */
  readonly answer: (view: ApprovalView, answer: AnswerInput) => Promise<void>;
  /** Reads a payload that is too long for a record. */
  readonly load: (payload: unknown) => Promise<unknown>;
  readonly person: () => Person | undefined;
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

export function createItem(first: ApprovalView, { answer, load, person }: ItemOptions): Item {
  const parts = createParts(first, load);
  const { fields, trouble } = parts;
  const state: State = { view: first, who: person()?.id, isSending: false, inPlace: false };
  const stand = (): void => {
    showStanding(parts, state, person());
  };
  const write = (): void => {
    showWritten(parts, state.view);
  };
  const clear = (): void => {
    parts.reason.value = "";
    fields?.clear();
    parts.editing.open = false;
    write();
  };
  const send = async (approved: boolean): Promise<void> => {
    if (state.isSending) return;
    state.isSending = true;
    tell(trouble, "");
    stand();
    try {
      await answer(state.view, answerOf(parts, state.view, approved));
      clear();
    } catch (error) {
      tell(trouble, error instanceof RuntimeError ? refusalOf(error) : String(error));
      if (error instanceof RuntimeError && error.code === "approval/reason-missing") parts.reason.focus();
    }
    state.isSending = false;
    stand();
  };
  const stepIn = (): void => {
    state.inPlace = true;
    stand();
    parts.reason.focus();
  };
  listen(parts, { send: (approved) => void send(approved), stepIn, write });
  const update = (view: ApprovalView): void => {
    const isOther = state.view.revision !== view.revision;
    state.view = view;
    show(parts, view);
    const isWritten = fields?.show(view.payload) ?? false;
    if (isWritten && isOther) tell(trouble, "It was edited meanwhile. Compare it with what you wrote.");
    write();
    stand();
  };
  update(first);
  const refresh = (now: number): void => {
    const who = person()?.id;
    if (state.who !== who) {
      if (state.who !== undefined) clear(); // it was another's
      tell(trouble, "");
      Object.assign(state, { who, inPlace: false });
    }
    tell(parts.left, untilThen(state.view.expiresAt ?? 0, now));
    stand();
  };
  return { element: parts.root, update, refresh, focus: () => parts.title.focus() };
}

interface State {
  view: ApprovalView;
  /** Who was there when it was looked at last. */
  who: string | undefined;
  isSending: boolean;
  /** Somebody who isn't asked answers for another; the host knows whether that one has named this one. */
  inPlace: boolean;
}

type Parts = ReturnType<typeof createParts>;

interface Deeds {
  readonly send: (approved: boolean) => void;
  readonly stepIn: () => void;
  readonly write: () => void;
}

function listen({ approve, reject, instead, form }: Parts, { send, stepIn, write }: Deeds): void {
  approve.addEventListener("click", () => {
    send(true);
  });
  reject.addEventListener("click", () => {
    send(false);
  });
  instead.addEventListener("click", stepIn);
  form.addEventListener("input", write);
}

/** @throws RuntimeError `json/invalid` for an edit that is none. */
function answerOf({ fields, reason }: Parts, { revision = 0 }: ApprovalView, approved: boolean): AnswerInput {
  const why = reason.value.trim();
  const edits = approved ? fields?.read() : undefined;
  return { approved, revision, ...(why !== "" && { reason: why }), ...(edits !== undefined && { edits }) };
}

function createParts({ edit, payload }: ApprovalView, load: ItemOptions["load"]) {
  const id = `request-${String(++made)}`;
  const title = element("h3", { id, tabindex: "-1", part: "message" });
  const tags = element("p", { class: "tags" });
  const asked = element("p", { class: "quiet" });
  const left = element("time");
  const ending = element("span");
  const deadline = element("p", { class: "quiet", part: "deadline" }, "Its time is over ", left, ending);
  const context = element("section", { part: "context", "aria-label": "What it is about" });
  const votes = element("ul", { class: "seats", "aria-label": "Answers" });
  const need = element("p", { class: "quiet" });
  const edits = element("section", { "aria-label": "What was edited" });
  const why = element("p", { class: "quiet" });
  const instead = element("button", { type: "button", part: "button" }, "Answer in somebody’s place");
  const fields: Fields | undefined = edit && !isLong(payload) ? createFields(edit, payload) : undefined;
  const written = element("section", { "aria-label": "Your changes" });
  const editing = element("details", { part: "editing" }, element("summary", {}, "Change it before you approve"));
  editing.append(element("div", { class: "fields" }, ...(fields?.elements ?? []), written));
  editing.hidden = !fields;
  const reason = element("textarea", { part: "field", maxlength: 4_096 });
  const approve = element("button", { type: "button", part: "button approve" }, "Approve");
  const reject = element("button", { type: "button", part: "button reject" }, "Reject");
  const trouble = element("p", { role: "status", class: "trouble" });
  const label = element("span");
  const form = element(
    "section",
    { "aria-label": "Your answer" },
    editing,
    element("label", {}, label, reason),
    element("div", { class: "actions" }, approve, reject),
  );
  const article = element(
    "article",
    { "aria-labelledby": id, part: "item" },
    element("header", {}, tags, title, asked, deadline),
    element("section", {}, context, edits),
    element("section", { class: "answers" }, need, votes),
    element("footer", {}, why, instead, form, trouble),
  );
  const root = element("li", {}, article);
  return {
    ...{ root, title, tags, asked, left, ending, deadline, context, votes, need, edits, why, instead, fields },
    ...{ written, editing, load, reason, label, approve, reject, trouble, form },
  };
}

function show(parts: Parts, view: ApprovalView): void {
  const { message, approvers, need, edits = [], edit, needReason, expiresAt, requestedBy, requestedAt } = view;
  const titles = edit?.properties ?? {};
  tell(parts.title, message);
  tell(parts.asked, `Asked ${requestedBy === undefined ? "" : `by ${requestedBy}, `}${exactly(requestedAt)}`);
  parts.deadline.hidden = expiresAt === undefined;
  if (expiresAt !== undefined) {
    parts.left.dateTime = new Date(expiresAt).toISOString();
    tell(parts.ending, ` (${exactly(expiresAt)}), ${afterwards(view)}.`);
  }
  showContext(parts, view);
  tell(parts.need, needOf(approvers, need));
  parts.votes.replaceChildren(...answersOf(view));
  const done = edits.flatMap(({ by, at, changes }) => [
    element("h4", {}, `${by} changed it, ${exactly(at)}`),
    changeList(changes, titles),
  ]);
  const note = element("p", { class: "quiet" }, "A change takes back what others had said.");
  parts.edits.replaceChildren(...done, ...(done.length > 0 ? [note] : []));
  const when = { always: "", rejection: " (a rejection takes one)", never: " (optional)" }[needReason ?? "never"];
  tell(parts.label, `Reason${when}`);
}

/** Made anew only when it is another one, so that what was opened stays open. */
function showContext({ context, load }: Parts, { payload, revision = 0, edit }: ApprovalView): void {
  if (context.dataset["revision"] === String(revision)) return;
  context.dataset["revision"] = String(revision);
  context.hidden = payload === null;
  const showValue = (value: unknown): void => {
    const isPlain = typeof value !== "object";
    context.replaceChildren(readable(value, edit?.properties), ...(isPlain ? [] : [inJson(value)]));
  };
  if (isLong(payload)) context.replaceChildren(...longPayload(payload, () => load(payload), showValue));
  else showValue(payload);
}

function inJson(value: unknown): HTMLDetailsElement {
  const json = element("pre", { tabindex: "0", "aria-label": "As JSON" }, textOf(value));
  return element("details", {}, element("summary", {}, "Exactly, as JSON"), json);
}

const isLong = (payload: unknown): payload is SpilledPayload => spilledText(payload) !== undefined;

/** It is read when somebody asks for it. */
function longPayload({ size }: SpilledPayload, load: () => Promise<unknown>, show: (value: unknown) => void): Child[] {
  const note = element("p", {}, `It is long: about ${String(Math.ceil(size / 1_024))} kB. `);
  const button = element("button", { type: "button", part: "button" }, "Show it");
  button.addEventListener("click", () => {
    load().then(show, (error: unknown) => {
      tell(note, `It can't be read: ${error instanceof Error ? error.message : String(error)}`);
    });
  });
  return [note, button];
}

/** What is written now: the changes, and how many of them go with an approval. */
function showWritten({ fields, written, approve }: Parts, { payload, edit }: ApprovalView): void {
  let next: Json | undefined;
  try {
    next = fields?.read();
  } catch {
    // it is told when it is sent
  }
  const changes = next === undefined ? [] : diffJson(payload as Json, next);
  const count = changes.length;
  written.replaceChildren(
    ...(count > 0 ? [element("h4", {}, "Your changes"), changeList(changes, edit?.properties)] : []),
  );
  tell(approve, count === 0 ? "Approve" : `Approve with ${String(count)} ${count === 1 ? "change" : "changes"}`);
}

function showStanding(parts: Parts, { view, inPlace, isSending }: State, person: Person | undefined): void {
  const { form, instead, title, tags, why } = parts;
  // A control that is disabled loses the keyboard.
  for (const control of [parts.approve, parts.reject]) control.setAttribute("aria-disabled", String(isSending));
  const standing = standingOf(view, person);
  const isFocused = form.contains((form.getRootNode() as ShadowRoot).activeElement);
  const texts = tagsOf(view, standing, ownVote(view, person));
  if (tags.textContent !== texts.join(""))
    tags.replaceChildren(...texts.map((text) => element("span", { class: text === MINE ? "mine" : "" }, text)));
  tell(why, WHY[standing]);
  why.hidden = standing === "asked";
  form.hidden = standing !== "asked" && !(inPlace && standing === "others");
  instead.hidden = standing !== "others" || inPlace;
  if (isFocused && form.hidden) title.focus();
}
