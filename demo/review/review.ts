/** A review in the making: what a person has decided on, and what is selected. Pure, and the same in every tab. */
import { SEVERITIES, type Finding, type Severity } from "../audit.ts";

export type Verdict = "accepted" | "dismissed";

export interface Decision {
  readonly verdict: Verdict;
  readonly reason?: string | undefined;
}

export type Grouping = "severity" | "file" | "rule";

export interface Filter {
  readonly text: string;
  /** Empty: all. */
  readonly severities: ReadonlySet<Severity>;
  readonly undecidedOnly: boolean;
}

export interface ReviewState {
  readonly approval: string;
  readonly status: "loading" | "ready" | "sending" | "failed";
  readonly error?: string | undefined;
  readonly findings: readonly Finding[];
  readonly decisions: ReadonlyMap<string, Decision>;
  readonly filter: Filter;
  readonly grouping: Grouping;
  readonly collapsed: ReadonlySet<string>;
  /** Key of the row that the keyboard is on. */
  readonly cursor: string | undefined;
  /** Where a range began. */
  readonly anchor: string | undefined;
  readonly selected: ReadonlySet<string>;
  /** Why the findings that are dismissed next are dismissed. */
  readonly reason: string;
  /** A word on the review as a whole. */
  readonly remark: string;
}

export type Row =
  | {
      readonly key: string;
      readonly kind: "group";
      readonly label: string;
      readonly severity: Severity | undefined;
      readonly ids: readonly string[];
    }
  | { readonly key: string; readonly kind: "finding"; readonly finding: Finding };

export function newReview(approval: string): ReviewState {
  return {
    approval,
    status: "loading",
    findings: [],
    decisions: new Map(),
    filter: { text: "", severities: new Set(), undecidedOnly: false },
    grouping: "severity",
    collapsed: new Set(),
    cursor: undefined,
    anchor: undefined,
    selected: new Set(),
    reason: "",
    remark: "",
  };
}

type RowsInput = Pick<ReviewState, "findings" | "filter" | "grouping" | "collapsed" | "decisions">;
let memo: { readonly input: RowsInput; readonly rows: readonly Row[] } | undefined;

/** The rows to show, group by group; computed again only when something that they depend on has changed. */
export function rowsOf(review: RowsInput): readonly Row[] {
  if (memo && sameInput(memo.input, review)) return memo.rows;
  const groups = groupFindings(
    review.findings.filter((finding) => matches(finding, review)),
    review.grouping,
  );
  const rows = groups.flatMap((group): Row[] => {
    if (review.collapsed.has(group.key)) return [group];
    return [group, ...group.findings.map((finding): Row => ({ key: finding.id, kind: "finding", finding }))];
  });
  memo = { input: review, rows };
  return rows;
}

function sameInput(a: RowsInput, b: RowsInput): boolean {
  const stable =
    a.findings === b.findings && a.filter === b.filter && a.grouping === b.grouping && a.collapsed === b.collapsed;
  return stable && (!b.filter.undecidedOnly || a.decisions === b.decisions);
}

function matches(finding: Finding, { filter, decisions }: Pick<ReviewState, "filter" | "decisions">): boolean {
  if (filter.severities.size > 0 && !filter.severities.has(finding.severity)) return false;
  if (filter.undecidedOnly && decisions.has(finding.id)) return false;
  const sought = filter.text.trim().toLowerCase();
  if (sought === "") return true;
  return [finding.path, finding.title, finding.rule, finding.message].some((text) =>
    text?.toLowerCase().includes(sought),
  );
}

type Group = Extract<Row, { kind: "group" }> & { readonly findings: readonly Finding[] };

function groupFindings(findings: readonly Finding[], grouping: Grouping): Group[] {
  const byLabel = new Map<string, Finding[]>();
  for (const finding of findings) {
    const label = labelOf(finding, grouping);
    const list = byLabel.get(label);
    if (list) list.push(finding);
    else byLabel.set(label, [finding]);
  }
  const groups = [...byLabel].map(([label, list]): Group => {
    const sorted = grouping === "severity" ? list : list.toSorted(byWeight);
    const severity = sorted[0]?.severity;
    return { key: `group ${label}`, kind: "group", label, severity, ids: sorted.map(({ id }) => id), findings: sorted };
  });
  return groups.sort((a, b) => weightOf(a.severity) - weightOf(b.severity));
}

function labelOf({ severity, path, title }: Finding, grouping: Grouping): string {
  switch (grouping) {
    case "severity":
      return severity;
    case "file":
      return path ?? "No file";
    case "rule":
      return title;
  }
}

const weightOf = (severity: Severity | undefined): number =>
  severity === undefined ? SEVERITIES.length : SEVERITIES.indexOf(severity);
