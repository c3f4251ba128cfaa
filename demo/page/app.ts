/** The page put together: the runtime's store and the page's own, one scene of both, one drawing per frame. */
import { render } from "lit/html.js";
import type { MirrorState, Runtime } from "../../src/index.ts";
import { STEPS, WORKFLOW } from "../audit.ts";
import { createRecords } from "../report/records.ts";
import { saveFile } from "../report/files.ts";
import { createReviewControl } from "../review/control.ts";
import { createActivityLog } from "../run/activity.ts";
import { graphOf, type Graph } from "../run/graph.ts";
import { isOver, runOf, type Run } from "../run/run.ts";
import { page } from "../views/page.ts";
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
}

/** Shows the runtime in the root, from now on. */
export function createApp(runtime: Runtime, ui: UiStore, root: HTMLElement): App {
  const graph = auditGraph();
  const review = createReviewControl(runtime, ui);
  const records = createRecords(runtime, ui);
  const notify = createNotifier(ui);
  const open = (id: string): void => {
    location.hash = runHash(id);
  };
  const intake = createIntake(runtime, ui, open);
  const run = (): Run | undefined => currentRun(ui.getState(), runtime.store.getState());
  const actions: Actions = { ...intake, ...pageActions(runtime, ui, records, run), review: review.actions };
  const scene = (): Scene => sceneOf(ui.getState(), runtime.store.getState(), graph, actions);

  const invalidate = createFrames(() => {
    render(page(scene()), root);
    measureStage(root, ui);
  });
  const milestones = createMilestones(createAnnouncer(), graph);
  const follow = (): void => {
    const now = run();
    pinRoute(ui, now);
    records.follow(ui.getState().route, now);
    review.follow(now?.approval);
    milestones.see(now);
    invalidate();
  };
  watchEverything({ runtime, ui, notify, follow, invalidate, records, log: createActivityLog(graph, Date.now) });
  follow();
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
  return { run, agentFailed };
}

export const auditGraph = (): Graph => graphOf(WORKFLOW, (node) => STEPS[node]?.title);

function createFrames(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** The stage is drawn in real pixels, so it must know how many there are. */
function measureStage(root: HTMLElement, ui: UiStore): void {
  const stageWidth = root.querySelector(".stage")?.clientWidth ?? 0;
  if (stageWidth !== 0 && stageWidth !== ui.getState().stageWidth) ui.setState({ stageWidth });
}

function sceneOf(ui: Ui, mirror: MirrorState, graph: Scene["graph"], actions: Actions): Scene {
  const run = currentRun(ui, mirror);
  const others = [...mirror.executions.values()]
    .filter((one) => isLive(one) && one.id !== run?.id)
    .map((one) => runOf(one, mirror));
  const searching = ui.route.kind === "run" && !ui.ended.has(ui.route.id);
  return { ui, mirror, graph, run, hits: currentHits(ui, run), others, searching, actions };
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
  readonly follow: () => void;
  readonly invalidate: () => void;
  readonly records: Records;
  readonly log: ReturnType<typeof createActivityLog>;
}

function watchEverything({ runtime, ui, notify, follow, invalidate, records, log }: Watched): void {
  runtime.store.subscribe(follow);
  ui.subscribe(follow);
  runtime.on("event", (event) => {
    log.add(event);
    ui.setState({ activity: log.lines() });
    if (/^execution\.(?:completed|failed|cancelled)$/u.test(event.type)) void records.refreshHistory();
  });
  runtime.on("refused", ({ error }) => {
    notify("fault", "The runtime refused that.", error.message);
  });
  runtime.on("host-changed", () => {
    log.note("cue", "Another host answers now; nothing was lost");
    ui.setState({ activity: log.lines() });
  });
  runtime.on("storage-lost", () => {
    notify(
      "fault",
      "This site’s data was cleared.",
      "Audits that were not finished are gone, and so are earlier reports.",
    );
  });
  addEventListener("hashchange", () => {
    if (!isPlace(location.hash)) {
      ui.setState({ route: readRoute(location.hash), confirming: undefined });
      requestAnimationFrame(() => document.getElementById("title")?.focus());
    }
  });
  new ResizeObserver(invalidate).observe(document.documentElement);
  setInterval(() => {
    if (!document.hidden) ui.setState({ now: Date.now() });
  }, 1_000);
  countTabs((tabs) => {
    ui.setState({ tabs });
  });
  watchStorage((storage) => {
    ui.setState({ storage });
  });
  void records.refreshHistory();
}
