/** How this page came to a run that was going on already: alone, so that it resumed it; or beside other tabs. */
import type { Run } from "../run/run.ts";
import type { Resumption } from "./state.ts";
import { openTabs } from "./tabs.ts";

/** What is to be said of a live run that the page found when it was opened. */
export async function resumptionOf({ id, done, total }: Run, at: number): Promise<Resumption> {
  const how = (await openTabs()) > 1 && !isReload() ? "joined" : "resumed";
  return { run: id, at, how, done, total };
}

function isReload(): boolean {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming && entry.type === "reload";
}
