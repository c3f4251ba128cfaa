/**
 * Which agents can do a task, and which of them is the better one.
 *
 * 1. Every required capability must be had: the name itself, or one above it (`code` does `code.refactor`; not the
 *    other way round).
 * 2. A required range (`translate@^2`) must hold the version that the capability is offered in (`translate@2.1.0`);
 *    one that is offered without a version is in no range.
 * 3. The task's constraints on agents are all hard, and so is that the agent is granted the task's secrets.
 * 4. Among those that match, the order is: had specializations, the agent's priority, had optional capabilities, the
 *    success rate. See {@link tierOf}.
 */
import { PRIORITIES } from "../tasks/priority.ts";
import type { Constraints, Requirement } from "../tasks/requirement.ts";
import { inRange, parseRange, parseVersion } from "../versions.ts";
import type { Agent } from "./agent.ts";
import { successPercent } from "./statistics.ts";

/** The same for requirements that the same agents match in the same order. */
export function requirementKey({ capabilities, optional, specializations, agents, secrets }: Requirement): string {
  const isPlain = capabilities.length === 1 && !optional && !specializations && !agents && !secrets; // most are
  const rest = isPlain ? "" : restOf({ optional, specializations, agents, secrets });
  const names = isPlain ? capabilities : canonical(capabilities);
  return rest === "" && names.length === 1 ? `=${names[0] ?? ""}` : JSON.stringify([names, rest]);
}

/** All but the required capabilities; empty when that is nothing. */
function restOf({ optional, specializations, agents, secrets = [] }: Omit<Requirement, "capabilities">): string {
  const granted = canonical(secrets.map(({ name }) => name));
  const rest = JSON.stringify([canonical(optional), canonical(specializations), constraintsKey(agents), granted]);
  return rest === NOTHING ? "" : rest;
}

const NOTHING = JSON.stringify([[], [], constraintsKey(), []]);

function canonical(names: readonly string[] = []): readonly string[] {
  return [...new Set(names)].sort();
}

/** In a fixed order of fields, without those that say nothing. `maxLoad` doesn't decide what matches, but when. */
function constraintsKey(constraints: Constraints = {}): unknown {
  const { exclude, version, maxLoad, minSuccessRate, specialized, labels } = constraints;
  const had = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [canonical(exclude), version ?? null, maxLoad ?? 1, minSuccessRate ?? 0, specialized ?? false, had];
}

/** Whether the agent may be given such a task at all; how much it has to do already doesn't count here. */
export function matches(agent: Agent, requirement: Requirement): boolean {
  if (agent.draining || agent.offline) return false;
  return requirement.capabilities.every((need) => covers(agent, need)) && admits(agent, requirement);
}

/** The hard constraints beside the capabilities. */
function admits(agent: Agent, { agents: constraints, specializations, secrets }: Requirement): boolean {
  if (secrets?.some(({ name }) => !agent.secrets?.includes(name))) return false;
  if (!constraints) return true;
  const { exclude, version, minSuccessRate = 0, specialized, labels = {} } = constraints;
  if (exclude?.some((one) => one === agent.id || one === agent.name)) return false;
  if (version !== undefined && !isWithin(agent.version, version)) return false;
  if (successPercent(agent) < minSuccessRate * 100) return false;
  if (specialized && !isSpecialized(agent, specializations)) return false;
  return Object.entries(labels).every(([name, value]) => agent.labels?.[name] === value);
}

/** Whether one of the agent's capabilities does what is needed (1, 2). */
export function covers({ capabilities }: Pick<Agent, "capabilities">, need: string): boolean {
  const [name, range] = splitCapability(need);
  return capabilities.some((offered) => {
    const [own, version] = splitCapability(offered);
    if (own !== name && !name.startsWith(`${own}.`)) return false;
    return range === undefined || (version !== undefined && isWithin(version, range));
  });
}

/** The name, and what follows its `@`: the version that is offered, or the range that is needed. */
export function splitCapability(text: string): readonly [name: string, version: string | undefined] {
  const at = text.indexOf("@");
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function isWithin(version: string, range: string): boolean {
  const [exact, bounds] = [parseVersion(version), parseRange(range)];
  return exact !== undefined && bounds !== undefined && inRange(exact, bounds);
}

export function isSpecialized({ specializations = [] }: Agent, wanted: Requirement["specializations"] = []): boolean {
  return wanted.some((one) => specializations.includes(one));
}

/** Least success rates of the bands, in whole percents. */
const BANDS = [95, 80, 50, 0] as const;

/** All, some or none of the optional capabilities. */
const EXTRAS = 3;

/** How many tiers there are: two of specialization, times those of priority, of optional capabilities, and of success. */
export const TIERS: number = 2 * PRIORITIES.length * EXTRAS * BANDS.length;

/**
 * How well an agent that matches fits, from 0, the best, to below {@link TIERS}. In this order: it has a named
 * specialization (or none is named); its priority; all, some or none of the optional capabilities; its success rate
 * is at least 95, 80, 50 % or less.
 */
export function tierOf(agent: Agent, requirement: Requirement): number {
  const { specializations, optional = [] } = requirement;
  const plain = specializations?.length && !isSpecialized(agent, specializations) ? 1 : 0;
  const rank = PRIORITIES.indexOf(agent.priority ?? "medium");
  const had = optional.filter((need) => covers(agent, need)).length;
  const extra = had === optional.length ? 0 : had > 0 ? 1 : 2;
  const percent = successPercent(agent);
  const band = BANDS.findIndex((least) => percent >= least);
  return ((plain * PRIORITIES.length + rank) * EXTRAS + extra) * BANDS.length + band;
}
