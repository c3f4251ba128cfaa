/** Where a person decides: the findings, what each one shows, and the end of it. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { SEVERITIES, type Finding, type Severity } from "../audit.ts";
import { count, counted } from "../page/format.ts";
import type { ReviewActions, Scene } from "../page/scene.ts";
import { rowsOf, tallyOf, targetsOf, type Grouping, type ReviewState } from "../review/review.ts";
import { nameOf } from "./person.ts";
import { icon } from "./icons.ts";
import { findingList } from "./finding-list.ts";
import { findingDetail } from "./finding-detail.ts";

export function review(scene: Scene): TemplateResult {
  const state = scene.ui.review;
  return html`
    <section class="review panel" id="review" aria-labelledby="review-title" tabindex="-1">
      <header class="panel-head review-head">
        <h2 id="review-title">Review</h2>
        ${state ? tally(state) : nothing}
      </header>
      ${state ? body(scene, state) : html`<p class="empty">Reading the findings …</p>`}
    </section>
  `;
}

function body(scene: Scene, state: ReviewState): TemplateResult {
  const { actions, ui } = scene;
  if (state.status === "loading") return html`<p class="empty">Reading the findings …</p>`;
  if (state.status === "failed")
    return html`<p class="empty" role="alert">
      The findings could not be read. ${state.error} Reload the page to try again.
    </p>`;
  if (state.findings.length === 0) {
    return html`<p class="empty">Nothing was found. Finish the review and the report will say so.</p>
      ${finish(scene, state)}`;
  }
  return html`
    ${toolbar(state, actions.review)}
    <div class="review-pair">${findingList(state, actions.review)} ${findingDetail(state, actions.review)}</div>
    ${ui.keysShown ? keys() : nothing} ${finish(scene, state)}
  `;
}

function tally(state: ReviewState): TemplateResult {
  const { accepted, dismissed, undecided } = tallyOf(state);
  return html`
    <p class="tally">
      <span class="tally-open"><b>${count(undecided)}</b> undecided</span>
      <span class="tally-yes"><b>${count(accepted)}</b> accepted</span>
      <span class="tally-no"><b>${count(dismissed)}</b> dismissed</span>
    </p>
  `;
}

const GROUPINGS: readonly (readonly [Grouping, string])[] = [
  ["severity", "Severity"],
  ["file", "File"],
  ["rule", "Rule"],
];

function toolbar(state: ReviewState, actions: ReviewActions): TemplateResult {
  const { filter, grouping } = state;
  return html`
    <div class="toolbar" role="search" aria-label="Findings">
      <label class="field field-search">
        <span class="unseen">Filter findings</span>
        <input
          id="finding-filter"
          type="search"
          placeholder="Filter by file, rule or text"
          .value=${filter.text}
          @input=${({ target }: Event) => {
            if (target instanceof HTMLInputElement) actions.filter({ text: target.value });
          }}
        />
      </label>
      <div class="chips" role="group" aria-label="Severities">
        ${SEVERITIES.map((severity) => severityChip(severity, state, actions))}
      </div>
      <label class="check">
        <input
          type="checkbox"
          .checked=${filter.undecidedOnly}
          @change=${() => {
            actions.filter({ undecidedOnly: !filter.undecidedOnly });
          }}
        />
        Undecided only
      </label>
      <label class="field">
        <span>Group by</span>
        <select
          .value=${grouping}
          @change=${({ target }: Event) => {
            const chosen = GROUPINGS.find(([value]) => target instanceof HTMLSelectElement && target.value === value);
            if (chosen) actions.group(chosen[0]);
          }}
        >
          ${GROUPINGS.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
        </select>
      </label>
    </div>
  `;
}

function severityChip(
  severity: Severity,
  { findings, filter }: ReviewState,
  actions: ReviewActions,
): TemplateResult | typeof nothing {
  const number = findings.filter((finding) => finding.severity === severity).length;
  if (number === 0) return nothing;
  return html`
    <button
      class="chip chip-${severity}"
      aria-pressed=${filter.severities.has(severity) ? "true" : "false"}
      @click=${() => {
        actions.toggleSeverity(severity);
      }}
    >
      <i class="sign sign-${severity}" aria-hidden="true"></i>${severity} <b>${count(number)}</b>
    </button>
  `;
}

const KEYS: readonly (readonly [string, string])[] = [
  ["↓ j, ↑ k", "next, previous"],
  ["⇧ ↓, ⇧ ↑", "select a range"],
  ["a", "accept"],
  ["d", "dismiss"],
  ["u", "undecided again"],
  ["← →", "fold, unfold the group"],
  ["Home End", "first, last"],
  ["Ctrl A", "select all shown"],
  ["r", "write a reason"],
  ["/", "filter"],
  ["?", "show or hide this"],
];

function keys(): TemplateResult {
  return html`
    <dl class="keys" aria-label="Keys">
      ${KEYS.map(
        ([key, meaning]) =>
          html`<div>
            <dt>${key.split(", ").map((one) => html`<kbd>${one}</kbd>`)}</dt>
            <dd>${meaning}</dd>
          </div>`,
      )}
    </dl>
  `;
}

function finish({ ui, actions }: Scene, state: ReviewState): TemplateResult {
  const { undecided } = tallyOf(state);
  const sending = state.status === "sending";
  const isNobody = !ui.person && ui.reviewer.trim() === "";
  const text =
    (set: (value: string) => void) =>
    ({ target }: Event) => {
      if (target instanceof HTMLInputElement) set(target.value);
    };
  return html`
    <div class="finish">
      ${
        ui.person
          ? html`<p class="field">
              <span>Reviewer</span> <b>${nameOf(ui.person)}</b>
              <button class="link" popovertarget="people">change</button>
            </p>`
          : html`<label class="field field-name"
              ><span>Reviewer</span>
              <input
                autocomplete="name"
                maxlength="200"
                .value=${ui.reviewer}
                @input=${text(actions.review.reviewer)}
              />
            </label>`
      }
      <label class="field field-grow"
        ><span>Remark for the report</span>
        <input maxlength="1000" placeholder="Optional" .value=${state.remark} @input=${text(actions.review.remark)} />
      </label>
      <p class="finish-words">
        ${isNobody ? "Say who reviews, and you can finish. " : ""}${undecided === 0 ? "All findings are decided." : `${counted(undecided, "finding")} still undecided; the report shows them as such.`}
      </p>
      ${
        ui.confirming === "reject"
          ? rejection(actions)
          : html` <button class="button button-main" ?disabled=${sending || isNobody} @click=${actions.review.submit}>
                ${icon("check")} ${sending ? "Sending …" : "Finish and make the report"}
              </button>
              <button
                class="button button-quiet"
                ?disabled=${sending || isNobody}
                @click=${() => {
                  actions.confirm("reject");
                }}
              >
                Reject the audit
              </button>`
      }
    </div>
  `;
}

function rejection(actions: Scene["actions"]): TemplateResult {
  return html`
    <span class="ask" id="ask-reject">End without a report?</span>
    <button class="button button-fault" aria-describedby="ask-reject" @click=${actions.review.reject}>Reject it</button>
    <button
      class="button"
      @click=${() => {
        actions.confirm(undefined);
      }}
    >
      Go back
    </button>
  `;
}

/** The findings that buttons beside the list are about. */
export function chosen(state: ReviewState): readonly Finding[] {
  const ids = new Set(targetsOf(state));
  return state.findings.filter(({ id }) => ids.has(id));
}

export const shownCount = (state: ReviewState): number => rowsOf(state).filter(({ kind }) => kind === "finding").length;
