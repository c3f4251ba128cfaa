/** Which agents can do a task, and which of them is the better one. */
import type { Requirement } from "../tasks/requirement.ts";
import type { Agent } from "./agent.ts";

/** The same for requirements that the same agents match in the same order. */
export function requirementKey({ capabilities, optional, specializations, agents }: Requirement): string {
  return JSON.stringify([canonical(capabilities), canonical(optional), canonical(specializations), agents ?? {}]);
}

function canonical(names: readonly string[] = []): readonly string[] {
  return [...new Set(names)].sort();
}

/** Whether the agent may be given such a task at all; how much it has to do already doesn't count here. */
export function matches(agent: Agent, { capabilities, agents: constraints }: Requirement): boolean {
  if (constraints?.exclude?.includes(agent.id)) return false;
  return capabilities.every((name) => agent.capabilities.includes(name));
}

/** How many tiers there are. */
export const TIERS = 3;

/** How well an agent that matches fits, from 0, the best: it has all, some or none of the optional capabilities. */
export function tierOf({ capabilities }: Agent, { optional = [] }: Requirement): number {
  const had = optional.filter((name) => capabilities.includes(name)).length;
  return had === optional.length ? 0 : had > 0 ? 1 : 2;
}
