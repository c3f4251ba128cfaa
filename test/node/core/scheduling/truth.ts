/** Whether what `whyWaiting` says is so: each reason looked up by walking over everything. */
import assert from "node:assert/strict";
import type { Agent } from "../../../../src/core/agents/agent.ts";
import { matches } from "../../../../src/core/agents/matching.ts";
import { AGING } from "../../../../src/core/scheduling/aging.ts";
import type { Waiting } from "../../../../src/core/scheduling/why.ts";
import { PRIORITIES } from "../../../../src/core/tasks/priority.ts";
import type { Task } from "../../../../src/core/tasks/task.ts";
import type { Desk } from "./desk.ts";
import { freeLinksFor, fullLimit, type Ledger } from "./yard.ts";

/** What happened, told by the facts alone. */
export interface History {
  readonly ledger: Ledger;
  /** Ended tasks, and whether they have succeeded. */
  readonly ends: ReadonlyMap<string, boolean>;
}

type Told<R extends Waiting["reason"]> = Waiting & { readonly reason: R };

/** Whether that is the first obstacle that the table in docs/scheduling.md names, with its data. */
export function checkTrue(desk: Desk, history: History, task: Task, told: Waiting): void {
  assert.equal(told.reason, reasonOf(desk, history, task), `${told.text}: ${JSON.stringify(task)}`);
  switch (told.reason) {
    case "running":
      assert.equal(told.agent, task.agent);
      return;
    case "retry":
      assert.ok(told.at === task.dueAt && told.at > desk.now);
      return;
    case "paused":
      assert.equal(told.execution, task.parent?.execution);
      return;
    case "start-at":
      assert.ok(told.at === task.startAt && told.at > desk.now);
      return;
    case "dependency":
      checkDependency(desk, history, task, told);
      return;
    case "draining":
      assert.ok(told.agents.every((id) => wouldMatch(desk, id, task)));
      return;
    case "capability":
      checkNearest(desk, told);
      return;
    case "offline":
      checkOffline(desk, task, told);
      return;
    case "limit":
      assert.equal(fullLimit(desk, history.ledger, task), `${told.limit}|${told.key}`);
      return;
    case "capacity":
      checkCapacity(desk, history, task, told);
      return;
    case "next":
      assert.fail("nothing is left for the next turn");
  }
}

function reasonOf(desk: Desk, { ledger }: History, task: Task): Waiting["reason"] {
  switch (task.status) {
    case "assigned":
    case "running":
      return "running";
    case "retrying":
      return "retry";
    case "waiting":
      return "start-at";
    case "pending":
      return "dependency";
    default:
  }
  if (isPaused(desk, task)) return "paused";
  const agents = agentsOf(desk);
  const able = agents.filter((agent) => matches(agent, task)).map(({ id }) => id);
  if (able.length === 0) return agents.some(({ id }) => wouldMatch(desk, id, task)) ? "draining" : "capability";
  if (!desk.links.some(({ agent, silent }) => able.includes(agent) && !silent)) return "offline";
  if (fullLimit(desk, ledger, task) !== undefined) return "limit";
  return freeLinksFor(desk.state, task).length > 0 ? "next" : "capacity";
}

function isPaused({ state: { workflows } }: Desk, { parent }: Task): boolean {
  return parent !== undefined && workflows.executions.get(parent.execution)?.status === "paused";
}

function agentsOf({ state }: Desk): Agent[] {
  return [...state.agents.agents.values()];
}

/** If it took new work. */
function wouldMatch({ state }: Desk, id: string, task: Task): boolean {
  const agent = state.agents.agents.get(id);
  return agent !== undefined && matches({ ...agent, draining: undefined, offline: undefined }, task);
}

function openOf({ state }: Desk, id: string): string[] {
  const task = state.tasks.tasks.get(id);
  return task?.status === "pending" ? (task.after?.tasks.filter((one) => state.tasks.tasks.has(one)) ?? []) : [];
}

function checkDependency(desk: Desk, { ends }: History, task: Task, told: Told<"dependency">): void {
  const { tasks = [], when = "all" } = task.after ?? {};
  const open = openOf(desk, task.id);
  const succeeded = tasks.filter((id) => ends.get(id)).length;
  const needed = when === "all" ? tasks.length : when === "any" ? 1 : when;
  assert.equal(told.needs, needed === "done" ? open.length : needed - succeeded);
  assert.ok(told.needs > 0 && told.needs <= open.length);
  assert.deepEqual(told.open, open.slice(0, 5));
  assert.equal(told.on, told.chain[0]);
  for (const [at, id] of told.chain.entries()) assert.equal(id, openOf(desk, told.chain[at - 1] ?? task.id)[0]);
  assert.ok(told.chain.length === 5 || openOf(desk, told.chain.at(-1) ?? "").length === 0);
}

