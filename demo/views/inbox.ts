/** Where people decide: reviews of audits, which have a page of their own, and all other requests. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { ApprovalView } from "../../src/index.ts";
import { dayAndTime } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";
import { runOf } from "../run/run.ts";
import { icon } from "./icons.ts";
import { nameOf } from "./person.ts";

export function inbox(scene: Scene): TemplateResult {
  const { ui, mirror, waiting, inbox: list } = scene;
  return html`
    <section class="inbox-head" aria-labelledby="title">
      <h1 id="title" tabindex="-1">Inbox</h1>
      <p class="lede">
        ${
          ui.person
            ? html`You are <b>${nameOf(ui.person)}</b>${ui.signer ? ", and your answers are signed" : ""}.`
            : "Nobody is signed in here."
        }
        <button class="link" popovertarget="people">${ui.person ? "Be somebody else" : "Say who you are"}</button>
      </p>
    </section>
    ${
      waiting.reviews.length === 0
        ? nothing
        : html`<section class="panel" aria-labelledby="reviews">
            <header class="panel-head"><h2 id="reviews">Reviews</h2></header>
            <ul class="reviews">
              ${waiting.reviews.map((one) => reviewLine(scene, one))}
            </ul>
          </section>`
    }
    <section aria-labelledby="decisions">
      <h2 id="decisions">Decisions</h2>
      ${list} ${mirror.approvals.size === 0 ? nobodyAsked() : nothing}
    </section>
  `;
}

const nobodyAsked = (): TemplateResult => html`
  <div class="panel inbox-empty">
    <p>${icon("inbox")} Whatever an audit asks people comes here: its review, and the sign-off of its report.</p>
    <a class="button" href="#/new">${icon("plus")} Audit a code base</a>
  </div>
`;

function reviewLine({ mirror }: Scene, { execution = "", requestedAt }: ApprovalView): TemplateResult {
  const run = mirror.executions.get(execution);
  return html`
    <li>
      <a class="past" href="#/run/${execution}">
        ${icon("person")}
        <span class="past-name">${run ? runOf(run, mirror).name : "An audit"}</span>
        <span class="past-when">since ${dayAndTime(requestedAt)}</span>
        <span class="past-go">Decide on its findings ${icon("right")}</span>
      </a>
    </li>
  `;
}
