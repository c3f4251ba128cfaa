/** What surrounds a task's attempts: slots, interruptions, time, and the queue. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PRIORITIES } from "../../../src/core/tasks/priority.ts";
import { MAX_INTERRUPTIONS } from "../../../src/core/tasks/task.ts";
import { createChance, seedOf } from "./chance.ts";
import { eventsOf } from "./disk.ts";
import { completes, createTime, fails, never, openHost, openWorld, START, type Host } from "./kit.ts";
import { archivedTask, heldOn, taskOf } from "./looks.ts";
import { cancelTask, complete, createTask, fail, join, leave, registerAgent, serve } from "./things.ts";

const retry = { maxAttempts: 3, base: 100, factor: 2, cap: 1_000, jitter: "none" } as const;

describe("a slot", () => {
  it("stays taken after a timeout until the stopped worker has given it back, and the retry goes elsewhere", async () => {
    const world = await openWorld(1, { behaviour: never, grace: 40 });
    await world.submit(...serve("a"), createTask("t", { timeout: 500, retry }), createTask("next"));
    await world.advance(499);
    assert.equal(taskOf(world)?.status, "assigned");
    await world.advance(1);
    assert.equal(taskOf(world)?.error?.code, "task/timeout");
    assert.deepEqual([taskOf(world)?.status, heldOn(world.mirror)], ["retrying", 1]);
    assert.equal(world.mirror.tasks.tasks.get("next")?.status, "queued");
    await world.submit(join("a-2", "a"));
    assert.equal(world.mirror.tasks.tasks.get("next")?.link, "a-2");
    await world.advance(40);
    assert.equal(heldOn(world.mirror), 0);
    await world.advance(60);
    assert.deepEqual([taskOf(world)?.attempt, taskOf(world)?.link], [2, "a-1"]);
  });

  it("goes with its worker when that is killed, and the attempt that hung isn't counted twice", async () => {
    const world = await openWorld(1, { behaviour: never, grace: 1e9 });
    await world.submit(...serve("a"), createTask("t", { timeout: 500, retry }));
    await world.advance(500);
    await world.submit(leave("a-1", "killed"), join("a-2", "a"));
    const task = taskOf(world);
    assert.deepEqual([task?.failures, task?.interruptions, world.mirror.agents.holdings.size], [1, 0, 0]);
  });

  it("stays taken after a cancellation until the worker answers", async () => {
    const world = await openWorld(1, { behaviour: never, grace: 30 });
    await world.submit(...serve("a"), createTask("t"), createTask("next"));
    await world.submit(cancelTask("t"));
    assert.equal(taskOf(world), undefined);
    assert.equal(heldOn(world.mirror), 1);
    assert.equal(world.mirror.tasks.tasks.get("next")?.status, "queued");
    await world.submit(complete("t", 1));
    assert.equal((await archivedTask(world)).status, "cancelled", "an answer comes too late");
    await world.advance(30);
    assert.equal(world.mirror.tasks.tasks.get("next")?.status, "assigned");
  });

  it("is free at once when a queued or retrying task is cancelled", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", { retry }), fail("t", 1), cancelTask("t"), createTask("next"));
    assert.equal(world.mirror.tasks.tasks.get("next")?.status, "assigned");
    assert.equal(world.engine.nextDue(), START + 60_000, "and nothing is planned for it");
  });
});

describe("interruptions", () => {
  it("don't count as failures, but so many of them end the task", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(registerAgent("a"), createTask("t", { retry: { ...retry, maxAttempts: 100 } }));
    for (let at = 1; at <= MAX_INTERRUPTIONS; at++)
      await world.submit(join(`l${String(at)}`, "a"), leave(`l${String(at)}`, "page-gone"));
    assert.deepEqual([taskOf(world)?.interruptions, taskOf(world)?.failures], [MAX_INTERRUPTIONS, 0]);
    await world.submit(join("last", "a"), leave("last", "page-gone"));
    const task = await archivedTask(world);
    assert.deepEqual([task.status, task.error?.code, task.failures], ["failed", "task/interrupted", 1]);
  });

  it("by restarts count too, so that a task which kills its host can't do so for ever", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(registerAgent("a"), createTask("t"));
    let host: Host = world;
    for (let at = 0; at <= MAX_INTERRUPTIONS; at++) {
      assert.ok(host.engine.state.tasks.tasks.has("t"));
      await host.submit(join("a-1", "a"));
      host.kill();
      host = await openHost({ ...world, behaviour: never });
      await host.settle();
    }
    assert.equal((await archivedTask(world)).error?.code, "task/interrupted");
  });

  it("of a worker that crashed count as failures, with the reason that the page gave", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a", { slots: 2 }), createTask("t", { retry }), createTask("u", { retry }));
    const error = { name: "Error", message: "out of memory", code: "agent/crashed" };
    await world.submit({ type: "link.leave", data: { link: "a-1", cause: "crashed", error } });
    assert.deepEqual([taskOf(world)?.status, taskOf(world)?.failures, taskOf(world)?.error], ["retrying", 1, error]);
    assert.equal(world.mirror.tasks.tasks.get("u")?.failures, 1);
  });
});

describe("time", () => {
  it("that the host was asleep is given back to running attempts", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", { timeout: 1_000 }), createTask("queued"));
    world.time.set(START + 900_000);
    await world.submit({ type: "task.extend", data: { by: 900_000 } });
    world.engine.wake();
    await world.settle();
    assert.equal(taskOf(world)?.status, "assigned");
    assert.equal(taskOf(world)?.dueAt, START + 901_000);
    await world.advance(1_000);
    assert.equal(taskOf(world)?.error?.code, "task/timeout");
  });

  it("that was set back doesn't reorder facts, nor fire anything early", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", { timeout: 1_000 }));
    world.time.set(START - 3_600_000);
    await world.submit(createTask("u"));
    world.engine.wake();
    await world.settle();
    const moments = eventsOf(world.disk).map(({ at }) => at);
    assert.deepEqual(
      moments,
      [...moments].sort((a, b) => a - b),
    );
    assert.equal(taskOf(world)?.status, "assigned");
  });

  it("that was set back holds up nothing that is planned after", async () => {
    const world = await openWorld(1, { behaviour: fails(10) });
    world.time.set(START - 3_600_000);
    await world.submit(...serve("a"), createTask("t", { retry }));
    assert.equal(world.engine.nextDue(), START - 3_600_000 + 60_000, "the timeout of the attempt");
    await world.advance(10);
    assert.equal(world.engine.nextDue(), START - 3_600_000 + 10 + 100, "the wait before the next one");
  });

  it("that was set back over a restart doesn't reorder facts either", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(createTask("t"));
    world.kill();
    world.time.set(START - 3_600_000);
    await (await openHost(world)).submit(createTask("u"));
    assert.ok(eventsOf(world.disk).every(({ at }) => at === START));
  });

  it("that goes back at the very moment when something is due doesn't lose it", async () => {
    const time = createTime();
    let reads = 0;
    const trembling = { ...time, now: () => time.now() - (reads++ % 2) };
    const world = await openWorld(1, { time: trembling, behaviour: never });
    await world.submit(...serve("a"), createTask("t", { timeout: 1_000, retry }));
    time.set(START + 1_000);
    for (let at = 0; at < 5; at++) world.engine.wake();
    await world.settle();
    assert.equal(taskOf(world)?.status, "retrying");
  });
});

describe("the queue", () => {
  const seed = seedOf(5);
  it(`starts by priority, and within one by creation (seed ${String(seed)})`, async () => {
    const chance = createChance(seed);
    const world = await openWorld(seed, { behaviour: completes(1) });
    const tasks = Array.from({ length: 200 }, (_none, at) => ({
      id: `t${String(at)}`,
      priority: chance.pick(PRIORITIES),
    }));
    await world.submit(...tasks.map(({ id, priority }) => createTask(id, { priority })));
    await world.submit(...serve("a"));
    await world.finish();
    const started = world.committed.flatMap(({ type, data }) => (type === "task.assigned" ? [data.id] : []));
    const expected = PRIORITIES.flatMap((one) => tasks.filter(({ priority }) => priority === one).map(({ id }) => id));
    assert.deepEqual(started, expected);
  });
});