function checkNearest(desk: Desk, { nearest }: Told<"capability">): void {
  const { agents } = desk.state.agents;
  assert.equal(nearest.length, Math.min(5, agents.size));
  for (const { agent, lacks, matches: isMatch } of nearest) {
    assert.ok(!isMatch && lacks.length > 0);
    const one = agents.get(agent);
    for (const lack of lacks) {
      if (lack.kind === "capability") assert.ok(!one?.capabilities.includes(lack.name));
      else if (lack.kind === "secret") assert.ok(!one?.secrets?.includes(lack.name));
      else if (lack.kind === "closed") assert.ok(one?.draining === true || one?.offline === true);
      else assert.ok(lack.name === "exclude" && one && (lack.wanted as string[]).includes(one.name));
    }
  }
}

function checkOffline(desk: Desk, task: Task, { agents, offered, fault }: Told<"offline">): void {
  const able = agentsOf(desk).filter((agent) => matches(agent, task));
  assert.deepEqual(agents, able.map(({ id }) => id).sort());
  const offers = [...desk.state.agents.offers.values()].flatMap((offer) => offer.agents);
  assert.deepEqual(
    offered,
    agents.filter((id) => offers.includes(id)),
  );
  assert.equal(
    fault !== undefined,
    able.some((agent) => agent.fault),
  );
}

function checkCapacity(desk: Desk, history: History, task: Task, { agents, ahead, maxLoad }: Told<"capacity">): void {
  for (const { id, taken, slots, bound } of agents) {
    const own = desk.links.filter(({ agent }) => agent === id);
    assert.equal(taken, own.reduce((sum, { held }) => sum + held, 0)); // prettier-ignore
    assert.equal(slots, own.reduce((sum, one) => sum + one.slots, 0)); // prettier-ignore
    assert.ok(taken === slots || bound !== undefined || taken / slots > (maxLoad ?? 1), "its free slots can't be had");
    const agent = desk.state.agents.agents.get(id);
    const spare = own.filter(({ held, slots: all }) => held < all);
    if (bound === "maxConcurrentTasks") assert.ok(taken >= (agent?.maxConcurrentTasks ?? Infinity));
    else if (bound === "silent") assert.ok(spare.some(({ silent }) => silent));
    else if (bound === "strained") assert.ok(spare.some(({ strained }) => strained));
    else if (bound === "recycling")
      assert.ok(spare.some(({ given = 0, worn }) => worn ?? given >= (agent?.recycleAfter ?? Infinity)));
  }
  assert.equal(ahead, aheadOf(desk, history, task));
}

/** Queued tasks that the same agents can do, of a better rank, or older ones of the same rank and fairness key. */
function aheadOf(desk: Desk, { ledger }: History, task: Task): number {
  const rank = rankOf(desk, task);
  return desk.tasks.filter((one) => {
    if (one.status !== "queued" || one.id === task.id || !isAlike(one, task)) return false;
    if (fullLimit(desk, ledger, one) || isPaused(desk, one)) return false;
    const other = rankOf(desk, one);
    if (other !== rank) return other < rank;
    return (one.fairness?.key ?? "") === (task.fairness?.key ?? "") && isOlder(desk, one, task);
  }).length;
}

function isAlike(one: Task, other: Task): boolean {
  const text = ({ capabilities, optional = [], specializations = [], agents = {} }: Task): string => {
    const { exclude = [], maxLoad } = agents;
    const lists = [capabilities, optional, specializations, exclude].map((list) => [...new Set(list)].sort());
    return JSON.stringify([lists, maxLoad ?? 1]);
  };
  return text(one) === text(other);
}

function isOlder({ state }: Desk, one: Task, other: Task): boolean {
  const since = ({ parent, createdAt }: Task): number =>
    (parent && state.workflows.executions.get(parent.execution.split("/", 1)[0] ?? "")?.startedAt) ?? createdAt;
  return since(one) - since(other) < 0 || (since(one) === since(other) && one.order < other.order);
}

function rankOf(desk: Desk, task: Task): number {
  if (isUrgent(desk, task)) return 0;
  const { createdAt, startAt = 0, startedAt = 0 } = task;
  const waited = desk.now - Math.max(createdAt, startAt, startedAt);
  const best = Math.min(PRIORITIES.indexOf(task.priority), inherited(desk, task.id));
  return Math.max(0, best - Math.floor(waited / AGING));
}

function isUrgent({ now }: Desk, { deadline = Infinity, timeout = 60_000 }: Task): boolean {
  return now >= deadline - Math.min(timeout, 60_000);
}

/** The best rank of all that wait for it, directly or through others. */
function inherited(desk: Desk, id: string, seen = new Set<string>()): number {
  const waiting = desk.tasks.filter(
    (one) => one.status === "pending" && one.after?.tasks.includes(id) && !seen.has(one.id),
  );
  return Math.min(
    PRIORITIES.length,
    ...waiting.flatMap((one) => {
      seen.add(one.id);
      const own = isUrgent(desk, one) ? 0 : PRIORITIES.indexOf(one.priority);
      return [own, inherited(desk, one.id, seen)];
    }),
  );
}
