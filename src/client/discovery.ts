/**
 * Finds agents in the page's mirror: at once, without asking the host. The index follows the store: it is brought up
 * to date when something is asked, or watched, and the agents have changed meanwhile.
 */
import { createAgentIndex, type AgentIndex } from "../core/agents/agent-index.ts";
import { covers, isSpecialized, splitCapability, tierOf, TIERS } from "../core/agents/matching.ts";
import type { Requirement } from "../core/tasks/requirement.ts";
import { inRange, parseRange, parseVersion } from "../core/versions.ts";
import type { CapabilityVersion } from "../core/capabilities/capability.ts";
import type { JsonSchema } from "../core/capabilities/schema.ts";
import { decodeJson } from "../core/json.ts";
import { RuntimeError } from "../core/errors.ts";
import type { AgentStatus } from "../core/agents/status.ts";
import type { AgentView, Runtime } from "./runtime.ts";

/** What agents are looked for; all that is given must hold. */
export interface AgentQuery {
  /** Every one must be had, in its range: `code.refactor`, `translate@^2`. */
  readonly capabilities?: readonly string[];
  readonly specialization?: string;
  readonly status?: AgentStatus;
  /** A range of the agent's own version, as in semver. */
  readonly version?: string;
  /** Labels that it must have with these values. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A part of the name or the description; upper and lower case are the same. */
  readonly text?: string;
}

/** An agent that has all required capabilities, and how well it fits. */
export interface AgentMatch {
  readonly agent: AgentView;
  /**
   * From 0 to 1, for putting matches in order: those that can take work come before those that can't, then the
   * scheduler's order holds (specialization, priority, optional capabilities, success), then the least load.
   */
  readonly score: number;
  /** What the score is made of, in this order; each from 0 to 1, and 1 is the best. */
  readonly parts: {
    /** 1: idle or busy; 0: offline or error. */
    readonly available: number;
    readonly specialization: number;
    readonly priority: number;
    /** The part of the optional capabilities that it has. */
    readonly optional: number;
    readonly success: number;
    /** The part of its slots that is free. */
    readonly load: number;
  };
  readonly optional: { readonly had: readonly string[]; readonly missing: readonly string[] };
  /** The same in words. */
  readonly reasons: readonly string[];
}

export interface AgentStats {
  readonly total: number;
  readonly idle: number;
  readonly busy: number;
  readonly offline: number;
  readonly error: number;
  /** How many agents offer each capability, by its name without version. */
  readonly capabilities: ReadonlyMap<string, number>;
  /** Attempts that run now, and that all agents together may run, of those that are neither offline nor in error. */
  readonly running: number;
  readonly capacity: number;
  /** running / capacity; 0 when there is no capacity. */
  readonly utilization: number;
}

/** A capability that is registered, or offered by an agent, or both. */
export interface CapabilityInfo {
  readonly name: string;
  /** How many agents can do it, whatever their state; those that offer what stands above it count. */
  readonly agents: number;
  /** What was registered for it; empty when nothing was. */
  readonly versions: readonly (Omit<CapabilityVersion, "input" | "output"> & {
    readonly input?: JsonSchema | undefined;
    readonly output?: JsonSchema | undefined;
  })[];
}

/** A query's agents have changed: one joined them, left them, or is another than before. */
export interface AgentChange {
  readonly kind: "joined" | "left" | "changed";
  readonly agent: AgentView;
}

export interface Discovery {
  /** Every agent for which the query holds. @throws RuntimeError `command/invalid` for a range that is none. */
  find(query?: AgentQuery): readonly AgentView[];
  /** All and only the agents that have every required capability, the best first; for none required all agents. */
  findAgentsByCapabilities(required: readonly string[], optional?: readonly string[]): readonly AgentMatch[];
  /**
   * The agent that a task of this requirement would be given: of those that have room, the best in the scheduler's order
   * and of equals the least loaded. When none has room, the best of those that match; undefined when none matches.
   */
  findBestAgentForTask(requirement: Requirement): AgentView | undefined;
  getStats(): AgentStats;
  /** Every capability that is registered or offered, by name. */
  capabilities(): readonly CapabilityInfo[];
  /** Tells what changes among the agents for which the query holds, from now on. Returns the function that ends it. */
  watchAgents(query: AgentQuery, listener: (change: AgentChange) => void): () => void;
}

