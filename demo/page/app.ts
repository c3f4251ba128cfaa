/** The page put together: the runtime's store and the page's own, one scene of both, one drawing per frame. */
import { render } from "lit/html.js";
import type { MirrorState, Runtime } from "../../src/index.ts";
import { STEPS, WORKFLOW } from "../audit.ts";
import { createRecords } from "../report/records.ts";
import { saveFile } from "../report/files.ts";
import { createReviewControl } from "../review/control.ts";
import { createActivityLog, type ActivityLog } from "../run/activity.ts";
import { graphOf, type Graph } from "../run/graph.ts";
import { isOver, runOf, type Run } from "../run/run.ts";
import { createArrivals } from "../inbox/arrivals.ts";
import { createInbox } from "../inbox/inbox.ts";
import { waitingIn } from "../inbox/waiting.ts";
import { createIdentity } from "../people/identity.ts";
import { createSignOffControl, type SignOffControl } from "../sign-off/control.ts";
import { page } from "../views/page.ts";
import { createFrames } from "./frames.ts";
import { createAnnouncer } from "./announcer.ts";
import { createIntake } from "../intake/intake.ts";
import { errorData } from "./errors.ts";
import { explain } from "./faults.ts";
import { createMilestones } from "./milestones.ts";
import { currentHits, currentRun, isLive, pinRoute } from "./current.ts";
import { isPlace, readRoute, runHash } from "./route.ts";
import type { Actions, Scene } from "./scene.ts";
import type { Notice, Ui, UiStore } from "./state.ts";
import { resumptionOf } from "./resumption.ts";
import { keepStorage, watchStorage } from "./storage.ts";
import { countTabs } from "./tabs.ts";
import { applyTheme, keepTheme } from "./theme.ts";

export interface App {
  /** The run that is on show, if any. */
  readonly run: () => Run | undefined;
  /** Says that an agent could not be registered. */
  readonly agentFailed: (file: string, error: unknown) => void;
  /** Tells the runtime who is at this page. */
  readonly identify: () => void;
}

/** Shows the runtime in the root, from now on. */
export function createApp(runtime: Runtime, ui: UiStore, root: HTMLElement): App {
  const graph = auditGraph();
  const records = createRecords(runtime, ui);
  const notify = createNotifier(ui);
  const identity = createIdentity(runtime, ui, notify);
  const review = createReviewControl(runtime, ui, identity.actions.signIn);
  const inbox = createInbox(runtime, ui);
  const open = (id: string): void => {
    location.hash = runHash(id);
  };
  const intake = createIntake(runtime, ui, open);
  const run = (): Run | undefined => currentRun(ui.getState(), runtime.store.getState());
  const signOff = createSignOffControl(runtime, ui, run);
  const actions: Actions = {
    ...intake,
    ...pageActions(runtime, ui, records, run),
    ...{ review: review.actions, people: identity.actions, signOff: signOff.actions },
  };
  const log = createActivityLog(graph, Date.now);
  const scene = (): Scene =>
    sceneOf(ui.getState(), runtime.store.getState(), { graph, actions, inbox, activity: log.lines() });

  const measure = createMeasure(ui);
  const frames = createFrames(() => {
    render(page(scene()), root);
    measure(root.querySelector(".stage"));
  });
  const announcer = createAnnouncer();
  const milestones = createMilestones(announcer, graph);
  const arrivals = createArrivals(announcer);
  const follow = (draw: () => void): void => {
    const now = run();
    pinRoute(ui, now);
    records.follow(ui.getState().route, now);
    review.follow(now?.approval);
    signOff.follow(now);
    milestones.see(now, ui.getState().route);
    arrivals.see(runtime.store.getState(), ui.getState());
    draw();
  };
  runtime.store.subscribe(() => {
    follow(frames.soon);
  });
  ui.subscribe(() => {
    follow(frames.now);
  });
  follow(frames.now);
  watchRuntime({ runtime, ui, notify, log, records, signOff, draw: frames.soon });
  watchPage(ui, frames.soon);
  const agentFailed = (file: string, error: unknown): void => {
    const { what, advice } = explain(errorData(error));
    notify("fault", `The agent “${file}” could not be loaded.`, `${what} ${advice}`);
  };
  const found = run();
  if (found && !isOver(found)) {
    void resumptionOf(found, Date.now()).then((resumption) => {
      ui.setState({ resumption });
    });
  }
  return { run, agentFailed, identify: identity.restore };
}

export const auditGraph = (): Graph => graphOf(WORKFLOW, (node) => STEPS[node]?.title);

