/** What a health check of the whole looks at, as a page can: there is no one call for it. */
import type { Discovery } from "../../src/client/discovery.ts";
import type { MirrorState } from "../../src/client/runtime.ts";

export interface Overview {
  readonly agents: number;
  readonly faults: number;
  readonly unenforced: number;
  readonly failing: number;
  readonly stuck: number;
  readonly utilization: number;
}

/** Every agent's status, fault, limits and success, every live task and run, and the sums. */
export function lookOver({ agents, tasks, executions }: MirrorState, discovery: Discovery): Overview {
  let [faults, unenforced, failing, stuck] = [0, 0, 0, 0];
  for (const agent of agents.values()) {
    if (agent.status === "error" || agent.fault !== undefined) faults++;
    if (Object.values(agent.enforcement).some(({ state }) => state !== "enforced")) unenforced++;
    if (agent.successRate < 0.5) failing++;
  }
  for (const { status } of tasks.values()) if (status === "failed" || status === "timed-out") stuck++;
  for (const { status } of executions.values()) if (status === "failed" || status === "paused") stuck++;
  const { total, utilization } = discovery.getStats();
  return { agents: total, faults, unenforced, failing, stuck, utilization };
}
