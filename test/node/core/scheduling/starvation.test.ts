/** I15: nothing starves; and a task has the rank of those that wait for it. In virtual time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreFact } from "../../../../src/core/runtime.ts";
import { AGING } from "../../../../src/core/scheduling/aging.ts";
import { createDependents } from "../../../../src/core/scheduling/dependents.ts";
import { PRIORITIES, type Priority } from "../../../../src/core/tasks/priority.ts";
import type { Task } from "../../../../src/core/tasks/task.ts";
import { createChance, seedOf } from "../chance.ts";
import { START } from "../kit.ts";
import { registerAgent } from "../things.ts";
import { createYard, type Yard } from "./yard.ts";

const seed = seedOf(90);
const SLOTS = 2;
const SERVICE = 500;

function create(yard: Yard, id: string, priority: Priority, more: object = {}): void {
  const retry = { maxAttempts: 1, base: 1, factor: 1, cap: 1, jitter: "none" };
  const data = { id, capabilities: ["work"], priority, retry, timeout: 60_000, input: "1", ...more };
  yard.tell({ type: "task.created", data } as CoreFact);
}

function open(slots: number): Yard {
  const yard = createYard();
  yard.tell({ type: "agent.registered", data: registerAgent("a", { slots }).data });
  yard.tell({ type: "link.joined", data: { link: "l", agent: "a@1.0.0", session: "page", slots } });
  return yard;
}

/** One after the other at each slot, each for SERVICE ms; `feed` makes new tasks. Gives when each task started. */
function run(yard: Yard, until: number, feed: (now: number) => void): Map<string, number> {
  const starts = new Map<string, number>();
  let running: { readonly id: string; readonly end: number }[] = [];
  for (; yard.now < until; yard.now += SERVICE / SLOTS) {
    for (const { id } of running.filter(({ end }) => end <= yard.now))
      yard.tell({ type: "task.completed", data: { id, attempt: 1, link: "l", output: "1" } });
    running = running.filter(({ end }) => end > yard.now);
    feed(yard.now);
    for (let request = yard.scheduler.next(yard.now); request; request = yard.scheduler.next(yard.now)) {
      const { id } = request.data as { id: string };
      yard.tell({ type: "task.assigned", data: { id, attempt: 1, link: "l", agent: "a@1.0.0", dueAt: yard.now + 1 } });
      starts.set(id, yard.now);
      running.push({ id, end: yard.now + SERVICE });
    }
  }
  return starts;
}

