/**
 * The suite `matching`: the scheduler alone, in Node, for what it costs to find the agent for a task among very many,
 * and what a queued task costs among very many. The naive one filters and sorts all agents at every start.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Agent, Link } from "../src/core/agents/agent.ts";
import { matches, tierOf } from "../src/core/agents/matching.ts";
import { applyEvent, type CoreFact, type CoreState } from "../src/core/runtime.ts";
import { createScheduler, type Scheduler } from "../src/core/scheduling/scheduler.ts";
import { createStage } from "../src/core/stage.ts";
import { PRIORITIES, type Priority } from "../src/core/tasks/priority.ts";
import type { Row } from "./row.ts";
import { rowOf } from "./rows.ts";

const CAPABILITIES = 40;
const MICROSECONDS = { unit: "µs", better: "less" } as const;

interface Yard {
  readonly state: CoreState;
  readonly scheduler: Scheduler;
  tell(fact: CoreFact): void;
}

function createYard(): Yard {
  const { state } = createStage();
  const scheduler = createScheduler(state);
  return {
    state,
    scheduler,
    tell(fact) {
      applyEvent(state, { ...fact, at: 1 });
      scheduler.follow(fact.type, fact.data);
    },
  };
}

function capability(at: number): string {
  return `c${String(at % CAPABILITIES)}`;
}

/** Agents with three capabilities each, one slot, and a worker that is up. */
function addAgents({ tell }: Yard, count: number): void {
  for (let at = 0; at < count; at++) {
    const name = `agent${String(at)}`;
    const capabilities = [capability(at), capability(at * 7 + 1), capability(at * 13 + 2)];
    const rest = { version: "1.0.0", url: "/a.js", trusted: false, network: [], workers: 1, slots: 1 };
    tell({ type: "agent.registered", data: { name, capabilities, ...rest } });
    tell({
      type: "link.joined",
      data: { link: `link${String(at)}`, agent: `${name}@1.0.0`, session: "page", slots: 1 },
    });
  }
}

function create({ tell }: Yard, at: number): string {
  const id = `task${String(at)}`;
  const retry = { maxAttempts: 1, base: 1, factor: 1, cap: 1, jitter: "none" } as const;
  const priority = PRIORITIES[at % PRIORITIES.length] ?? "low";
  const capabilities = [capability(at)];
  tell({ type: "task.created", data: { id, capabilities, priority, retry, timeout: 60_000, input: "1" } });
  return id;
}

/** One task at a time: created, given to an agent, done. Microseconds of each assignment. */
function assignments(agents: number, count: number): number[] {
  const yard = createYard();
  addAgents(yard, agents);
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const id = create(yard, at);
    const from = performance.now();
    const request = yard.scheduler.next(1);
    if (!request) throw new Error("nobody was found");
    const { link, agent } = request.data as { link: string; agent: string };
    yard.tell({ type: "task.assigned", data: { id, attempt: 1, link, agent, dueAt: 2 } });
    times.push((performance.now() - from) * 1_000);
    yard.tell({ type: "task.completed", data: { id, attempt: 1, link, output: "1" } });
  }
  return times.slice(count / 10); // the first ones meet the requirement for the first time
}

/** The same choice by looking at everybody. */
function naively(agents: number, count: number): number[] {
  const yard = createYard();
  addAgents(yard, agents);
  const links = new Map([...yard.state.agents.links.values()].map((link) => [link.agent, link]));
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const requirement = { capabilities: [capability(at)] };
    const from = performance.now();
    const able = [...yard.state.agents.agents.values()]
      .map((agent): readonly [Agent, Link | undefined] => [agent, links.get(agent.id)])
      .filter(([agent, link]) => link && link.held < link.slots && matches(agent, requirement));
    able.sort(([a], [b]) => tierOf(a, requirement) - tierOf(b, requirement));
    if (!able[0]) throw new Error("nobody was found");
    times.push((performance.now() - from) * 1_000);
  }
  return times;
}

/** Microseconds of one more task, of one that goes, and of one that changes its place, among so many. */
function queueing(count: number): Readonly<Record<"enqueue" | "cancel" | "reprioritise", number>> {
  const yard = createYard();
  addAgents(yard, 10);
  yard.tell({ type: "limit.set", data: { name: "*", concurrency: 0 } });
  for (let at = 0; at < count; at++) create(yard, at);
  const some = Math.min(count, 2_000);
  const each = (act: (at: number) => void): number => {
    const from = performance.now();
    for (let at = 0; at < some; at++) act(at);
    return ((performance.now() - from) * 1_000) / some;
  };
  const cancel = (at: number): void => {
    const data = { id: `task${String(at)}`, attempt: 0, reason: "bench", running: false };
    yard.tell({ type: "task.cancelled", data });
  };
  const enqueue = each((at) => create(yard, count + at));
  const cancelled = each((at) => {
    cancel(count + at);
  });
  const reprioritise = each((at) => {
    yard.tell({ type: "task.reprioritized", data: { id: `task${String(at)}`, priority: otherThan(at) } });
  });
  return { enqueue, cancel: cancelled, reprioritise };
}

function otherThan(at: number): Priority {
  return PRIORITIES[(at + 1) % PRIORITIES.length] ?? "low";
}

/** Bytes of the heap for each queued task, with its record. */
function memory(count: number): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const yard = createYard();
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < count; at++) create(yard, at);
  gc();
  const bytes = process.memoryUsage().heapUsed - before;
  if (yard.scheduler.index.queue.size !== count) throw new Error("not all of them are queued");
  return bytes / count;
}

export function measureMatching(rounds: number, quick: boolean): Row[] {
  const rows: Row[] = [];
  for (const agents of quick ? [100, 1_000] : [100, 10_000, 100_000])
    for (const [name, share] of [
      ["p50", 0.5],
      ["p99", 0.99],
    ] as const) {
      const ours = repeat(rounds, () => at(assignments(agents, 4_000), share));
      const naive = repeat(rounds, () => at(naively(agents, agents > 10_000 ? 30 : 300), share));
      const figure = `assignment among ${agents.toLocaleString("en")} agents, ${name}`;
      const place = { line: `assignment, ${name}`, over: "registered agents", count: agents };
      rows.push(
        rowOf({ ...MICROSECONDS, figure, values: ours, peers: { "filter and sort all agents": naive }, place }),
      );
    }
  for (const count of quick ? [1_000] : [1_000, 10_000, 100_000]) {
    const found = Array.from({ length: rounds }, () => queueing(count));
    for (const what of ["enqueue", "cancel", "reprioritise"] as const) {
      const figure = `${what} among ${count.toLocaleString("en")} queued tasks`;
      const place = { line: `a queued task, ${what}`, over: "queued tasks", count };
      rows.push(rowOf({ ...MICROSECONDS, figure, values: found.map((one) => one[what]), place }));
    }
  }
  const values = [memory(quick ? 1_000 : 100_000)];
  rows.push(rowOf({ figure: "heap per queued task, with its record", unit: "bytes", better: "less", values }));
  return rows;
}

function repeat(rounds: number, measure: () => number): number[] {
  return Array.from({ length: rounds }, measure);
}

function at(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? NaN;
}
