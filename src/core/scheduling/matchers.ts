/**
 * Which workers can take a task of which requirement now. For every requirement that is asked for, a matcher holds
 * by tier (`tierOf`) the set of links that match and could take one more; a link's change touches only the matchers
 * that its agent serves.
 */
import type { Agent, Link } from "../agents/agent.ts";
import { isOpen, type AgentsState } from "../agents/fold.ts";
import { matches, requirementKey, tierOf } from "../agents/matching.ts";
import { successPercent } from "../agents/statistics.ts";
import { createBitset } from "../bitset.ts";
import type { Requirement } from "../tasks/requirement.ts";
import { createHome } from "./lane.ts";
import type { Matcher } from "./model.ts";

/** Matchers that may stand without tasks; beyond that they are dropped, since anybody can name new capabilities. */
const SPARE_MATCHERS = 256;

export interface Matchers {
  readonly byKey: ReadonlyMap<string, Matcher>;
  /** Those with tasks and a worker that could take one. */
  readonly open: ReadonlySet<Matcher>;
  matcherOf(requirement: Requirement): Matcher;
  ofAgent(id: string): ReadonlySet<Matcher>;
  /** The link that is next in turn in the best tier. */
  pick(matcher: Matcher): Link | undefined;
  /** Its number of tasks has changed by so many. */
  count(matcher: Matcher, by: number): void;
  /** An agent came, changed or went. */
  indexAgent(id: string): void;
  /** What is known of its work has changed. */
  refreshAgent(id: string): void;
  addLink(id: string): void;
  updateLink(id: string): void;
  dropLink(id: string): void;
  clear(): void;
}

interface State {
  readonly view: { readonly agents: AgentsState };
  readonly byKey: Map<string, Matcher>;
  readonly byAgent: Map<string, Set<Matcher>>;
  readonly open: Set<Matcher>;
  /** Those that demand a success rate. */
  readonly picky: Set<Matcher>;
  readonly numbers: Map<string, number>;
  readonly linkByNumber: (string | undefined)[];
  readonly spareNumbers: number[];
  readonly links: Map<string, Set<string>>;
  readonly agentOf: Map<string, string>;
  /** As they were when they were matched. */
  readonly known: Map<string, Agent>;
  /** Tasks in all. */
  size: number;
  /** The number after that of the worker that was last given a task. */
  turn: number;
}

export function createMatchers(view: State["view"]): Matchers {
  const state: State = {
    view,
    byKey: new Map(),
    byAgent: new Map(),
    open: new Set(),
    picky: new Set(),
    numbers: new Map(),
    linkByNumber: [],
    spareNumbers: [],
    links: new Map(),
    agentOf: new Map(),
    known: new Map(),
    size: 0,
    turn: 0,
  };
  return {
    byKey: state.byKey,
    open: state.open,
    matcherOf: (requirement) => matcherOf(state, requirement),
    ofAgent: (id) => state.byAgent.get(id) ?? none,
    pick: (matcher) => pick(state, matcher),
    count(matcher, by) {
      matcher.size += by;
      state.size += by;
      noteOpen(state, matcher);
    },
    indexAgent(id) {
      indexAgent(state, id);
    },
    refreshAgent(id) {
      refreshAgent(state, id);
    },
    addLink(id) {
      addLink(state, id);
    },
    updateLink(id) {
      updateLink(state, id);
    },
    dropLink(id) {
      dropLink(state, id);
    },
    clear() {
      for (const map of [state.byKey, state.byAgent, state.open, state.numbers, state.links]) map.clear();
      for (const map of [state.agentOf, state.known, state.picky]) map.clear();
      state.linkByNumber.length = 0;
      state.spareNumbers.length = 0;
      state.size = 0;
    },
  };
}

const none: ReadonlySet<Matcher> = new Set();

function matcherOf(state: State, requirement: Requirement): Matcher {
  const { byKey, view } = state;
  const key = requirementKey(requirement);
  const known = byKey.get(key);
  if (known) return known;
  if (byKey.size >= SPARE_MATCHERS + state.size) dropSpare(state);
  const { capabilities, optional, specializations, agents, secrets } = requirement;
  const matcher: Matcher = {
    key,
    requirement: { capabilities, optional, specializations, agents, secrets },
    tiers: new Map(),
    free: [],
    freeTiers: createBitset(),
    lanes: new Map(),
    homes: new Map([["", createHome(undefined)]]),
    size: 0,
  };
  byKey.set(key, matcher);
  if (agents?.minSuccessRate !== undefined) state.picky.add(matcher);
  for (const agent of view.agents.agents.values()) place(state, agent, matcher);
  return matcher;
}

function dropSpare({ byKey, byAgent, open, picky }: State): void {
  for (const [key, matcher] of byKey) {
    if (matcher.size > 0) continue;
    byKey.delete(key);
    open.delete(matcher);
    picky.delete(matcher);
    for (const agent of matcher.tiers.keys()) byAgent.get(agent)?.delete(matcher);
  }
}

/** Whether and where the agent's links stand in the matcher. */
function place(state: State, agent: Agent, matcher: Matcher): void {
  const { id } = agent;
  const before = matcher.tiers.get(id);
  const tier = matches(agent, matcher.requirement) ? tierOf(agent, matcher.requirement) : undefined;
  if (tier === before) return;
  if (before !== undefined) remove(state, id, matcher);
  if (tier === undefined) return;
  matcher.tiers.set(id, tier);
  let served = state.byAgent.get(id);
  if (!served) state.byAgent.set(id, (served = new Set()));
  served.add(matcher);
  for (const link of state.links.get(id) ?? []) markLink(state, matcher, link);
}

