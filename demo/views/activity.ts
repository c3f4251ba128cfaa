/** What happened lately. It is for looking at; a screen reader hears the milestones from the announcer instead. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import { count, timeOfDay } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";

const SHOWN = 40;

export function activity({ activity: all }: Scene): TemplateResult {
  const lines = all.slice(0, SHOWN);
  return html`
    <section class="panel" aria-labelledby="activity">
      <header class="panel-head"><h2 id="activity">Activity</h2></header>
      ${
        lines.length === 0
          ? html`<p class="empty">Nothing has happened since this page was opened.</p>`
          : html`
              <ol class="activity" tabindex="0" aria-labelledby="activity">
                ${repeat(
                  lines,
                  ({ key, at }) => `${key} ${String(at)}`,
                  ({ at, tone, text, times }) => html`
                    <li class="tone-${tone}">
                      <time datetime=${new Date(at).toISOString()}>${timeOfDay(at)}</time>
                      <span>${text}${times > 1 ? html` <b class="times">× ${count(times)}</b>` : nothing}</span>
                    </li>
                  `,
                )}
              </ol>
            `
      }
    </section>
  `;
}
