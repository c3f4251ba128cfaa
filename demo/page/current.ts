/** What is on show: which run, and what of it lights up. */
import type { ExecutionView, MirrorState } from "../../src/index.ts";
import type { ReviewState } from "../review/review.ts";
import { hitsOf, type Hits } from "../run/hits.ts";
import { isSignOff } from "../sign-off/workflow.ts";
import { runOf, type Run } from "../run/run.ts";
import { runHash } from "./route.ts";
import type { LoadedReport, Ui, UiStore } from "./state.ts";

/** Whether it is an audit that goes on; sign-offs are shown with theirs. */
export const isLive = (one: ExecutionView): boolean => one.status === "running" && !isSignOff(one);

export function currentRun(ui: Ui, mirror: MirrorState): Run | undefined {
  const execution = currentExecution(ui, mirror);
  return execution ? runOf(execution, mirror) : undefined;
}

function currentExecution({ route, ended }: Ui, { executions }: MirrorState): ExecutionView | undefined {
  switch (route.kind) {
    case "new":
    case "inbox":
      return undefined;
    case "auto":
      return [...executions.values()].filter(isLive).toSorted((a, b) => b.startedAt - a.startedAt)[0];
    case "run":
      return executions.get(route.id) ?? ended.get(route.id) ?? undefined;
  }
}

/** A live run that came on show by itself stays there when it has ended. */
export function pinRoute(ui: UiStore, run: Run | undefined): void {
  if (ui.getState().route.kind !== "auto" || !run) return;
  history.replaceState(null, "", runHash(run.id));
  ui.setState({ route: { kind: "run", id: run.id } });
}

const NO_HITS: Hits = new Map();
let last: { readonly from: readonly unknown[]; readonly hits: Hits } | undefined;

/** Cells light up with what was found, and go out as it is dismissed; computed again only when that changes. */
export function currentHits({ paths, review, reports }: Ui, run: Run | undefined): Hits {
  const runPaths = run && paths.get(run.id);
  if (!runPaths) return NO_HITS;
  const loaded = reports.get(run.id);
  const reviewed = run.approval === undefined ? undefined : review;
  const from = [runPaths, loaded, reviewed?.findings, reviewed?.decisions];
  if (last && from.every((one, at) => one === last?.from[at])) return last.hits;
  last = { from, hits: reviewed ? reviewHits(reviewed, runPaths) : reportHits(loaded, runPaths) };
  return last.hits;
}

type Paths = ReadonlyMap<string, readonly string[]>;

function reviewHits({ findings, decisions }: ReviewState, paths: Paths): Hits {
  return hitsOf({ findings, paths, isDismissed: (id) => decisions.get(id)?.verdict === "dismissed" });
}

function reportHits(loaded: LoadedReport | undefined, paths: Paths): Hits {
  if (loaded?.status !== "ready") return NO_HITS;
  const findings = loaded.report.findings.filter(({ decision }) => decision !== "dismissed");
  return hitsOf({ findings, paths, isDismissed: () => false });
}