function remove(state: State, agent: string, matcher: Matcher): void {
  const tier = matcher.tiers.get(agent) ?? 0;
  for (const link of state.links.get(agent) ?? []) mark(state, matcher, tier, state.numbers.get(link) ?? -1, false);
  matcher.tiers.delete(agent);
  state.byAgent.get(agent)?.delete(matcher);
}

function indexAgent(state: State, id: string): void {
  const agent = state.view.agents.agents.get(id);
  if (agent && agent === state.known.get(id)) return; // nothing about it has changed
  if (agent) {
    state.known.set(id, agent);
    for (const matcher of state.byKey.values()) place(state, agent, matcher);
    for (const link of state.links.get(id) ?? []) updateLink(state, link); // what it may take at once may be another
    return;
  }
  state.known.delete(id);
  for (const matcher of [...(state.byAgent.get(id) ?? [])]) remove(state, id, matcher);
  state.byAgent.delete(id);
}

/** The same for a change of its statistics alone, which comes with every task. */
function refreshAgent(state: State, id: string): void {
  const agent = state.view.agents.agents.get(id);
  const before = state.known.get(id);
  if (!agent || (before && successPercent(agent) === successPercent(before))) return;
  state.known.set(id, agent);
  for (const matcher of [...(state.byAgent.get(id) ?? none)]) place(state, agent, matcher);
  for (const matcher of state.picky) place(state, agent, matcher);
}

function addLink(state: State, id: string): void {
  const agent = state.view.agents.links.get(id)?.agent;
  if (agent === undefined) return;
  const number = state.spareNumbers.pop() ?? state.linkByNumber.length;
  state.linkByNumber[number] = id;
  state.numbers.set(id, number);
  state.agentOf.set(id, agent);
  let links = state.links.get(agent);
  if (!links) state.links.set(agent, (links = new Set()));
  links.add(id);
  updateLink(state, id);
}

function dropLink(state: State, id: string): void {
  const number = state.numbers.get(id);
  const agent = state.agentOf.get(id);
  if (number === undefined || agent === undefined) return;
  const served = state.byAgent.get(agent) ?? none;
  for (const matcher of served) mark(state, matcher, matcher.tiers.get(agent) ?? 0, number, false);
  state.numbers.delete(id);
  state.agentOf.delete(id);
  state.linkByNumber[number] = undefined;
  state.spareNumbers.push(number);
  const links = state.links.get(agent);
  links?.delete(id);
  if (links?.size === 0) state.links.delete(agent);
  // The agent's load is another one without it.
  for (const matcher of served) if (isShared(state, matcher, agent)) markAll(state, matcher, agent);
}

function updateLink(state: State, id: string): void {
  const agent = state.agentOf.get(id);
  if (agent === undefined) return;
  for (const matcher of state.byAgent.get(agent) ?? none)
    if (isShared(state, matcher, agent)) markAll(state, matcher, agent);
    else markLink(state, matcher, id);
}

/** Whether what one link of the agent has taken decides about the others too. */
function isShared({ view }: State, matcher: Matcher, agent: string): boolean {
  return loadOf(matcher) !== undefined || view.agents.agents.get(agent)?.maxConcurrentTasks !== undefined;
}

function loadOf({ requirement }: Matcher): number | undefined {
  return requirement.agents?.maxLoad;
}

function markAll(state: State, matcher: Matcher, agent: string): void {
  for (const link of state.links.get(agent) ?? []) markLink(state, matcher, link);
}

/** Notes whether the link could take a task of the matcher now. */
function markLink(state: State, matcher: Matcher, id: string): void {
  const link = state.view.agents.links.get(id);
  const tier = link && matcher.tiers.get(link.agent);
  if (!link || tier === undefined) return;
  const maxLoad = loadOf(matcher);
  const isFree =
    isOpen(state.view.agents, link) &&
    (maxLoad === undefined || agentLoad(state.view.agents, state.links.get(link.agent) ?? []) <= maxLoad);
  mark(state, matcher, tier, state.numbers.get(id) ?? -1, isFree);
}

/** Which part of an agent's slots is taken, from 0 to 1. */
export function agentLoad({ links }: AgentsState, ids: Iterable<string>): number {
  let [held, slots] = [0, 0];
  for (const id of ids) {
    const link = links.get(id);
    held += link?.held ?? 0;
    slots += link?.slots ?? 0;
  }
  return slots === 0 ? 0 : held / slots;
}

function mark(state: State, matcher: Matcher, tier: number, number: number, isFree: boolean): void {
  if (number < 0) return;
  const free = (matcher.free[tier] ??= createBitset());
  if (isFree) {
    free.add(number);
    matcher.freeTiers.add(tier);
  } else {
    free.delete(number);
    if (free.size === 0) matcher.freeTiers.delete(tier);
  }
  noteOpen(state, matcher);
}

function noteOpen({ open }: State, matcher: Matcher): void {
  if (matcher.size > 0 && matcher.freeTiers.size > 0) open.add(matcher);
  else open.delete(matcher);
}

function pick(state: State, { free, freeTiers }: Matcher): Link | undefined {
  const number = free[freeTiers.next(0)]?.next(state.turn) ?? -1;
  const link = state.view.agents.links.get(state.linkByNumber[number] ?? "");
  if (link) state.turn = number + 1;
  return link;
}