/** The stage is drawn in real pixels, so it must know how many there are. */
function createMeasure(ui: UiStore): (stage: Element | null) => void {
  let watched: Element | null = null;
  const observer = new ResizeObserver((entries) => {
    const stageWidth = Math.floor(entries.at(-1)?.contentRect.width ?? 0);
    if (stageWidth > 0) ui.setState({ stageWidth });
  });
  return (stage) => {
    if (stage === watched) return;
    observer.disconnect();
    if (stage) observer.observe(stage);
    watched = stage;
  };
}

function sceneOf(ui: Ui, mirror: MirrorState, rest: Pick<Scene, "graph" | "actions" | "inbox" | "activity">): Scene {
  const run = currentRun(ui, mirror);
  const others = [...mirror.executions.values()]
    .filter((one) => isLive(one) && one.id !== run?.id)
    .map((one) => runOf(one, mirror));
  const searching = ui.route.kind === "run" && !ui.ended.has(ui.route.id);
  const waiting = waitingIn(mirror, ui.person);
  return { ui, mirror, run, hits: currentHits(ui, run), others, searching, waiting, ...rest };
}

type Records = ReturnType<typeof createRecords>;

function pageActions(
  runtime: Runtime,
  ui: UiStore,
  records: Records,
  run: () => Run | undefined,
): Pick<Actions, "dismissNotice" | "setTheme" | "cancel" | "confirm" | "keepStorage" | "moreHistory" | "download"> {
  return {
    dismissNotice(id) {
      ui.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }));
    },
    setTheme(theme) {
      applyTheme(theme);
      keepTheme(theme);
      ui.setState({ theme });
    },
    cancel() {
      const now = run();
      if (now && !isOver(now)) runtime.cancelWorkflow(now.id, "cancelled by the person at the page");
      ui.setState({ confirming: undefined });
    },
    confirm(confirming) {
      ui.setState({ confirming });
    },
    keepStorage() {
      void keepStorage().then((storage) => {
        ui.setState({ storage });
      });
    },
    moreHistory() {
      void records.loadHistory();
    },
    download(kind) {
      const loaded = ui.getState().reports.get(run()?.id ?? "");
      if (loaded?.status === "ready") saveFile(loaded.report.files[kind]);
    },
  };
}

export type Notify = (tone: Notice["tone"], text: string, advice?: string) => void;

function createNotifier(ui: UiStore): Notify {
  let last = 0;
  return (tone, text, advice) => {
    const id = ++last;
    ui.setState(({ notices }) => ({ notices: [...notices.slice(-3), { id, tone, text, advice }] }));
  };
}

interface Watched {
  readonly runtime: Runtime;
  readonly ui: UiStore;
  readonly notify: Notify;
  readonly log: ActivityLog;
  readonly records: Records;
  readonly signOff: SignOffControl;
  readonly draw: () => void;
}

function watchRuntime({ runtime, ui, notify, log, records, signOff, draw }: Watched): void {
  runtime.on("event", (event) => {
    log.add(event);
    draw();
    if (!/^execution\.(?:completed|failed|cancelled)$/u.test(event.type)) return;
    void records.refreshHistory();
    signOff.ended((event.data as { readonly id: string }).id); // all events of runs have one
  });
  runtime.on("refused", ({ error }) => {
    if (ui.getState().route.kind === "inbox" && error.code.startsWith("approval/")) return; // it is said where it was asked
    notify("fault", "The runtime refused that.", error.message);
  });
  runtime.on("host-changed", () => {
    log.note("cue", "Another host answers now; nothing was lost");
    draw();
  });
  runtime.on("storage-lost", () => {
    const lost = "Audits that were not finished are gone, and so are earlier reports.";
    notify("fault", "This site’s data was cleared.", lost);
    records.forget();
    signOff.forget();
  });
  void records.refreshHistory();
}

function watchPage(ui: UiStore, draw: () => void): void {
  addEventListener("hashchange", () => {
    if (isPlace(location.hash)) return;
    ui.setState({ route: readRoute(location.hash), confirming: undefined });
    requestAnimationFrame(() => document.getElementById("title")?.focus());
  });
  new ResizeObserver(draw).observe(document.documentElement);
  setInterval(() => {
    if (!document.hidden) ui.setState({ now: Date.now() });
  }, 1_000);
  countTabs((tabs) => {
    ui.setState({ tabs });
  });
  watchStorage((storage) => {
    ui.setState({ storage });
  });
}
