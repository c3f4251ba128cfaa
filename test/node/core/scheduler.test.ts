/** The scheduler against a model that looks at everything, at every start. */
import assert from "node:assert/strict";
import { matches } from "../../../src/core/agents/matching.ts";
import { describe, it } from "node:test";
import { createScheduler, type Scheduler } from "../../../src/core/scheduling/scheduler.ts";
import { createChance, roundsOf, seedOf } from "./chance.ts";
import { openWorld } from "./kit.ts";
import { createLife } from "./scheduling/life.ts";
import { createModel, type Model } from "./scheduling/model.ts";
import { createYard, freeLinksFor, fullLimit, runningOf, type Yard } from "./scheduling/yard.ts";
import { complete, createTask, fail, join, registerAgent } from "./things.ts";

const STEPS = Math.max(6_000, roundsOf(100_000));
const seed = seedOf(77);

/** Starts what can be started, and checks each start. */
function startAll(yard: Yard, model: Model): number {
  let started = 0;
  model.refresh();
  model.settle();
  for (let request = yard.scheduler.next(yard.now); request; request = yard.scheduler.next(yard.now)) {
    const { id, link, agent } = request.data as { id: string; link: string; agent: string };
    const [best] = model.startable();
    assert.equal(id, best?.id, "the best startable task starts");
    assert.ok(best && freeLinksFor(yard.state, best).some((one) => one.id === link && one.agent === agent));
    model.started(best, best.attempt + 1);
    const { limits } = best;
    const attempt = best.attempt + 1;
    yard.tell({
      type: "task.assigned",
      data: { id, attempt, link, agent, dueAt: yard.now + 1, ...(limits && { limits }) },
    });
    yard.now++; // no two tasks began to wait at the same moment, so their ranks change one by one
    model.refresh();
    started++;
  }
  assert.equal(model.startable()[0]?.id, undefined, "nothing waits while a capable slot and every limit are free");
  return started;
}

/** How many tasks wait for a worker of each agent, counted one by one. */
function checkWaiting({ state, scheduler, ...yard }: Yard, model: Model): void {
  const counts = new Map<string, number>();
  const running = runningOf({ ...yard, state, scheduler }, model.ledger);
  for (const task of state.tasks.tasks.values()) {
    if (task.status !== "queued" || fullLimit({ ...yard, state, scheduler }, model.ledger, task, running)) continue;
    for (const agent of state.agents.agents.values()) {
      if (matches(agent, task)) counts.set(agent.id, (counts.get(agent.id) ?? 0) + 1);
    }
  }
  assert.deepEqual(counted(scheduler), [...counts].sort());
}

const counted = ({ waiting }: Scheduler): [string, number][] => [...waiting()].filter(([, count]) => count > 0).sort();

