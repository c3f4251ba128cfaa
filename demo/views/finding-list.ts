/** The list of findings: a grid of which only what is in sight exists, so that thousands cost no more than twenty. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import { ref } from "lit/directives/ref.js";
import { count } from "../page/format.ts";
import type { ReviewActions } from "../page/scene.ts";
import { rowsOf, type Decision, type ReviewState, type Row } from "../review/review.ts";
import { viewOf, rowHeight, track } from "../review/window.ts";
import { icon } from "./icons.ts";

export function findingList(state: ReviewState, actions: ReviewActions): TemplateResult {
  const rows = rowsOf(state);
  const { first, last } = viewOf(rows.length);
  const height = rowHeight();
  return html`
    <div class="list-side">
      <div
        class="list"
        id="finding-list"
        role="treegrid"
        aria-label="Findings"
        aria-multiselectable="true"
        aria-rowcount=${rows.length}
        aria-activedescendant=${state.cursor === undefined ? nothing : rowId(state.cursor)}
        tabindex="0"
        @keydown=${actions.key}
        ${ref(track)}
      >
        ${rows.length === 0 ? html`<div role="row" class="empty"><div role="gridcell">No finding matches the filter.</div></div>` : nothing}
        <div class="list-space" role="presentation" .style=${`height:${String(first * height)}px`}></div>
        ${repeat(
          rows.slice(first, last),
          ({ key }) => key,
          (row, at) =>
            row.kind === "group"
              ? groupRow(row, first + at, state, actions)
              : findingRow(row, first + at, state, actions),
        )}
        <div class="list-space" role="presentation" .style=${`height:${String((rows.length - last) * height)}px`}></div>
      </div>
      <p class="list-hint">
        <kbd>j</kbd> <kbd>k</kbd> move · <kbd>⇧</kbd> select · <kbd>a</kbd> accept · <kbd>d</kbd> dismiss ·
        <kbd>u</kbd> undo ·
        <button
          class="link"
          @click=${() => {
            actions.showKeys(true);
          }}
        >
          all keys
        </button>
      </p>
    </div>
  `;
}

/** Ids of elements may not hold blanks. */
const rowId = (key: string): string => `row-${key.replace(/\s/gu, "_")}`;

type GroupRow = Extract<Row, { kind: "group" }>;
type FindingRow = Extract<Row, { kind: "finding" }>;

function groupRow(row: GroupRow, at: number, state: ReviewState, actions: ReviewActions): TemplateResult {
  const open = !state.collapsed.has(row.key);
  const decided = row.ids.filter((id) => state.decisions.has(id)).length;
  const all = (verdict: "accepted" | "dismissed") => (event: Event) => {
    event.stopPropagation();
    actions.decide(row.ids, verdict);
  };
  return html`
    <div
      class="row row-group ${state.cursor === row.key ? "row-here" : ""}"
      id=${rowId(row.key)}
      role="row"
      aria-rowindex=${at + 1}
      aria-level="1"
      aria-expanded=${open ? "true" : "false"}
      @click=${() => {
        actions.fold(row.key);
      }}
    >
      <div role="gridcell" class="row-fold">${icon("right")}</div>
      <div role="gridcell" class="row-label">
        <i class="sign sign-${row.severity ?? "info"}" aria-hidden="true"></i>${row.label}
        <span class="faint">${count(decided)} of ${count(row.ids.length)} decided</span>
      </div>
      <div role="gridcell" class="row-all">
        <button class="button button-small" tabindex="-1" @click=${all("accepted")}>Accept all</button>
        <button class="button button-small" tabindex="-1" @click=${all("dismissed")}>Dismiss all</button>
      </div>
    </div>
  `;
}

function findingRow(
  { key, finding }: FindingRow,
  at: number,
  state: ReviewState,
  actions: ReviewActions,
): TemplateResult {
  const decision = state.decisions.get(finding.id);
  const here = state.cursor === key;
  const selected = state.selected.has(key);
  return html`
    <div
      class="row row-finding ${here ? "row-here" : ""} ${decision ? `row-${decision.verdict}` : ""}"
      id=${rowId(key)}
      role="row"
      aria-rowindex=${at + 1}
      aria-level="2"
      aria-selected=${selected || (here && state.selected.size === 0) ? "true" : "false"}
      @click=${(event: MouseEvent) => {
        actions.place(key, event);
      }}
    >
      <div role="gridcell" class="row-sign">
        <i class="sign sign-${finding.severity}" title=${finding.severity}></i
        ><span class="unseen">${finding.severity}</span>
      </div>
      <div role="gridcell" class="row-title">${finding.title}</div>
      <div role="gridcell" class="row-place">${placeOf(finding.path, finding.line)}</div>
      <div role="gridcell" class="row-verdict">${verdictMark(decision)}</div>
    </div>
  `;
}

/** The end of a path says more than its beginning, so the beginning is what gives way. */
function placeOf(path: string | undefined, line: number | undefined): TemplateResult {
  if (path === undefined) return html`<span class="faint">no file</span>`;
  return html`<bdi>${path}${line === undefined ? "" : `:${String(line)}`}</bdi>`;
}

function verdictMark(decision: Decision | undefined): TemplateResult {
  if (!decision) return html`<span class="unseen">undecided</span>`;
  return html`${icon(decision.verdict === "accepted" ? "check" : "cross")} ${decision.verdict}`;
}
