/**
 * Why a task hasn't started, from the state as it is: one reason, the data behind it, and a sentence. What is said is
 * true of this moment: while the obstacle stands the task isn't assigned, and without it the task starts or meets
 * another one. The order in which obstacles are named: it needs no start · others come first (time, dependencies) ·
 * nobody could ever do it · nobody is there · a limit · all are busy.
 */
import type { Agent, Link } from "../agents/agent.ts";
import { hasRoom, isSpent } from "../agents/fold.ts";
import { loadOf } from "../agents/status.ts";
import { matches, requirementKey, tierOf } from "../agents/matching.ts";
import type { ErrorData } from "../errors.ts";
import { resolve, runningOf, tokenAt } from "../limits/fold.ts";
import { EVERY_TASK } from "../limits/limit.ts";
import type { Requirement } from "../tasks/requirement.ts";
import type { Task } from "../tasks/task.ts";
import { isOlder } from "./lane.ts";
import type { Entry, Matcher } from "./model.ts";
import { isHeld } from "./queue.ts";
import type { SchedulerIndex, SchedulerView } from "./scheduler.ts";

/** What an agent lacks of a requirement: a capability, a secret that it isn't granted, what a constraint demands, or it takes no new work at all. */
export type Lack =
  | { readonly kind: "capability"; readonly name: string }
  | { readonly kind: "secret"; readonly name: string }
  | { readonly kind: "constraint"; readonly name: string; readonly wanted: unknown }
  | { readonly kind: "closed" };

/** How an agent fits a requirement. */
export interface AgentMatch {
  readonly agent: string;
  readonly matches: boolean;
  /** From 0, the best; of those that match. */
  readonly tier?: number | undefined;
  /** The parts of the tier: which of the optional capabilities it has, and whether a specialization was asked and had. */
  readonly optional: readonly string[];
  readonly specialized: boolean;
  readonly lacks: readonly Lack[];
  /** What would have to change: "would match if it had …". */
  readonly wouldMatchIf?: string | undefined;
}

interface Slots {
  readonly id: string;
  readonly taken: number;
  readonly slots: number;
  /**
   * Why its free slots can't be had. silent: their worker doesn't answer; strained: it uses more of its processor than
   * it may; recycling: it was given its last attempt, or has grown too much, and is replaced; maxConcurrentTasks: the agent may run no more.
   */
  readonly bound?: "silent" | "strained" | "recycling" | "maxConcurrentTasks";
}

/** Why a task waits. */
export type Waiting = { readonly task: string; readonly text: string } & (
  | { readonly reason: "running"; readonly agent: string }
  /** `needs` of the live tasks `open` must end, and end well unless any end will do; `on` is the first of them. */
  | {
      readonly reason: "dependency";
      readonly on: string;
      readonly chain: readonly string[];
      readonly needs: number;
      readonly open: readonly string[];
    }
  | { readonly reason: "paused"; readonly execution: string }
  | { readonly reason: "start-at"; readonly at: number }
  | { readonly reason: "retry"; readonly at: number }
  | { readonly reason: "capability"; readonly nearest: readonly AgentMatch[] }
  | { readonly reason: "draining"; readonly agents: readonly string[] }
  /** `offered`: those of them that a page can start a worker of; `fault`: why the last one didn't come up. */
  | {
      readonly reason: "offline";
      readonly agents: readonly string[];
      readonly offered: readonly string[];
      readonly fault?: ErrorData;
    }
  /** `freesAt`: when its bucket has a token again, if that is all that is missing. */
  | { readonly reason: "limit"; readonly limit: string; readonly key: string; readonly freesAt?: number }
  /** `ahead`: queued tasks with the same requirement that go before it in any case. */
  | {
      readonly reason: "capacity";
      readonly agents: readonly Slots[];
      readonly ahead: number;
      readonly maxLoad?: number;
    }
  /** Nothing is in the way: it starts in the host's next turn. */
  | { readonly reason: "next" }
);

type Reason = Waiting extends infer One ? (One extends Waiting ? Omit<One, "task"> : never) : never;

/** How many of the nearest agents, and how many links of a chain, are told. */
const MOST = 5;

/** Why the task hasn't started; undefined when it doesn't live. Costs what it looks at: agents, and tasks of its lanes. */
export function whyWaiting(view: SchedulerView, index: SchedulerIndex, id: string, now: number): Waiting | undefined {
  const task = view.tasks.tasks.get(id);
  if (!task) return undefined;
  return { task: id, ...(outside(view, task) ?? inQueue(view, index, task, now)) };
}

/** What keeps it from being queued. */
function outside(view: SchedulerView, task: Task): Reason | undefined {
  const status: string = task.status;
  if (status === "running" || status === "assigned") {
    const { agent = "" } = task;
    return { reason: "running", agent, text: `it doesn't wait: ${agent} has it` };
  }
  if (status === "retrying") {
    const at = task.dueAt ?? 0;
    return {
      reason: "retry",
      at,
      text: `its attempt ${String(task.attempt)} failed; the next one comes ${moment(at)}`,
    };
  }
  if (status === "waiting") {
    const at = task.startAt ?? 0;
    return { reason: "start-at", at, text: `it isn't to start before that time, ${moment(at)}` };
  }
  const { execution = "" } = task.parent ?? {};
  if (status === "queued" && isHeld(view, task))
    return { reason: "paused", execution, text: `its run ${execution} is paused` };
  if (status !== "pending") return undefined;
  return dependency(view, task);
}

