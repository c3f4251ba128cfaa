/** Which rows of the list are in sight. The list scrolls by itself; this only looks at it. */
import type { Row } from "./review.ts";

const OVERSCAN = 12;
const NARROW = matchMedia("(max-width: 640px)");

let list: HTMLElement | undefined;
let onScroll: () => void = () => undefined;

/** All rows are equally high; what stands beside each other on a wide page stands below on a narrow one. */
export const rowHeight = (): number => (NARROW.matches ? 56 : 36);

/** Tells when other rows have come in sight. */
export function watchScroll(listener: () => void): void {
  onScroll = listener;
  NARROW.addEventListener("change", listener);
}

/** Takes the list's element as the template gives it. */
export function track(element: Element | undefined): void {
  if (element === list) return;
  list?.removeEventListener("scroll", hear);
  list = element instanceof HTMLElement ? element : undefined;
  list?.addEventListener("scroll", hear, { passive: true });
}

const hear = (): void => {
  onScroll();
};

/** The rows to draw: `first` inclusive, `last` exclusive. */
export function viewOf(rows: number): { readonly first: number; readonly last: number } {
  const top = list?.scrollTop ?? 0;
  const height = list?.clientHeight ?? 600;
  const first = Math.max(0, Math.min(rows, Math.floor(top / rowHeight()) - OVERSCAN));
  const last = Math.min(rows, Math.ceil((top + height) / rowHeight()) + OVERSCAN);
  return { first, last };
}

/** Scrolls by as little as brings the row into sight. */
export function reveal(rows: readonly Row[], key: string | undefined): void {
  const at = rows.findIndex((row) => row.key === key);
  if (!list || at < 0) return;
  const [top, bottom] = [at * rowHeight(), (at + 1) * rowHeight()];
  if (top < list.scrollTop) list.scrollTop = top;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}

/** Rows that fit into the list at once. */
export const pageOfRows = (): number => Math.max(1, Math.floor((list?.clientHeight ?? 400) / rowHeight()) - 1);

export function focusList(): void {
  list?.focus({ preventScroll: true });
}
