/** The page of one run: what it is about, where it stands, and its parts. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { explain } from "../page/faults.ts";
import { count, counted, dayAndTime, duration } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";
import { fractionOf, isOver, phaseOf, type Run } from "../run/run.ts";
import { activity } from "./activity.ts";
import { agents } from "./agents.ts";
import { icon } from "./icons.ts";
import { report } from "./report.ts";
import { review } from "./review.ts";
import { signOff, signOffLink } from "./sign-off.ts";
import { stage } from "./stage.ts";

export function runPage(scene: Scene, run: Run): TemplateResult {
  return html`
    ${heading(scene, run)} ${trouble(scene, run)}
    <section class="stage" aria-label="The run">${stage(scene)}</section>
    ${run.approval === undefined ? nothing : review(scene)}
    ${run.status === "completed" ? html`${report(scene, run)} ${signOff(scene, run)}` : nothing}
    <div class="pair">${activity(scene)} ${agents(scene)}</div>
  `;
}

function heading(scene: Scene, run: Run): TemplateResult {
  const { ui, graph } = scene;
  const percent = Math.round(fractionOf(run, graph) * 100);
  const elapsed = duration((run.finishedAt ?? ui.now) - run.startedAt);
  return html`
    <section class="run-head run-${run.status}" aria-labelledby="title">
      <div class="run-what">
        <h1 id="title" tabindex="-1">${run.name}</h1>
        <p class="run-phase">
          <span class="run-lamp" aria-hidden="true"></span>${phaseOf(run, graph)}${remaining(run, ui)}
        </p>
      </div>
      <dl class="run-facts">
        <div>
          <dt>${isOver(run) ? "Took" : "Elapsed"}</dt>
          <dd>${elapsed}</dd>
        </div>
        <div>
          <dt>File checks</dt>
          <dd>${run.total === 0 ? "–" : html`${count(run.done)} <span class="faint">of ${count(run.total)}</span>`}</dd>
        </div>
        <div>
          <dt>Workers busy</dt>
          <dd>${busyWorkers(scene)}</dd>
        </div>
      </dl>
      <div class="run-do">${doing(scene, run)}</div>
      <progress class="run-progress" max="100" .value=${percent} aria-label="Progress of the audit"></progress>
    </section>
    ${resumed(scene, run)}
  `;
}

const ENOUGH = { checks: 24, ms: 3_000 };

/** How long the file checks will take yet, by how long those took that this page saw. */
function remaining(run: Run, { now, resumption }: Scene["ui"]): string {
  const mapping = [...run.nodes.values()].filter(({ kind, status }) => kind === "map" && status === "running");
  const begun = Math.min(...mapping.map(({ startedAt = now }) => startedAt));
  const from = resumption?.run === run.id ? resumption : { done: 0, at: begun };
  const [checks, ms] = [run.done - from.done, now - from.at];
  if (mapping.length === 0 || checks < ENOUGH.checks || ms < ENOUGH.ms) return "";
  const left = ((run.total - run.done) * ms) / checks;
  return left < 2_000 ? "" : `, about ${duration(Math.ceil(left / 5_000) * 5_000)} left`;
}

function busyWorkers({ mirror, run }: Scene): string {
  if (run && isOver(run)) return "–";
  const all = [...mirror.agents.values()];
  const links = all.reduce((sum, agent) => sum + agent.links, 0);
  const busy = all.reduce((sum, { running, slots }) => sum + Math.ceil(running / slots), 0);
  return `${String(busy)} of ${String(links)}`;
}

function doing(scene: Scene, run: Run): TemplateResult | typeof nothing {
  const { ui, actions } = scene;
  if (run.status === "completed") return signOffLink(scene, run);
  if (isOver(run)) return nothing;
  const ask = (what: "cancel" | undefined) => () => {
    actions.confirm(what);
  };
  if (ui.confirming === "cancel") {
    return html`
      <p class="ask" id="ask-cancel">Stop this audit for good?</p>
      <button class="button button-fault" aria-describedby="ask-cancel" @click=${actions.cancel}>Stop it</button>
      <button class="button" @click=${ask(undefined)}>Keep going</button>
    `;
  }
  const reviewLink = html`<a class="button button-main" href="#review">${icon("person")} Go to the review</a>`;
  return html`
    ${run.approval === undefined ? nothing : reviewLink}
    <button class="button" @click=${ask("cancel")}>Cancel</button>
  `;
}

function resumed({ ui }: Scene, run: Run): TemplateResult | typeof nothing {
  const { resumption } = ui;
  if (resumption?.run !== run.id || isOver(run)) return nothing;
  const { how, at, done, total } = resumption;
  const kept = total === 0 ? "Nothing was lost." : `${counted(done, "file check")} were already done and are kept.`;
  const words =
    how === "resumed"
      ? `Resumed ${dayAndTime(at)}. ${kept}`
      : "Joined a run in progress. What you do here, every tab sees.";
  return html`<p class="resumed">${icon("undo")} ${words}</p>`;
}

function trouble({ graph }: Scene, run: Run): TemplateResult | typeof nothing {
  if (run.status === "cancelled") {
    return html`<div class="notice notice-cue" role="status">
      <p><strong>This audit was cancelled.</strong> No report was made. Start another one whenever you like.</p>
    </div>`;
  }
  if (run.status !== "failed" || !run.error) return nothing;
  const { what, advice } = explain(run.error);
  const step = graph.nodes.find(({ id }) => id === run.failedAt)?.title;
  return html`
    <section class="failure" role="alert">
      <h2>${step === undefined ? "The audit could not go on" : `It failed at “${step}”`}</h2>
      <p>${what}</p>
      <p class="failure-advice">${advice}</p>
      <p class="failure-code"><span>Code</span> <code>${run.error.code}</code></p>
      <a class="button button-main" href="#/new">${icon("plus")} Audit something else</a>
    </section>
  `;
}