describe(`the scheduler (seed ${String(seed)})`, () => {
  it("starts the best task that can start, in the order that is promised, leaves none beside a free capable slot, and is never over a limit", () => {
    const chance = createChance(seed);
    const yard = createYard();
    const model = createModel(yard);
    const live = createLife(chance, yard, model);
    let [started, held] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      const end = yard.now + (chance.once(3) ? 1 + chance.below(chance.once(20) ? 40_000 : 400) : 1);
      while (yard.now < end) {
        yard.now = Math.min(end, model.nextChange());
        started += startAll(yard, model);
      }
      live();
      started += startAll(yard, model);
      for (const link of yard.state.agents.links.values()) assert.ok(link.held >= 0 && link.held <= link.slots);
      if (step % 20 > 0) continue;
      checkWaiting(yard, model);
      const rebuilt = createScheduler(yard.state);
      assert.equal(rebuilt.next(yard.now), undefined, "a rebuilt one sees nothing that could start either");
      assert.deepEqual(counted(yard.scheduler), counted(rebuilt));
      for (const task of yard.state.tasks.tasks.values())
        if (task.status === "queued" && fullLimit(yard, model.ledger, task)) held++;
    }
    assert.ok(started > STEPS / 10, `only ${String(started)} starts: the test has lost its point`);
    assert.ok(held > STEPS / 20, `only ${String(held)} were held back by limits`);
  });

  it("hands equal work to equal workers in turn", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { slots: 2 }), join("l1", "a"), join("l2", "a"), join("l3", "a"));
    await world.submit(...["t1", "t2", "t3", "t4", "t5", "t6"].map((id) => createTask(id)));
    const links = [...world.mirror.tasks.tasks.values()].map(({ link }) => link);
    assert.deepEqual(links, ["l1", "l2", "l3", "l1", "l2", "l3"]);
  });

  it("starts waiting tasks at once when an agent is registered anew with what they need", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { capabilities: ["other"] }), join("l1", "a"), createTask("t1"));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "queued");
    await world.submit(registerAgent("a", { capabilities: ["other", "work"], replace: true }));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "assigned");
  });

  it("needs all capabilities of a task in one agent", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { capabilities: ["x"] }), join("l1", "a"));
    await world.submit(registerAgent("b", { capabilities: ["y"] }), join("l2", "b"));
    await world.submit(createTask("t1", { capabilities: ["x", "y"] }));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "queued");
    assert.deepEqual([...world.engine.scheduler.waiting()], []);
    await world.submit(registerAgent("c", { capabilities: ["y", "z", "x"] }), join("l3", "c"));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.link, "l3");
  });

  it("is not fooled by a capability whose name holds the end of a line", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    await world.submit(registerAgent("a", { capabilities: ["x", "y"] }), join("l1", "a"));
    await world.submit(createTask("t1", { capabilities: ["x", "y"] }), createTask("t2", { capabilities: ["x\ny"] }));
    await world.submit(join("l2", "a"));
    assert.equal(world.mirror.tasks.tasks.get("t2")?.status, "queued");
  });

  it("minds a success rate that rises and falls while a task waits", async () => {
    const world = await openWorld(seed, { behaviour: () => [] });
    const prior = { successRate: 0.5, weight: 2 };
    const picky = (id: string): ReturnType<typeof createTask> =>
      createTask(id, { capabilities: ["work"], agents: { minSuccessRate: 0.6 }, retry: { maxAttempts: 1 } });
    const statusOf = (id: string): string | undefined => world.mirror.tasks.tasks.get(id)?.status;
    await world.submit(registerAgent("a", { prior, slots: 4 }), join("l", "a"), picky("t"), createTask("good"));
    assert.deepEqual([statusOf("t"), statusOf("good")], ["queued", "assigned"], "half of its attempts end well");
    await world.submit(complete("good", 1));
    assert.equal(statusOf("t"), "assigned", "two of three do");
    await world.submit(fail("t", 1));
    await world.submit(picky("u"));
    assert.equal(statusOf("u"), "queued", "half of them again");
    await world.submit(createTask("more"), complete("more", 1));
    assert.equal(statusOf("u"), "assigned");
  });

  it("passes an agent's own terms on, and none where it has none", async () => {
    const termsOf = async (terms: object): Promise<unknown> => {
      const world = await openWorld(seed, { behaviour: () => [] });
      await world.submit(registerAgent("a", terms), join("l", "a"), createTask("t"));
      const assigned = world.committed.find(({ type }) => type === "task.assigned");
      return (assigned?.data as { readonly terms?: unknown } | undefined)?.terms;
    };
    assert.equal(await termsOf({}), undefined);
    assert.deepEqual(await termsOf({ timeout: 5 }), { timeout: 5 });
    assert.deepEqual(await termsOf({ retry: { maxAttempts: 7 } }), { retry: { maxAttempts: 7 } });
  });

  it("stays quick when tasks came with very many different capabilities", () => {
    const { tell, scheduler } = createYard();
    const retry = { maxAttempts: 1, base: 1, factor: 1, cap: 1, jitter: "none" } as const;
    for (let at = 0; at < 20_000; at++) {
      const id = `t${String(at)}`;
      const data = { id, capabilities: [`rare${String(at)}`], retry, timeout: 1, input: "1" };
      tell({ type: "task.created", data: { ...data, priority: "low" } });
      assert.equal(scheduler.next(0), undefined);
      tell({ type: "task.cancelled", data: { id, attempt: 0, reason: "gone", running: false } });
    }
  });
});
