/** Carries a review from its findings to its answer: reads, keeps the draft, listens to keys, sends. */
import type { Runtime } from "../../src/index.ts";
import { answerOf, findingsOf } from "../audit.ts";
import { errorData } from "../page/errors.ts";
import type { ReviewActions } from "../page/scene.ts";
import type { UiStore } from "../page/state.ts";
import { personNamed, type Person } from "../people/people.ts";
import { forgetDraft, readDraft, saveDraft, watchDraft } from "./draft.ts";
import { keyAction } from "./keys.ts";
import { decide, moveCursor, newReview, placeCursor, rowsOf, toggleGroup, type ReviewState } from "./review.ts";
import { focusList, reveal, watchScroll } from "./window.ts";

export interface ReviewControl {
  readonly actions: ReviewActions;
  /** Opens the review of an approval, or closes the one that is open. */
  follow(approval: string | undefined): void;
}

type Change = (how: (review: ReviewState) => ReviewState) => void;

/** `signIn`: who types a name to finish a review is that one from then on. */
export function createReviewControl(
  runtime: Runtime,
  ui: UiStore,
  signIn: (person: Person | undefined) => void,
): ReviewControl {
  const current = (): ReviewState | undefined => ui.getState().review;
  const change: Change = (how) => {
    const before = current();
    if (!before) return;
    const review = how(before);
    if (review.decisions !== before.decisions) saveDraft(review);
    ui.setState({ review });
    if (review.cursor !== before.cursor) reveal(rowsOf(review), review.cursor);
  };
  watchScroll(() => {
    ui.setState({ now: Date.now() });
  });
  watchDraft(
    () => current()?.approval,
    () => {
      const review = current();
      if (review) ui.setState({ review: { ...review, decisions: readDraft(review.approval) } });
    },
  );
  return {
    follow(approval) {
      if (current()?.approval === approval) return;
      ui.setState({ review: approval === undefined ? undefined : newReview(approval) });
      if (approval !== undefined) load(runtime, approval, change);
    },
    actions: { ...listActions(change), ...reviewActions({ runtime, ui, signIn }, change) },
  };
}

function load(runtime: Runtime, approval: string, change: Change): void {
  try {
    const findings = findingsOf(runtime.approvals.get(approval)?.payload);
    change((review) => opened({ ...review, status: "ready", findings, decisions: readDraft(approval) }));
  } catch (error) {
    const { message } = errorData(error);
    change((review) => ({ ...review, status: "failed", error: message }));
  }
}

interface Reviewing {
  readonly runtime: Runtime;
  readonly ui: UiStore;
  readonly signIn: (person: Person | undefined) => void;
}

function reviewActions({ runtime, ui, signIn }: Reviewing, change: Change): Omit<ReviewActions, keyof ListActions> {
  const send = (approved: boolean): void => {
    const { review, reviewer, person } = ui.getState();
    const by = person ?? personNamed(reviewer);
    if (review?.status !== "ready" || !by) return;
    if (!person) signIn(by);
    change((state) => ({ ...state, status: "sending" }));
    ui.setState({ confirming: undefined });
    runtime.answer(review.approval, answerOf(review, { approved, by: by.id }));
    runtime.settled(review.approval).then(
      () => {
        forgetDraft(review.approval);
        document.getElementById("title")?.focus(); // the review is gone, and with it the button
      },
      () => {
        change((state) => ({ ...state, status: "ready" })); // refused, which a notice says
      },
    );
  };
  return {
    key(event) {
      const action = keyAction(event);
      if (!action) return;
      event.preventDefault();
      if (action.kind === "keys") ui.setState({ keysShown: !ui.getState().keysShown });
      else if (action.kind === "focus") document.getElementById(action.id)?.focus();
      else change(action.apply);
    },
    reviewer(name) {
      ui.setState({ reviewer: name });
    },
    showKeys(keysShown) {
      ui.setState({ keysShown });
    },
    submit() {
      send(true);
    },
    reject() {
      send(false);
    },
  };
}

/** Begins at the first finding, below the head of its group. */
const opened = (review: ReviewState): ReviewState => moveCursor(moveCursor(review, 1), 1);

type ListActions = Omit<ReviewActions, "key" | "reviewer" | "showKeys" | "submit" | "reject">;

function listActions(change: Change): ListActions {
  return {
    decide(ids, verdict) {
      change((review) => decide(review, ids, verdict));
    },
    place(key, event) {
      focusList();
      const how = event.shiftKey ? "extend" : event.ctrlKey || event.metaKey ? "toggle" : "alone";
      change((review) => placeCursor(review, key, how));
    },
    fold(key) {
      focusList();
      change((review) => toggleGroup(review, key));
    },
    filter(part) {
      change((review) => ({ ...review, filter: { ...review.filter, ...part }, selected: new Set() }));
    },
    toggleSeverity(severity) {
      change((review) => {
        const severities = new Set(review.filter.severities);
        if (!severities.delete(severity)) severities.add(severity);
        return { ...review, filter: { ...review.filter, severities }, selected: new Set() };
      });
    },
    group(grouping) {
      change((review) => ({ ...review, grouping, collapsed: new Set() }));
    },
    reason(reason) {
      change((review) => ({ ...review, reason }));
    },
    remark(remark) {
      change((review) => ({ ...review, remark }));
    },
  };
}
