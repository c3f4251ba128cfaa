/** The runtime in one line: where it lives, who looks at it, and whether what it knows is kept. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { MirrorState, Mode } from "../../src/index.ts";
import { bytes, count, timeOfDay } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";
import type { Readiness } from "../offline/readiness.ts";

const MODES: Readonly<Record<Mode, readonly [name: string, meaning: string]>> = {
  shared: ["Shared worker", "One host for all tabs; it goes on when a tab closes."],
  elected: ["Elected tab", "One tab hosts for all; when it closes another takes over."],
  page: ["This page", "No worker could be had, so this page hosts; keep it open."],
};

const OFFLINE: Readonly<Record<Readiness, readonly [words: string, meaning: string]>> = {
  preparing: ["getting ready", "This browser is making a copy of the page’s files."],
  ready: ["ready, opens without its server", "This browser has a copy of every file of the page."],
  refused: ["not here, needs its server", "This browser keeps no copy of the page: a private window, or a setting."],
};

export function runtimeLine({ mirror, ui, actions }: Scene): TemplateResult {
  const { storage, resumption, tabs } = ui;
  const [offline, copy] = OFFLINE[ui.offline];
  const [mode, meaning] = mirror.mode ? MODES[mirror.mode] : ["Looking for a host", ""];
  return html`
    <footer class="runtime" aria-label="Runtime">
      <dl>
        <div title=${meaning}>
          <dt>Host</dt>
          <dd><span class="state state-${mirror.status}"></span>${mode}${statusWords(mirror)}</dd>
        </div>
        <div>
          <dt>Tabs</dt>
          <dd>${String(tabs)}</dd>
        </div>
        <div title="Events in the journal of this browser">
          <dt>Journal</dt>
          <dd>${count(mirror.seq)} events</dd>
        </div>
        <div>
          <dt>Survives reload</dt>
          <dd>${resumption?.how === "resumed" ? `yes, resumed ${timeOfDay(resumption.at)}` : "yes"}</dd>
        </div>
        ${
          storage
            ? html`<div>
                <dt>Storage</dt>
                <dd>
                  ${bytes(storage.used)} of
                  ${bytes(storage.quota)}${
                    storage.persisted
                      ? ", kept for good"
                      : html`, <button class="link" @click=${actions.keepStorage}>keep it for good</button>`
                  }
                </dd>
              </div>`
            : nothing
        }
        <div>
          <dt>Network</dt>
          <dd>${navigator.onLine ? "" : "offline, and "}not used; nothing leaves this browser</dd>
        </div>
        <div title=${copy}>
          <dt>Offline</dt>
          <dd>${offline}</dd>
        </div>
        <div>
          <dt>Console</dt>
          <dd><code>troupe</code></dd>
        </div>
      </dl>
    </footer>
  `;
}

function statusWords({ status, epoch }: MirrorState): string {
  if (status === "ready") return epoch > 1 ? `, its ${ordinal(epoch)} life` : "";
  return status === "connecting" ? ", connecting" : ", stopped";
}

function ordinal(value: number): string {
  const rest = value % 100;
  const end = rest >= 11 && rest <= 13 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${count(value)}${end}`;
}
