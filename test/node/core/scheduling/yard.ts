/** A state and a scheduler on it, fed with facts alone; it starts again from a snapshot when it is told to. */
import type { Agent, Link } from "../../../../src/core/agents/agent.ts";
import { matches, tierOf } from "../../../../src/core/agents/matching.ts";
import {
  applyEvent,
  createState,
  restoreState,
  saveState,
  type CoreFact,
  type CoreState,
} from "../../../../src/core/runtime.ts";
import { createScheduler, type Scheduler } from "../../../../src/core/scheduling/scheduler.ts";
import type { LimitUse } from "../../../../src/core/tasks/order.ts";
import type { Task } from "../../../../src/core/tasks/task.ts";
import { frozenKit, START } from "../kit.ts";

export interface Yard {
  state: CoreState;
  scheduler: Scheduler;
  now: number;
  tell(fact: CoreFact): void;
  restart(): void;
}

export function createYard(): Yard {
  const state = createState(frozenKit([]));
  const yard: Yard = {
    state,
    scheduler: createScheduler(state),
    now: START,
    tell(fact) {
      applyEvent(yard.state, { ...fact, at: yard.now });
      yard.scheduler.follow(fact.type, fact.data);
    },
    restart() {
      const text = saveState(yard.state);
      yard.state = createState(frozenKit([]));
      restoreState(yard.state, text);
      if (saveState(yard.state) !== text) throw new Error("the restored state is another one");
      yard.scheduler = createScheduler(yard.state);
    },
  };
  return yard;
}

/** Which limits an attempt counts against, found by walking over everything. */
export function usesOf({ limits }: CoreState, named: readonly LimitUse[] = []): string[] {
  const ids = new Set(limits.limits.get("*") ? ["*|"] : []);
  for (const { limit, key = "" } of named) {
    const set = limits.limits.get(limit);
    if (set) ids.add(`${limit}|${set.perKey ? key : ""}`);
  }
  return [...ids];
}

/** What was given out, told by the starts and the ends alone. */
export interface Ledger {
  readonly held: Map<string, readonly LimitUse[]>;
  readonly buckets: Map<string, { level: number; at: number }>;
}

export function levelOf({ state, now }: Yard, { buckets }: Ledger, use: string): number | undefined {
  const rate = state.limits.limits.get(use.slice(0, use.indexOf("|")))?.rate;
  if (!rate) return undefined;
  const { count, per, burst = count } = rate;
  const { level, at } = buckets.get(use) ?? { level: burst * per, at: now };
  return Math.min(burst * per, level + (now - at) * count);
}

/** The first limit that holds the task back now, if one does. */
export function fullLimit(
  yard: Yard,
  ledger: Ledger,
  task: Task,
  running: ReadonlyMap<string, number> = runningOf(yard, ledger),
): string | undefined {
  return usesOf(yard.state, task.limits).find((use) => {
    const limit = yard.state.limits.limits.get(use.slice(0, use.indexOf("|")));
    if ((running.get(use) ?? 0) >= (limit?.concurrency ?? Infinity)) return true;
    const level = levelOf(yard, ledger, use);
    return level !== undefined && level < (limit?.rate?.per ?? 0);
  });
}

/** How many attempts count against each use. */
export function runningOf({ state }: Yard, { held }: Ledger): ReadonlyMap<string, number> {
  const running = new Map<string, number>();
  for (const named of held.values())
    for (const use of usesOf(state, named)) running.set(use, (running.get(use) ?? 0) + 1);
  return running;
}

/** The links that could take the task now, those of the best agents only. */
export function freeLinksFor({ agents }: CoreState, task: Task): Link[] {
  const links = [...agents.links.values()];
  if (links.every(({ held, slots }) => held >= slots)) return [];
  const loads = (id: string): number => {
    const own = links.filter(({ agent }) => agent === id);
    return own.reduce((sum, { held }) => sum + held, 0) / own.reduce((sum, { slots }) => sum + slots, 0);
  };
  const tier = (id: string): number => {
    const agent = agents.agents.get(id);
    return agent ? tierOf(agent, task) : Infinity;
  };
  const able = links.filter((link) => {
    const agent = agents.agents.get(link.agent);
    return (
      agent && isFree(links, agent, link) && matches(agent, task) && loads(agent.id) <= (task.agents?.maxLoad ?? 1)
    );
  });
  const best = Math.min(...able.map(({ agent }) => tier(agent)));
  return able.filter(({ agent }) => tier(agent) === best);
}

function isFree(
  links: readonly Link[],
  agent: Agent,
  { held, slots, silent, strained, worn, given = 0 }: Link,
): boolean {
  if (held >= slots || silent || strained || worn || given >= (agent.recycleAfter ?? Infinity)) return false;
  const own = links.filter((link) => link.agent === agent.id);
  return own.reduce((sum, link) => sum + link.held, 0) < (agent.maxConcurrentTasks ?? Infinity);
}
