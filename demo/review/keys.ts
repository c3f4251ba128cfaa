/** What each key does in the list of findings. */
import {
  decide,
  groupKeyOf,
  moveCursor,
  rowsOf,
  selectAll,
  targetsOf,
  toNextFinding,
  toggleGroup,
  type ReviewState,
  type Verdict,
} from "./review.ts";
import { pageOfRows } from "./window.ts";

export type KeyAction =
  | { readonly kind: "change"; readonly apply: (review: ReviewState) => ReviewState }
  | { readonly kind: "focus"; readonly id: string }
  | { readonly kind: "keys" };

type Stroke = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

/** The action of a key, or undefined when the list has none for it. */
export function keyAction({ key, shiftKey, ctrlKey, metaKey, altKey }: Stroke): KeyAction | undefined {
  if (altKey) return undefined;
  if (ctrlKey || metaKey) return key.toLowerCase() === "a" ? { kind: "change", apply: selectAll } : undefined;
  const step = stepOf(key);
  if (step !== undefined) return { kind: "change", apply: (review) => moveCursor(review, step, shiftKey) };
  switch (key.toLowerCase()) {
    case "a":
      return verdict("accepted");
    case "d":
      return verdict("dismissed");
    case "u":
    case "delete":
    case "backspace":
      return verdict(undefined);
    case "arrowleft":
      return { kind: "change", apply: fold };
    case "arrowright":
      return { kind: "change", apply: unfold };
    case "enter":
    case " ":
      return { kind: "change", apply: flip };
    case "escape":
      return { kind: "change", apply: (review) => ({ ...review, selected: new Set(), anchor: undefined }) };
    case "r":
      return { kind: "focus", id: "dismiss-reason" };
    case "/":
      return { kind: "focus", id: "finding-filter" };
    case "?":
      return { kind: "keys" };
    default:
      return undefined;
  }
}

function stepOf(key: string): number | undefined {
  switch (key) {
    case "ArrowDown":
    case "j":
    case "J":
      return 1;
    case "ArrowUp":
    case "k":
    case "K":
      return -1;
    case "PageDown":
      return pageOfRows();
    case "PageUp":
      return -pageOfRows();
    case "Home":
      return -Infinity;
    case "End":
      return Infinity;
    default:
      return undefined;
  }
}

/** Decides, and goes on to the next finding when it was about one. */
function verdict(which: Verdict | undefined): KeyAction {
  return {
    kind: "change",
    apply(review) {
      const ids = targetsOf(review);
      const goOn = which !== undefined && ids.length === 1 && review.selected.size === 0;
      // The next one is found before the decision: with "undecided only" the present one is gone after it.
      const { cursor } = goOn ? toNextFinding(review) : review;
      return { ...decide(review, ids, which), cursor };
    },
  };
}

function fold(review: ReviewState): ReviewState {
  const group = groupKeyOf(review, review.cursor);
  return group === undefined ? review : toggleGroup(review, group, true);
}

function unfold(review: ReviewState): ReviewState {
  return isGroup(review) && review.cursor !== undefined ? toggleGroup(review, review.cursor, false) : review;
}

function flip(review: ReviewState): ReviewState {
  return isGroup(review) && review.cursor !== undefined ? toggleGroup(review, review.cursor) : review;
}

const isGroup = (review: ReviewState): boolean =>
  rowsOf(review).find(({ key }) => key === review.cursor)?.kind === "group";
