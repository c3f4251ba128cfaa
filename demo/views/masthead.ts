/** The top of the page: whose it is, and how it looks; and what must be said at once. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import { explain } from "../page/faults.ts";
import type { Scene } from "../page/scene.ts";
import type { Ui } from "../page/state.ts";
import { counted } from "../page/format.ts";
import { INBOX } from "../page/route.ts";
import { personMenu } from "./person.ts";
import { icon, mark, type IconName } from "./icons.ts";

export function masthead(scene: Scene): TemplateResult {
  const { run, others, ui, actions } = scene;
  const live = others[0];
  return html`
    <header class="masthead">
      <a class="brand" href="#/">${mark()}<span>Troupe</span><span class="brand-job">Code audit</span></a>
      <nav class="masthead-nav" aria-label="Audits">
        ${
          live
            ? html`<a class="button button-quiet masthead-live" href="#/run/${live.id}"
                >${icon("play")} <span>${live.name}</span></a
              >`
            : ""
        }
        ${
          run || ui.route.kind === "inbox"
            ? html`<a class="button button-quiet" href="#/new" title="New audit"
                >${icon("plus")} <span class="masthead-word">New audit</span></a
              >`
            : ""
        }
        ${inboxLink(scene)} ${personMenu(scene)} ${themeToggle(ui.theme, actions.setTheme)}
      </nav>
    </header>
  `;
}

function inboxLink({ ui, waiting: { mine } }: Scene): TemplateResult {
  const label = mine === 0 ? "Inbox" : `Inbox, ${counted(mine, "decision waits", "decisions wait")} for you`;
  return html`
    <a
      class="button button-quiet"
      href=${INBOX}
      title="Inbox"
      aria-label=${label}
      aria-current=${ui.route.kind === "inbox" ? "page" : nothing}
      >${icon("inbox")}
      <span class="masthead-word">Inbox</span> ${mine === 0 ? "" : html`<b class="badge">${String(mine)}</b>`}</a
    >
  `;
}

const THEMES: readonly (readonly [Ui["theme"], IconName, string])[] = [
  ["light", "sun", "Light"],
  ["system", "screen", "As the system"],
  ["dark", "moon", "Dark"],
];

function themeToggle(theme: Ui["theme"], set: Scene["actions"]["setTheme"]): TemplateResult {
  return html`
    <fieldset class="themes">
      <legend class="unseen">Colours</legend>
      ${THEMES.map(
        ([value, name, label]) => html`
          <label title=${label}>
            <input
              class="unseen"
              type="radio"
              name="theme"
              .checked=${theme === value}
              @change=${() => {
                set(value);
              }}
            />
            ${icon(name)}<span class="unseen">${label}</span>
          </label>
        `,
      )}
    </fieldset>
  `;
}

/** The connection is over for good: nothing on the page is live any more. */
export function stopped({ mirror }: Scene): TemplateResult | typeof nothing {
  if (mirror.status !== "stopped") return nothing;
  const { what, advice } = explain(
    mirror.error ?? { name: "Error", code: "host/stopped", message: "The host stopped." },
  );
  return html`
    <div class="notice notice-fault" role="alert">
      <p><strong>${what}</strong> ${advice}</p>
      <a class="button" href=".">Reload</a>
    </div>
  `;
}

export function notices({ ui, actions }: Scene): TemplateResult | typeof nothing {
  if (ui.notices.length === 0) return nothing;
  return html`
    <div class="notices">
      ${repeat(
        ui.notices,
        ({ id }) => id,
        ({ id, tone, text, advice }) => html`
          <div class="notice notice-${tone}" role=${tone === "fault" ? "alert" : "status"}>
            <p><strong>${text}</strong> ${advice ?? ""}</p>
            <button
              class="button button-quiet"
              @click=${() => {
                actions.dismissNotice(id);
              }}
            >
              ${icon("cross")}<span class="unseen">Close this message</span>
            </button>
          </div>
        `,
      )}
    </div>
  `;
}