/** Reads the agents of a runtime's mirror. */
export function createDiscovery({ store }: Pick<Runtime, "store">): Discovery {
  const index = createAgentIndex<AgentView>();
  let seen: ReadonlyMap<string, AgentView> = new Map();
  const present = (): AgentIndex<AgentView> => {
    const { agents } = store.getState();
    if (agents !== seen) follow(index, seen, agents);
    seen = agents;
    return index;
  };
  const find = (query: AgentQuery = {}): readonly AgentView[] => {
    const holds = readQuery(query);
    return [...present().find({ capabilities: query.capabilities ?? [] }, holds)].sort(byId);
  };
  return {
    find,
    findAgentsByCapabilities(required, optional = []) {
      const requirement = { capabilities: required, optional };
      const found = present().find(requirement, (agent) => required.every((need) => covers(agent, need)));
      return found
        .map((agent) => judge(agent, requirement))
        .sort((a, b) => b.score - a.score || byId(a.agent, b.agent));
    },
    findBestAgentForTask(requirement) {
      const found = present().find(requirement);
      const free = found.filter((agent) => agent.status === "idle" && isBelow(agent, requirement.agents?.maxLoad));
      return best(free.length > 0 ? free : found, requirement);
    },
    getStats: () => count(store.getState().agents.values()),
    capabilities() {
      const { agents, capabilities } = store.getState();
      const offered = [...agents.values()].flatMap((agent) => agent.capabilities.map((one) => splitCapability(one)[0]));
      return [...new Set([...offered, ...capabilities.keys()])].sort().map((name) => ({
        name,
        agents: present().find({ capabilities: [name] }, (agent) => covers(agent, name)).length,
        versions: (capabilities.get(name)?.versions ?? []).map(({ input, output, ...rest }) => ({
          ...rest,
          ...(input !== undefined && { input: decodeJson(input) as JsonSchema }),
          ...(output !== undefined && { output: decodeJson(output) as JsonSchema }),
        })),
      }));
    },
    watchAgents(query, listener) {
      let known = new Map(find(query).map((agent) => [agent.id, agent]));
      return store.subscribe(({ agents }, before) => {
        if (agents === before.agents) return;
        const now = new Map(find(query).map((agent) => [agent.id, agent]));
        const last = known;
        known = now;
        for (const change of changes(last, now)) listener(change);
      });
    },
  };
}

function byId(a: AgentView, b: AgentView): number {
  return a.id < b.id ? -1 : 1;
}

/** Brings the index from one picture to the next; what is the same object has not changed. */
function follow(
  index: AgentIndex<AgentView>,
  before: ReadonlyMap<string, AgentView>,
  now: ReadonlyMap<string, AgentView>,
): void {
  for (const [id, agent] of now) if (before.get(id) !== agent) index.set(agent);
  for (const id of before.keys()) if (!now.has(id)) index.delete(id);
}

function* changes(
  before: ReadonlyMap<string, AgentView>,
  now: ReadonlyMap<string, AgentView>,
): Generator<AgentChange, undefined> {
  for (const [id, agent] of before) if (!now.has(id)) yield { kind: "left", agent };
  for (const [id, agent] of now) {
    const last = before.get(id);
    if (!last) yield { kind: "joined", agent };
    else if (last !== agent) yield { kind: "changed", agent };
  }
}

