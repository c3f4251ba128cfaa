/** One finding in full, or what is selected; with the buttons to decide. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Finding } from "../audit.ts";
import { counted } from "../page/format.ts";
import type { ReviewActions } from "../page/scene.ts";
import { rowsOf, targetsOf, type ReviewState } from "../review/review.ts";
import { icon } from "./icons.ts";

const REASONS = ["False positive", "Test or example code", "Accepted risk", "Fixed elsewhere", "Not reachable"];

export function findingDetail(state: ReviewState, actions: ReviewActions): TemplateResult {
  const targets = targetsOf(state);
  const only = targets.length === 1 ? state.findings.find(({ id }) => id === targets[0]) : undefined;
  return html`
    <div class="detail" aria-live="off">
      ${only ? one(only, state) : many(targets.length, state)} ${decideBar(state, targets, actions)}
    </div>
  `;
}

function one(finding: Finding, { decisions }: ReviewState): TemplateResult {
  const { severity, confidence, title, message, path, line, evidence, help, rule, cwe, tool } = finding;
  const decision = decisions.get(finding.id);
  return html`
    <article class="finding">
      <p class="finding-kind">
        <i class="sign sign-${severity}" aria-hidden="true"></i><span class="severity-${severity}">${severity}</span> ·
        ${confidence} confidence · ${tool}
      </p>
      <h3>${title}</h3>
      ${path === undefined ? nothing : html`<p class="finding-place">${path}${line === undefined ? "" : `:${String(line)}`}</p>`}
      <p>${message}</p>
      ${evidence === undefined ? nothing : html`<pre class="evidence" tabindex="0" aria-label="Evidence, secrets masked"><code>${evidence}</code></pre>`}
      ${help === undefined ? nothing : html`<p class="finding-help">${help}</p>`}
      <p class="finding-rule"><code>${rule}</code>${cwe === undefined ? nothing : html` · ${cwe}`}</p>
      ${decision?.reason === undefined ? nothing : html`<p class="finding-reason">Dismissed: ${decision.reason}</p>`}
    </article>
  `;
}

function many(number: number, state: ReviewState): TemplateResult {
  if (number === 0) {
    const words =
      rowsOf(state).length === 0 ? "Widen the filter to see findings." : "Choose a finding to see it in full.";
    return html`<p class="empty">${words}</p>`;
  }
  const files = new Set(state.findings.filter(({ id }) => targetsOf(state).includes(id)).map(({ path }) => path));
  return html`
    <article class="finding">
      <h3>${counted(number, "finding")} chosen</h3>
      <p>In ${counted(files.size, "file")}. What you decide goes for all of them.</p>
    </article>
  `;
}

function decideBar(state: ReviewState, targets: readonly string[], actions: ReviewActions): TemplateResult {
  const off = targets.length === 0;
  const as = (verdict: "accepted" | "dismissed" | undefined) => () => {
    actions.decide(targets, verdict);
  };
  return html`
    <div class="decide">
      <label class="field field-grow">
        <span>Reason for dismissing</span>
        <input
          id="dismiss-reason"
          list="reasons"
          maxlength="200"
          placeholder="Optional"
          .value=${state.reason}
          @input=${({ target }: Event) => {
            if (target instanceof HTMLInputElement) actions.reason(target.value);
          }}
        />
        <datalist id="reasons">${REASONS.map((reason) => html`<option value=${reason}></option>`)}</datalist>
      </label>
      <div class="decide-buttons">
        <button class="button button-yes" ?disabled=${off} @click=${as("accepted")}>
          ${icon("check")} Accept <kbd>a</kbd>
        </button>
        <button class="button button-no" ?disabled=${off} @click=${as("dismissed")}>
          ${icon("cross")} Dismiss <kbd>d</kbd>
        </button>
        <button class="button button-quiet" ?disabled=${off} @click=${as(undefined)}>
          ${icon("undo")} Undecided <kbd>u</kbd>
        </button>
      </div>
    </div>
  `;
}