const byWeight = (a: Finding, b: Finding): number => weightOf(a.severity) - weightOf(b.severity);

/** The findings that a key or button is about: the selection, else the row under the cursor, else none. */
export function targetsOf(review: ReviewState): readonly string[] {
  if (review.selected.size > 0) return [...review.selected];
  const row = rowsOf(review).find(({ key }) => key === review.cursor);
  if (!row) return [];
  return row.kind === "group" ? row.ids : [row.finding.id];
}

/** Decides on findings; without a verdict they are undecided again. */
export function decide(review: ReviewState, ids: readonly string[], verdict: Verdict | undefined): ReviewState {
  if (ids.length === 0) return review;
  const decisions = new Map(review.decisions);
  const reason = review.reason.trim();
  for (const id of ids) {
    if (verdict === undefined) decisions.delete(id);
    else decisions.set(id, verdict === "dismissed" && reason !== "" ? { verdict, reason } : { verdict });
  }
  return { ...review, decisions };
}

/** Moves the cursor by rows; with `extend` the selection grows from where it began. */
export function moveCursor(review: ReviewState, step: number, extend = false): ReviewState {
  const rows = rowsOf(review);
  if (rows.length === 0) return review;
  const at = rows.findIndex(({ key }) => key === review.cursor);
  const next = Math.min(rows.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step));
  const cursor = rows[next]?.key;
  if (!extend) return { ...review, cursor, anchor: undefined, selected: new Set() };
  const anchor = review.anchor ?? review.cursor ?? cursor;
  return { ...review, cursor, anchor, selected: between(rows, anchor, cursor) };
}

/** Moves the cursor to the next finding, past the heads of groups: a key pressed twice must not decide on a whole group. */
export function toNextFinding(review: ReviewState): ReviewState {
  const rows = rowsOf(review);
  const at = rows.findIndex(({ key }) => key === review.cursor);
  const next = rows.find(({ kind }, place) => place > at && kind === "finding");
  return next ? placeCursor(review, next.key) : review;
}

/** Puts the cursor on a row, as a click does. */
export function placeCursor(
  review: ReviewState,
  key: string,
  how: "alone" | "extend" | "toggle" = "alone",
): ReviewState {
  if (how === "extend") {
    const anchor = review.anchor ?? review.cursor ?? key;
    return { ...review, cursor: key, anchor, selected: between(rowsOf(review), anchor, key) };
  }
  if (how === "alone") return { ...review, cursor: key, anchor: undefined, selected: new Set() };
  const selected = new Set(review.selected);
  const row = rowsOf(review).find((one) => one.key === key);
  if (row?.kind === "finding" && !selected.delete(key)) selected.add(key);
  return { ...review, cursor: key, anchor: key, selected };
}

function between(rows: readonly Row[], one: string | undefined, other: string | undefined): ReadonlySet<string> {
  const a = rows.findIndex(({ key }) => key === one);
  const b = rows.findIndex(({ key }) => key === other);
  const span = rows.slice(Math.max(0, Math.min(a, b)), Math.max(a, b) + 1);
  return new Set(span.flatMap((row) => (row.kind === "finding" ? [row.finding.id] : [])));
}

export function selectAll(review: ReviewState): ReviewState {
  return {
    ...review,
    selected: new Set(rowsOf(review).flatMap((row) => (row.kind === "finding" ? [row.finding.id] : []))),
  };
}

/** Folds or unfolds the group of a row. */
export function toggleGroup(review: ReviewState, key: string, folded?: boolean): ReviewState {
  const collapsed = new Set(review.collapsed);
  const fold = folded ?? !collapsed.has(key);
  if (fold) collapsed.add(key);
  else collapsed.delete(key);
  return { ...review, collapsed, cursor: key, selected: new Set() };
}

/** The key of the group that a row belongs to. */
export function groupKeyOf(review: ReviewState, key: string | undefined): string | undefined {
  const rows = rowsOf(review);
  const at = rows.findIndex((row) => row.key === key);
  return rows.slice(0, at + 1).findLast((row) => row.kind === "group")?.key;
}

export interface Tally {
  readonly accepted: number;
  readonly dismissed: number;
  readonly undecided: number;
}

export function tallyOf({ findings, decisions }: Pick<ReviewState, "findings" | "decisions">): Tally {
  let [accepted, dismissed] = [0, 0];
  for (const { id } of findings) {
    const verdict = decisions.get(id)?.verdict;
    if (verdict === "accepted") accepted += 1;
    if (verdict === "dismissed") dismissed += 1;
  }
  return { accepted, dismissed, undecided: findings.length - accepted - dismissed };
}