/** @throws RuntimeError `command/invalid` for a range that is none. */
function readQuery({
  capabilities = [],
  specialization,
  status,
  version,
  labels = {},
  text,
}: AgentQuery): (agent: AgentView) => boolean {
  for (const need of capabilities) {
    const [, range] = splitCapability(need);
    if (range !== undefined) readRange("capabilities", range);
  }
  const range = version === undefined ? undefined : readRange("version", version);
  const wanted = Object.entries(labels);
  const part = text?.toLowerCase();
  return (agent) => {
    const own = parseVersion(agent.version);
    return (
      capabilities.every((need) => covers(agent, need)) &&
      (specialization === undefined || isSpecialized(agent, [specialization])) &&
      (status === undefined || agent.status === status) &&
      (range === undefined || (own !== undefined && inRange(own, range))) &&
      (part === undefined || `${agent.name}\n${agent.description ?? ""}`.toLowerCase().includes(part)) &&
      wanted.every(([name, value]) => agent.labels?.[name] === value)
    );
  };
}

function readRange(at: string, text: string): NonNullable<ReturnType<typeof parseRange>> {
  const range = text === "" ? undefined : parseRange(text);
  if (!range) throw new RuntimeError("command/invalid", { at, range: text, expected: "a range as in semver, as ^1.2" });
  return range;
}

/** The part of its slots that is taken. */
function loadOf({ running, capacity }: AgentView): number {
  return Math.min(1, running / capacity);
}

function isBelow(agent: AgentView, maxLoad = 1): boolean {
  return agent.running / agent.capacity <= maxLoad;
}

function best(agents: readonly AgentView[], requirement: Requirement): AgentView | undefined {
  let first: AgentView | undefined;
  let least = Infinity;
  for (const agent of agents) {
    const place = placeOf(agent, requirement);
    if (place < least || (place === least && first && agent.id < first.id)) [first, least] = [agent, place];
  }
  return first;
}

/** Where it stands in the order, from 0, the best: by its tier, and within it by its load. */
function placeOf(agent: AgentView, requirement: Requirement): number {
  return tierOf(agent, requirement) + loadOf(agent) / 2;
}

function isAvailable({ status }: AgentView): boolean {
  return status === "idle" || status === "busy";
}

const PRIORITY = { critical: 1, high: 2 / 3, medium: 1 / 3, low: 0 } as const;

function judge(agent: AgentView, requirement: Requirement): AgentMatch {
  const { optional = [], specializations = [] } = requirement;
  const had = optional.filter((need) => covers(agent, need));
  const missing = optional.filter((need) => !had.includes(need));
  const { priority = "medium", running, capacity, status, successRate } = agent;
  const place = placeOf(agent, requirement) + (isAvailable(agent) ? 0 : TIERS);
  return {
    agent,
    score: 1 - place / (2 * TIERS),
    parts: {
      available: isAvailable(agent) ? 1 : 0,
      specialization: specializations.length === 0 || isSpecialized(agent, specializations) ? 1 : 0,
      priority: PRIORITY[priority],
      optional: optional.length === 0 ? 1 : had.length / optional.length,
      success: successRate,
      load: 1 - loadOf(agent),
    },
    optional: { had, missing },
    reasons: [
      `it is ${status}`,
      `its priority is ${priority}`,
      ...had.map((need) => `it also has ${need}`),
      ...missing.map((need) => `it lacks ${need}`),
      `${String(Math.floor(successRate * 100))} % of its attempts end well`,
      `${String(running)} of ${String(capacity)} slots are taken`,
    ],
  };
}

function count(agents: Iterable<AgentView>): AgentStats {
  const by: Record<AgentStatus, number> = { idle: 0, busy: 0, offline: 0, error: 0 };
  const capabilities = new Map<string, number>();
  let [total, running, capacity] = [0, 0, 0];
  for (const agent of agents) {
    total++;
    by[agent.status]++;
    for (const name of new Set(agent.capabilities.map((one) => splitCapability(one)[0])))
      capabilities.set(name, (capabilities.get(name) ?? 0) + 1);
    if (!isAvailable(agent)) continue;
    running += agent.running;
    capacity += agent.capacity;
  }
  return { total, ...by, capabilities, running, capacity, utilization: capacity === 0 ? 0 : running / capacity };
}