describe(`I15: no starvation (seed ${String(seed)})`, () => {
  for (const [rank, priority] of PRIORITIES.entries())
    it(`a ${priority} task is at the top after ${String((rank * AGING) / 1_000)} s, and then waits only for what was there before it`, () => {
      const yard = open(SLOTS);
      const old = 50; // critical ones that were there before
      for (let at = 0; at < old; at++) create(yard, `old${String(at)}`, "critical");
      create(yard, "the one", priority);
      let count = 0;
      // Twice as many critical ones as can be done, for ever.
      const starts = run(yard, START + 300_000, () => {
        for (let at = 0; at < 2; at++) create(yard, `new${String(count++)}`, "critical");
      });
      const waited = (starts.get("the one") ?? Infinity) - START;
      const bound = rank * AGING + ((old + SLOTS) * SERVICE) / SLOTS;
      assert.ok(waited <= bound, `it waited ${String(waited)} ms, more than ${String(bound)}`);
      if (rank > 0) assert.ok(waited >= rank * AGING, "it was the last of those that waited");
    });

  it("an endless stream of new fairness keys can't stand before a key that waits", () => {
    const yard = open(SLOTS);
    for (let at = 0; at < 10; at++) create(yard, `mine${String(at)}`, "critical", { fairness: { key: "mine" } });
    let count = 0;
    const starts = run(yard, START + 120_000, () => {
      const key = `key${String(count++)}`; // as many as can be done
      create(yard, key, "critical", { fairness: { key } });
    });
    for (let at = 0; at < 10; at++) assert.ok(starts.has(`mine${String(at)}`), `mine${String(at)} never started`);
  });

  it("keys share in proportion to their weights, and one that idled gains nothing", () => {
    const yard = open(1);
    const weights: Record<"a" | "b" | "late", number> = { a: 1, b: 3, late: 4 };
    const done: Record<keyof typeof weights, number> = { a: 0, b: 0, late: 0 };
    const keys = Object.keys(weights) as (keyof typeof weights)[];
    for (let at = 0; at < 900; at++)
      for (const key of keys) {
        if (key === "late") continue;
        create(yard, `${key}${String(at)}`, "critical", { fairness: { key, weight: weights[key] } });
      }
    const serve = (count: number): void => {
      for (let at = 0; at < count; at++) {
        const { id } = yard.scheduler.next(yard.now)?.data as { id: string };
        yard.tell({ type: "task.assigned", data: { id, attempt: 1, link: "l", agent: "a@1.0.0", dueAt: 1 } });
        yard.tell({ type: "task.completed", data: { id, attempt: 1, link: "l", output: "1" } });
        const key = keys.find((one) => id.startsWith(one));
        if (key) done[key]++;
      }
    };
    serve(400);
    assert.ok(Math.abs(done.a - 100) <= 1 && Math.abs(done.b - 300) <= 1, JSON.stringify(done));
    for (let at = 0; at < 900; at++)
      create(yard, `late${String(at)}`, "critical", { fairness: { key: "late", weight: weights.late } });
    serve(800);
    assert.ok(Math.abs(done.late - 400) <= 2, `it was away, and gets half from now on: ${JSON.stringify(done)}`);
    assert.ok(Math.abs(done.a - 200) <= 2 && Math.abs(done.b - 600) <= 2, JSON.stringify(done));
  });

  it("ten thousand lanes cost no more than a few", () => {
    const yard = open(1);
    yard.tell({ type: "limit.set", data: { name: "each", concurrency: 1, perKey: true } });
    const many = 10_000;
    for (let at = 0; at < many; at++)
      create(yard, `t${String(at)}`, "medium", { limits: [{ limit: "each", key: `k${String(at)}` }] });
    for (let at = 0; at < many; at++) {
      const { id } = yard.scheduler.next(yard.now)?.data as { id: string };
      assert.equal(id, `t${String(at)}`);
      const limits = yard.state.tasks.tasks.get(id)?.limits ?? [];
      yard.tell({ type: "task.assigned", data: { id, attempt: 1, link: "l", agent: "a@1.0.0", dueAt: 1, limits } });
      assert.equal(yard.scheduler.next(yard.now), undefined);
      yard.tell({ type: "task.completed", data: { id, attempt: 1, link: "l", output: "1" } });
    }
    assert.equal(yard.state.limits.uses.size, 0, "nothing is kept of limits that are free again");
  });
});

describe(`priority inheritance (seed ${String(seed)})`, () => {
  it("gives a task the best rank of all that wait for it, as a walk over everything finds it", () => {
    const chance = createChance(seed);
    const dependents = createDependents();
    const waiting = new Map<string, { on: string[]; rank: number }>();
    const bestOf = (id: string, seen = new Set<string>()): number => {
      let best: number = PRIORITIES.length;
      for (const [other, { on, rank }] of waiting)
        if (on.includes(id) && !seen.has(other)) best = Math.min(best, rank, bestOf(other, seen.add(other)));
      return best;
    };
    for (let step = 0; step < 100_000; step++) {
      const at = chance.below(30);
      const id = `t${String(at)}`;
      if (chance.once(3)) {
        waiting.delete(id);
        dependents.delete(id);
      } else if (chance.once(8)) {
        const one = waiting.get(id);
        if (one) one.rank = 0;
        dependents.raise(id);
      } else if (at > 0) {
        const on = Array.from({ length: 1 + chance.below(3) }, () => `t${String(chance.below(at))}`);
        const rank = chance.below(PRIORITIES.length);
        waiting.set(id, { on, rank });
        dependents.add({ id, after: { tasks: on } } as unknown as Task, rank);
      }
      dependents.settle(() => undefined);
      const one = `t${String(chance.below(30))}`;
      assert.equal(dependents.rankOf(one), bestOf(one));
    }
  });
});