function dependency(view: SchedulerView, task: Task): Reason {
  const { tasks, gates } = view.tasks;
  const open = task.after?.tasks.filter((id) => tasks.has(id)) ?? [];
  const { needed, total = 0, succeeded = 0, ended = 0 } = gates.get(task.id) ?? {};
  const needs = needed === undefined ? total - ended : needed - succeeded;
  const chain = chainOf(view, task);
  const [on = "", ...others] = chain;
  const then = others.map((one) => `, which waits for ${one}`).join("");
  const of = needs < open.length ? `${String(needs)} of ${list(open)}; the first is ${on}` : on;
  const more = needs === open.length && needs > 1 ? `; and for ${String(needs - 1)} more` : "";
  return {
    reason: "dependency",
    on,
    chain,
    needs,
    open: open.slice(0, MOST),
    text: `it waits for ${of}${then}${more}`,
  };
}

/** The first task that it waits for and that lives, the first one that this waits for, and so on. */
function chainOf({ tasks: { tasks } }: SchedulerView, task: Task): string[] {
  const chain: string[] = [];
  for (let at: Task | undefined = task; at && chain.length < MOST;) {
    const status: string = at.status;
    const on = status === "pending" ? at.after?.tasks.find((id) => tasks.has(id)) : undefined;
    if (on === undefined || chain.includes(on)) break;
    chain.push(on);
    at = tasks.get(on);
  }
  return chain;
}

function inQueue(view: SchedulerView, index: SchedulerIndex, task: Task, now: number): Reason {
  const matcher = index.matchers.byKey.get(requirementKey(task));
  const able = [...(matcher?.tiers.keys() ?? [])].sort();
  if (able.length === 0) return nobody(view, task);
  const links = [...view.agents.links.values()].filter(({ agent }) => matcher?.tiers.has(agent));
  if (links.every(({ silent }) => silent)) return nobodyThere(view, able, links.length);
  const full = fullLimit(view, task, now);
  if (full) return full;
  if (matcher && matcher.freeTiers.size > 0) return { reason: "next", text: "it starts in the next turn" };
  const agents = slotsOf(view, links);
  const ahead = matcher ? aheadOf(matcher, index.queue.get(task.id)) : 0;
  const maxLoad = task.agents?.maxLoad;
  const busy = agents.map(
    ({ id, taken, slots, bound }) => `${id} ${String(taken)} of ${String(slots)}${bound ? ` (${bound})` : ""}`,
  );
  const bound = maxLoad === undefined ? "" : ` (maxLoad ${String(maxLoad)})`;
  const text = `no slot is free for it${bound}: ${list(busy)} taken; ${String(ahead)} before it`;
  return { reason: "capacity", agents: agents.slice(0, MOST), ahead, text, ...(maxLoad !== undefined && { maxLoad }) };
}

/** Agents could do it, but none has a worker that answers. */
function nobodyThere({ agents }: SchedulerView, able: readonly string[], silent: number): Reason {
  const offered = able.filter((id) => loadOf(agents, id).offers > 0);
  const fault = able.map((id) => agents.agents.get(id)?.fault).find(Boolean);
  const whose = able.length === 1 ? "it" : "them";
  const state = silent > 0 ? `no worker of ${whose} answers` : `no worker of ${whose} is up`;
  const then = offered.length === 0 && silent === 0 ? ", and no page offers to start one" : "";
  const last = fault ? `; the last one didn't come up: ${fault.message}` : "";
  const text = `${list(able)} could do it, but ${state}${then}${last}`;
  return {
    reason: "offline",
    agents: able.slice(0, MOST),
    offered: offered.slice(0, MOST),
    text,
    ...(fault && { fault }),
  };
}

function slotsOf({ agents }: SchedulerView, links: readonly Link[]): Slots[] {
  const sums = new Map<string, Slots>();
  for (const link of links) {
    const { agent: id, held, silent, strained } = link;
    const { taken, slots, ...known } = sums.get(id) ?? { taken: 0, slots: 0 };
    const busy = strained && "strained";
    const closed = silent ? "silent" : isSpent(agents, link) ? "recycling" : busy;
    const bound = !hasRoom(agents, id) ? "maxConcurrentTasks" : held < link.slots ? closed : undefined;
    sums.set(id, { ...known, id, taken: taken + held, slots: slots + link.slots, ...(bound && { bound }) });
  }
  return [...sums.values()];
}

