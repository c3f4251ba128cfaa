/** What comes after the report: people who sign the audit off, and what they have said. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { ApprovalView, ExecutionView } from "../../src/index.ts";
import { diffJson } from "../../src/approvals.ts";
import { dayAndTime } from "../page/format.ts";
import { INBOX } from "../page/route.ts";
import type { Scene } from "../page/scene.ts";
import type { Run } from "../run/run.ts";
import {
  auditOf,
  proposalOf,
  RISKS,
  type Outcome,
  type Proposal,
  type Risk,
  type SignedOff,
} from "../sign-off/workflow.ts";
import { icon, type IconName } from "./icons.ts";

export function signOff(scene: Scene, run: Run): TemplateResult {
  const ended = scene.ui.signOffs.get(run.id);
  const open = openOf(scene, run);
  const last = ended?.at(-1);
  return html`
    <section class="panel sign-off" id="sign-off" aria-labelledby="sign-off-title" tabindex="-1">
      <header class="panel-head"><h2 id="sign-off-title">Sign-off</h2></header>
      ${open ? waits(scene, open) : nothing} ${[...(ended ?? [])].reverse().map(result)}
      ${open || !ended || last?.outcome?.approved ? nothing : asking(scene, run, last !== undefined)}
      ${ended ? nothing : html`<p class="empty">Looking for what was signed off …</p>`}
    </section>
  `;
}

/** Beside the run's name: how it stands, and the way there. */
export function signOffLink(scene: Scene, run: Run): TemplateResult {
  const outcome = scene.ui.signOffs.get(run.id)?.at(-1)?.outcome;
  const isOpen = openOf(scene, run) !== undefined;
  const words = isOpen
    ? "Sign-off is asked"
    : outcome
      ? outcome.approved
        ? "Signed off"
        : "Not signed off"
      : "Ask for sign-off";
  const sign = isOpen ? "person" : outcome ? (outcome.approved ? "check" : "cross") : "person";
  return html`<a class="button ${isOpen || outcome ? "" : "button-main"}" href="#sign-off">${icon(sign)} ${words}</a>`;
}

interface Open {
  readonly execution: ExecutionView;
  /** Not there yet in the moment in which it begins. */
  readonly request: ApprovalView | undefined;
}

function openOf({ mirror }: Scene, run: Run): Open | undefined {
  const execution = [...mirror.executions.values()].find(
    ({ id, finishedAt }) => auditOf(id) === run.id && finishedAt === undefined,
  );
  const request = [...mirror.approvals.values()].find((one) => one.execution === execution?.id);
  return execution && { execution, request };
}

function waits({ actions }: Scene, { execution, request }: Open): TemplateResult {
  const { votes = [], expiresAt, step } = request ?? {};
  const names = votes.map(({ by, approved }) => `${by} has ${approved ? "approved" : "rejected"}`);
  const whom = step ? "A lead decides now" : "A maintainer and somebody of security have to approve";
  return html`
    <div class="notice notice-cue">
      <div>
        <p><strong>${whom}.</strong> ${names.length > 0 ? `${names.join(", ")}.` : "Nobody has answered yet."}</p>
        ${expiresAt === undefined ? nothing : html`<p class="faint">Until ${dayAndTime(expiresAt)}${step ? "" : ", then a lead is asked"}.</p>`}
      </div>
      <p class="sign-off-do">
        <a class="button" href=${INBOX}>${icon("inbox")} Open the inbox</a>
        <button
          class="button button-quiet"
          @click=${() => {
            actions.signOff.takeBack(execution.id);
          }}
        >
          Take it back
        </button>
      </p>
    </div>
  `;
}

function result({ status, outcome, proposal, askedBy, startedAt, finishedAt }: SignedOff): TemplateResult {
  const [sign, words, tone] = verdictOf(status, outcome);
  const final = outcome?.payload ?? proposal;
  const changes = outcome ? diffJson(proposal, outcome.payload) : [];
  return html`
    <article class="signed signed-${tone}">
      <h3>${icon(sign)} ${words}</h3>
      <p class="faint">
        ${dayAndTime(finishedAt)}, asked ${askedBy === undefined ? "" : `by ${askedBy}, `}${dayAndTime(startedAt)}
      </p>
      ${outcome ? said(outcome) : nothing}
      <dl class="facts">
        <div>
          <dt>Risk</dt>
          <dd>${final.risk}${before(changes, "risk")}</dd>
        </div>
        <div>
          <dt>Release note</dt>
          <dd>${final.note}${before(changes, "note")}</dd>
        </div>
      </dl>
    </article>
  `;
}

