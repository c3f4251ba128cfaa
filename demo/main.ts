/** Opens the page: connects, tells the runtime who can work and what an audit is, and shows it. */
import { html, render } from "lit/html.js";
import { connect, type ConnectOptions } from "../src/index.ts";
import { registerAudit } from "./audit.ts";
import { operate } from "./headless/operator.ts";
import { sessionOf } from "./headless/session.ts";
import { prepareOffline } from "./offline/readiness.ts";
import { auditGraph, createApp } from "./page/app.ts";
import { errorData } from "./page/errors.ts";
import { explain } from "./page/faults.ts";
import { readRoute } from "./page/route.ts";
import { createUi } from "./page/state.ts";
import { applyTheme, readTheme } from "./page/theme.ts";
import { readPerson } from "./people/people.ts";
import { SIGN_OFF } from "./sign-off/workflow.ts";

const NAME = "audit";
const MODES = ["shared", "elected", "page"] as const;
const base = new URL(".", location.href);
const root = document.getElementById("app") ?? document.body;
const session = sessionOf(location.hash);

applyTheme(readTheme());
open().catch(async (error: unknown) => {
  showFailure(error);
  const { code, message } = errorData(error);
  await session?.tell({ kind: "failed", code, message });
});

async function open(): Promise<void> {
  const runtime = await connect({ name: NAME, assets: base, ...chosenModes() });
  Object.assign(globalThis, { troupe: runtime }); // for whoever opens the console to try it
  const ui = createUi({ theme: readTheme(), route: readRoute(location.hash), ...readPerson() });
  root.replaceChildren();
  const app = createApp(runtime, ui, root);
  const register = (): Promise<void> => {
    if (!session) app.identify(); // a command line says itself who reviews
    runtime.registerWorkflow(SIGN_OFF);
    return registerAudit(runtime, base, app.agentFailed);
  };
  runtime.on("storage-lost", () => void register()); // with the data, the registrations went
  await register();
  if (session) await operate(runtime, session, auditGraph());
  else ui.setState({ offline: await prepareOffline(base) }); // last: the copy must not hold up the page
}

/** `?modes=elected,page` tries other ways of hosting than the best, to see that they work. */
function chosenModes(): Pick<ConnectOptions, "modes"> {
  const asked = new URLSearchParams(location.search).get("modes")?.split(",");
  return asked ? { modes: MODES.filter((mode) => asked.includes(mode)) } : {};
}

function showFailure(error: unknown): void {
  const data = errorData(error);
  const { what, advice } = explain(data);
  root.replaceChildren();
  render(
    html`<main class="boot" role="alert">
      <h1>Troupe could not start here</h1>
      <p>${what}</p>
      <p>${advice}</p>
      <p><code>${data.code}</code></p>
    </main>`,
    root,
  );
}