/** No agent may be given it: who comes nearest, and what that one lacks. */
function nobody(view: SchedulerView, task: Task): Reason {
  const all = explainMatch(view, task).toSorted((a, b) => a.lacks.length - b.lacks.length);
  const closed = all
    .filter(({ lacks: [first, second] }) => first?.kind === "closed" && !second)
    .map(({ agent }) => agent);
  if (closed.length > 0)
    return {
      reason: "draining",
      agents: closed.slice(0, MOST),
      text: `only ${list(closed)} could do it, and takes no new work`,
    };
  const nearest = all.slice(0, MOST);
  const [first] = nearest;
  const text = first
    ? `nobody can do it; the nearest, ${first.agent}, ${first.wouldMatchIf ?? ""}`
    : `nobody can do it: no agent is registered (needs ${list(task.capabilities)})`;
  return { reason: "capability", nearest, text };
}

function fullLimit({ limits, agents }: SchedulerView, task: Task, now: number): Reason | undefined {
  const every = limits.limits.get(EVERY_TASK);
  const uses = resolve(limits, task.limits ?? []);
  for (const [{ id: limit, concurrency = Infinity }, key] of every ? [[every, ""] as const, ...uses] : uses) {
    const running = runningOf(limits, limit, key, agents.holdings.size);
    const token = tokenAt(limits, limit, key, now);
    if (running < concurrency && token === undefined) continue;
    const name = limit === EVERY_TASK ? "the limit of every task" : `the limit ${limit}${key && ` of ${key}`}`;
    if (running >= concurrency || token === undefined)
      return { reason: "limit", limit, key, text: `${name} is full: ${String(running)} of ${String(concurrency)} run` };
    const text = `${name} has no start left; the next comes in ${String(Math.ceil((token - now) / 100) / 10)} s`;
    return { reason: "limit", limit, key, freesAt: token, text };
  }
  return undefined;
}

/** Tasks of a better rank, and older ones of the same rank and fairness key. */
function aheadOf(matcher: Matcher, entry: Entry | undefined): number {
  if (!entry) return 0;
  let ahead = 0;
  for (const { shelves, full, home } of matcher.lanes.values()) {
    if (full > 0 || home.room?.isFull) continue;
    for (const shelf of shelves.slice(0, entry.rank))
      for (const { entries } of shelf?.flows.values() ?? []) ahead += entries.size;
    const flow = shelves[entry.rank]?.flows.get(entry.key);
    for (const other of flow?.entries.values() ?? []) if (isOlder(other, entry)) ahead++;
  }
  return ahead;
}

/** For every agent: how it fits the requirement, or what it lacks. How much it has to do doesn't count here. */
export function explainMatch({ agents }: Pick<SchedulerView, "agents">, requirement: Requirement): AgentMatch[] {
  return [...agents.agents.values()].map((agent) => explainAgent(agent, requirement));
}

/** Asks the matcher itself, with one part of the requirement at a time: so it can't say anything else than that does. */
function explainAgent(agent: Agent, requirement: Requirement): AgentMatch {
  const { optional = [], specializations } = requirement;
  const isMatch = matches(agent, requirement);
  const isOpen = matches(agent, { capabilities: [] });
  const has = (name: string): boolean => matches(agent, { capabilities: [name] });
  const specialized =
    specializations !== undefined &&
    matches(agent, { capabilities: [], specializations, agents: { specialized: true } });
  const lacks = isMatch ? [] : lacksOf(agent, requirement, isOpen);
  return {
    agent: agent.id,
    matches: isMatch,
    ...(isMatch && { tier: tierOf(agent, requirement) }),
    optional: optional.filter(has),
    specialized: specialized && specializations.length > 0,
    lacks,
    ...(!isMatch && { wouldMatchIf: `would match if ${list(lacks.map(phrase))}` }),
  };
}

function lacksOf(
  agent: Agent,
  { capabilities, specializations, agents = {}, secrets = [] }: Requirement,
  isOpen: boolean,
): Lack[] {
  // Of an agent that takes no new work the rest is looked at as if it did.
  const open = isOpen ? agent : ({ ...agent, draining: undefined, offline: undefined } as Agent);
  const missing = capabilities
    .filter((name) => !matches(open, { capabilities: [name] }))
    .map((name): Lack => ({ kind: "capability", name }));
  const broken = Object.entries(agents)
    .filter(([name, wanted]) => !matches(open, { capabilities: [], specializations, agents: { [name]: wanted } }))
    .map(([name, wanted]): Lack => ({ kind: "constraint", name, wanted }));
  const refused = secrets
    .filter((use) => !matches(open, { capabilities: [], secrets: [use] }))
    .map(({ name }): Lack => ({ kind: "secret", name }));
  return [...(isOpen ? [] : [{ kind: "closed" } as const]), ...missing, ...refused, ...broken];
}

function phrase(lack: Lack): string {
  if (lack.kind === "capability") return `it had ${lack.name}`;
  if (lack.kind === "secret") return `it were granted the secret ${lack.name}`;
  if (lack.kind === "closed") return "it took new work";
  return `${lack.name} weren't ${JSON.stringify(lack.wanted)}`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, MOST).join(", ");
  return names.length > MOST ? `${shown} and ${String(names.length - MOST)} more` : shown;
}

function moment(at: number): string {
  return `at ${String(at)} (milliseconds since 1970)`;
}
