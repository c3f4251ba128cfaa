/** Earlier audits, from the archive. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { dayAndTime, duration } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";
import type { HistoryEntry } from "../page/state.ts";
import { icon, type IconName } from "./icons.ts";

export function history({ ui, run, actions }: Scene): TemplateResult {
  const entries = ui.history?.entries ?? [];
  return html`
    <section class="panel" aria-labelledby="history">
      <header class="panel-head"><h2 id="history">Earlier audits</h2></header>
      ${
        entries.length === 0
          ? html`<p class="empty">
              ${ui.history ? "None yet. Finished audits stay here, with their reports." : "Looking into the archive …"}
            </p>`
          : html`<ul class="history">
              ${entries.map((entry) => historyLine(entry, entry.id === run?.id))}
            </ul>`
      }
      ${
        ui.history?.next === undefined
          ? nothing
          : html`<button class="button button-quiet" @click=${actions.moreHistory}>Show older ones</button>`
      }
    </section>
  `;
}

const SIGNS: Readonly<Record<HistoryEntry["status"], IconName>> = {
  running: "play",
  paused: "play",
  completed: "check",
  failed: "cross",
  cancelled: "dash",
  compensating: "undo",
  compensated: "undo",
  "compensation-failed": "cross",
};

function historyLine({ id, name, status, finishedAt, duration: took }: HistoryEntry, current: boolean): TemplateResult {
  return html`
    <li>
      <a href="#/run/${id}" aria-current=${current ? "page" : nothing} class="past past-${status}">
        ${icon(SIGNS[status])}
        <span class="past-name">${name}</span>
        <span class="past-status">${status}</span>
        <span class="past-when">${dayAndTime(finishedAt)}</span>
        <span class="past-took">${duration(took)}</span>
      </a>
    </li>
  `;
}
