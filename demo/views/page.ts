/** The whole page. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Scene } from "../page/scene.ts";
import { runtimeLine } from "./footer.ts";
import { history } from "./history.ts";
import { inbox } from "./inbox.ts";
import { masthead, notices, stopped } from "./masthead.ts";
import { runPage } from "./run.ts";
import { start } from "./start.ts";

export function page(scene: Scene): TemplateResult {
  return html`
    <a class="skip" href="#title">Skip to the audit</a>
    ${masthead(scene)}
    <main class="main">
      ${stopped(scene)} ${notices(scene)} ${middle(scene)} ${scene.ui.route.kind === "inbox" ? nothing : history(scene)}
    </main>
    ${runtimeLine(scene)}
  `;
}

function middle(scene: Scene): TemplateResult {
  const { ui, run } = scene;
  if (run) return runPage(scene, run);
  if (ui.route.kind === "inbox") return inbox(scene);
  if (ui.route.kind === "new" || ui.route.kind === "auto") return start(scene);
  return html`
    <section class="intro" aria-labelledby="title">
      <h1 id="title" tabindex="-1">${scene.searching ? "Looking for that audit …" : "No such audit here"}</h1>
      ${
        scene.searching
          ? nothing
          : html`<p class="lede">This browser knows no audit by that name. Its data may have been cleared.</p>
              <a class="button button-main" href="#/new">Start an audit</a>`
      }
    </section>
  `;
}
