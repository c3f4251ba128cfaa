/** A task's life: what may follow what, and when. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import { createChance } from "./chance.ts";
import { completes, fails, given, inTurn, never, openHost, openWorld, START, twice } from "./kit.ts";
import { archivedTask, heldOn, taskOf } from "./looks.ts";
import { cancelTask, complete, createTask, fail, join, leave, serve } from "./things.ts";

const retry = { maxAttempts: 3, base: 100, factor: 2, cap: 1_000, jitter: "none" } as const;
const interrupt = (attempt: number): CoreCommand => ({
  type: "task.interrupt",
  data: { id: "t", attempt, reason: "drawn" },
});
const wake: CoreCommand = { type: "task.wake", data: { id: "t" } };
const start: CoreCommand = { type: "task.start", data: { id: "t", attempt: 1 } };
const assign: CoreCommand = { type: "task.assign", data: { id: "t", link: "a-1", agent: "a" } };
const checkpoint = (attempt: number, value = "7"): CoreCommand => ({
  type: "task.checkpoint",
  data: { id: "t", attempt, value },
});
const effect = (attempt: number, key: string, value = "true"): CoreCommand => ({
  type: "task.effect",
  data: { id: "t", attempt, key, value },
});
const release = (attempt: number, link = "a-1"): CoreCommand => ({
  type: "slot.release",
  data: { link, task: "t", attempt },
});

describe("what may follow what in a task's life", () => {
  const states: Readonly<Record<string, readonly CoreCommand[]>> = {
    unknown: [],
    queued: [createTask("t", { retry })],
    assigned: [...serve("a"), createTask("t", { retry })],
    running: [...serve("a"), createTask("t", { retry }), start],
    retrying: [...serve("a"), createTask("t", { retry }), fail("t", 1)],
    completed: [...serve("a"), createTask("t", { retry }), complete("t", 1)],
    failed: [...serve("a"), createTask("t", { retry: { ...retry, maxAttempts: 1 } }), fail("t", 1)],
    cancelled: [createTask("t", { retry }), cancelTask("t")],
  };
  const nothing = {
    assign: [],
    complete: [],
    fail: [],
    interrupt: [],
    wake: [],
    cancel: [],
    checkpoint: [],
    effect: [],
    extend: [],
    start: [],
    idle: [],
    settle: [],
    reprioritize: [],
  };
  const table: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
    unknown: { ...nothing, create: ["task.created"], reprioritize: ["refused: task/unknown"] },
    queued: {
      ...nothing,
      create: ["refused: task/duplicate"],
      assign: ["task.assigned"],
      cancel: ["task.cancelled"],
      reprioritize: ["task.reprioritized"],
    },
    assigned: {
      ...nothing,
      create: ["refused: task/duplicate"],
      assign: [],
      complete: ["task.completed"],
      fail: ["task.failed"],
      interrupt: ["task.interrupted", "task.assigned"],
      wake: [],
      cancel: ["task.cancelled"],
      checkpoint: ["task.checkpointed"],
      effect: ["task.effected"],
      extend: ["task.extended"],
      start: ["task.started"],
      reprioritize: ["task.reprioritized"],
    },
    running: {
      ...nothing,
      create: ["refused: task/duplicate"],
      complete: ["task.completed"],
      fail: ["task.failed"],
      interrupt: ["task.interrupted", "task.assigned"],
      cancel: ["task.cancelled"],
      checkpoint: ["task.checkpointed"],
      effect: ["task.effected"],
      extend: ["task.extended"],
      reprioritize: ["task.reprioritized"],
    },
    retrying: {
      ...nothing,
      create: ["refused: task/duplicate"],
      cancel: ["task.cancelled"],
      reprioritize: ["task.reprioritized"],
    },
    completed: nothing,
    failed: nothing,
    cancelled: nothing,
  };
  const commands: Readonly<Record<string, CoreCommand>> = {
    create: createTask("t"),
    assign,
    complete: complete("t", 1),
    fail: fail("t", 1),
    interrupt: interrupt(1),
    wake,
    cancel: cancelTask("t"),
    checkpoint: checkpoint(1),
    effect: effect(1, "key"),
    extend: { type: "task.extend", data: { by: 10 } },
    start,
    idle: { type: "task.idle", data: { id: "t", attempt: 1 } },
    settle: { type: "task.settle", data: { id: "t" } },
    reprioritize: { type: "task.reprioritize", data: { id: "t", priority: "high" } },
  };
  for (const [state, before] of Object.entries(states))
    for (const [name, expected] of Object.entries(table[state] ?? {}))
      it(`${state}, ${name}: ${expected.join(", ") || "nothing"}`, async () => {
        const command = commands[name];
        assert.ok(command);
        await given(...before)
          .when(command)
          .gives(...expected);
      });

  it("shows each status, and none after the end", async () => {
    for (const [state, before] of Object.entries(states)) {
      const world = await openWorld(1, { behaviour: never });
      await world.submit(...before);
      const live = ["queued", "assigned", "running", "retrying"].includes(state);
      assert.equal(taskOf(world)?.status, live ? state : undefined);
      if (!live && state !== "unknown") assert.equal((await archivedTask(world)).status, state);
    }
  });
});

describe("retries", () => {
  it("come after exactly base · factor^n milliseconds, at most the cap", async () => {
    const long = { maxAttempts: 7, base: 100, factor: 3, cap: 2_500, jitter: "none" } as const;
    const world = await openWorld(1, { behaviour: fails(10) });
    await world.submit(...serve("a"), createTask("t", { retry: long }));
    await world.finish();
    const starts = world.committed.flatMap(({ type, at }) => (type === "task.assigned" ? [at - START] : []));
    const waits = starts.map((at, place) => at - (starts[place - 1] ?? 0) - 10);
    assert.deepEqual(waits.slice(1), [100, 300, 900, 2_500, 2_500, 2_500]);
    const task = await archivedTask(world);
    assert.deepEqual([task.status, task.attempt, task.failures, task.error?.code], ["failed", 7, 7, "boom"]);
  });

  it("wait a drawn part of it with full jitter, from the engine's chance", async () => {
    const chance = { ...createChance(1), next: () => 0.25 };
    const world = await openWorld(1, { chance, behaviour: fails(0) });
    await world.submit(...serve("a"), createTask("t", { retry: { ...retry, jitter: "full" } }));
    await world.settle();
    assert.equal(taskOf(world)?.dueAt, START + 25);
    await world.advance(24);
    assert.equal(taskOf(world)?.status, "retrying");
    await world.advance(1);
    assert.equal(taskOf(world)?.dueAt, START + 25 + 50);
  });

  it("go on across a restart, at the moment that was planned", async () => {
    const world = await openWorld(1, { behaviour: fails(0) });
    await world.submit(...serve("a"), createTask("t", { retry }));
    await world.settle();
    world.kill();
    const next = await openHost({ ...world, behaviour: completes(0) });
    await next.submit(join("a-2", "a"));
    assert.equal(next.engine.nextDue(), START + 100);
    await next.advance(99);
    assert.equal(next.engine.state.tasks.tasks.get("t")?.attempt, 1);
    await next.advance(1);
    assert.equal((await archivedTask(world)).status, "completed");
    assert.equal((await archivedTask(world)).attempt, 2);
  });

  it("stop at once when the error says that another attempt can't help", async () => {
    const world = await openWorld(1, { behaviour: fails(0, "no-use", false) });
    await world.submit(...serve("a"), createTask("t", { retry }));
    await world.finish();
    assert.equal((await archivedTask(world)).failures, 1);
  });

  it("keep the place in the queue, the checkpoint and the recorded effects", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", { retry }), createTask("later"));
    await world.submit(checkpoint(1), effect(1, "mail"), effect(1, "mail", '"again"'), fail("t", 1));
    await world.advance(100);
    await world.submit(complete("later", 1));
    const task = taskOf(world);
    assert.deepEqual([task?.status, task?.attempt, task?.order], ["assigned", 2, 1]);
    assert.deepEqual([task?.checkpoint, task?.effects], ["7", { mail: "true" }]);
  });

  it("keep an effect whatever its key is", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", { retry }), effect(1, "__proto__"), effect(1, "constructor"));
    await world.submit(effect(1, "__proto__", "false"), fail("t", 1));
    world.kill();
    const next = await openHost({ ...world, behaviour: never });
    assert.deepEqual(Object.entries(next.engine.state.tasks.tasks.get("t")?.effects ?? {}), [
      ["__proto__", "true"],
      ["constructor", "true"],
    ]);
    assert.equal(({} as { readonly polluted?: unknown }).polluted, undefined);
  });
});

describe("attempts are fenced", () => {
  it("by their number: whatever is said about another attempt changes nothing", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", { retry }), interrupt(1), createTask("u"));
    const before = saveState(world.engine.state);
    for (const attempt of [1, 0, -1, 3, 1.5, NaN, Infinity])
      for (const id of ["t", "u", "nobody", "__proto__"]) {
        const error = { name: "Error", message: "late", code: "late" };
        await world.submit(
          { type: "task.complete", data: { id, attempt, output: "1" } },
          { type: "task.fail", data: { id, attempt, error } },
          { type: "task.interrupt", data: { id, attempt, reason: "late" } },
          { type: "task.checkpoint", data: { id, attempt, value: "1" } },
          { type: "task.effect", data: { id, attempt, key: "k", value: "1" } },
          { type: "slot.release", data: { link: "a-1", task: id, attempt } },
        );
      }
    assert.equal(saveState(world.engine.state), before);
    assert.equal(world.committed.at(-1)?.type, "task.created", "nothing was written either");
  });

  it("count an answer that comes twice once", async () => {
    const world = await openWorld(1, { behaviour: twice(completes(5)) });
    await world.submit(...serve("a"), createTask("t"), createTask("u"));
    await world.finish();
    assert.equal(world.engine.state.tasks.counts.completed, 2);
    assert.equal(world.committed.filter(({ type }) => type === "task.completed").length, 2);
  });

  it("take the answer of the attempt that runs now, though the one before was lost with its page", async () => {
    const world = await openWorld(1, { behaviour: inTurn(completes(50, '"old"'), completes(70, '"new"')) });
    await world.submit(...serve("a"), createTask("t"));
    await world.advance(10);
    await world.submit(leave("a-1", "page-gone"), join("a-2", "a"));
    await world.finish();
    const task = await archivedTask(world);
    assert.deepEqual([task.output, task.attempt, task.failures, task.interruptions], ['"new"', 2, 0, 1]);
  });

  it("don't give back a slot that the running attempt needs, nor one of another worker", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), join("a-2", "a"), createTask("t"));
    await world.submit(release(1), release(1, "a-2"), release(2), release(0));
    assert.equal(heldOn(world.engine.state), 1);
    await world.submit(cancelTask("t"), release(1, "a-2"));
    assert.equal(heldOn(world.engine.state), 1, "only the worker that holds it can give it back");
    await world.submit(release(1));
    assert.equal(heldOn(world.engine.state), 0);
  });
});