type Verdict = readonly [sign: IconName, words: string, tone: "good" | "fault" | "plain"];

function verdictOf(status: SignedOff["status"], outcome: Outcome | undefined): Verdict {
  if (status === "cancelled") return ["dash", "Taken back before it was decided", "plain"];
  if (!outcome) return ["cross", "It could not be decided", "fault"];
  const { approved, by, votes } = outcome;
  if (by === "timeout") return ["cross", "Not signed off: nobody answered in time", "fault"];
  const names = votes.filter((vote) => vote.approved).map((vote) => vote.by);
  if (approved) return ["check", `Signed off by ${(names.length > 0 ? names : [by]).join(" and ")}`, "good"];
  return ["cross", `Rejected by ${by}`, "fault"];
}

function said({ votes, by, reason }: Outcome): TemplateResult | typeof nothing {
  const lines =
    votes.length > 0 ? votes : [{ id: by, by, approved: false, level: "click", reason: reason ?? undefined }];
  if (by === "timeout" && votes.length === 0) return nothing;
  return html`<ul class="said">
    ${lines.map(
      (vote) =>
        html`<li>
          ${icon(vote.approved ? "check" : "cross")}
          <b>${vote.by}</b>
          ${vote.approved ? "approved" : "rejected"}${vote.id === vote.by ? "" : ` for ${vote.id}`}${vote.level === "click" ? "" : `, ${vote.level}`}
          ${vote.reason === undefined ? nothing : html`<q>${vote.reason}</q>`}
        </li>`,
    )}
  </ul>`;
}

/** What an approver has changed it from. */
function before(changes: ReturnType<typeof diffJson>, field: keyof Proposal): TemplateResult | typeof nothing {
  const changed = changes.find(({ path: [first] }) => first === field);
  if (!changed) return nothing;
  return html`<span class="was"
    ><span class="faint">changed by an approver, before:</span> <del>${changed.before}</del></span
  >`;
}

function asking({ ui, actions }: Scene, run: Run, isAgain: boolean): TemplateResult {
  const loaded = ui.reports.get(run.id);
  if (loaded?.status !== "ready") return html`<p class="empty">Without its report it can’t be signed off.</p>`;
  const draft = ui.proposal?.audit === run.id ? ui.proposal : undefined;
  const { risk, note } = { ...proposalOf(loaded.report, run.name), ...draft };
  const isEmpty = note.trim() === "";
  return html`
    <div class="asking">
      <p>
        ${isAgain ? "Ask again when it is better. " : "Before this goes out, have two people look at it. "}A maintainer
        and somebody of security have to approve, and may change what you write here. Whoever asks can’t answer.
      </p>
      <label class="field field-note"
        ><span>Release note</span>
        <textarea
          maxlength="2000"
          rows="3"
          .value=${note}
          @input=${({ target }: Event) => {
            if (target instanceof HTMLTextAreaElement) actions.signOff.draft({ note: target.value });
          }}
        ></textarea>
      </label>
      <fieldset class="risks">
        <legend>Risk</legend>
        ${RISKS.map((one) => riskChoice(one, one === risk, actions.signOff.draft))}
      </fieldset>
      <button class="button button-main" ?disabled=${isEmpty} @click=${actions.signOff.ask}>
        ${icon("person")} Ask for sign-off
      </button>
      ${isEmpty ? html`<p class="faint">It takes a release note.</p>` : nothing}
    </div>
  `;
}

function riskChoice(risk: Risk, isChosen: boolean, draft: Scene["actions"]["signOff"]["draft"]): TemplateResult {
  return html`<label class="check"
    ><input
      type="radio"
      name="risk"
      .checked=${isChosen}
      @change=${() => {
        draft({ risk });
      }}
    />
    ${risk}</label
  >`;
}
