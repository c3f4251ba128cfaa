/** A task's times: each ends what it should, with its own code, to the millisecond, and over restarts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import type { Disk } from "./disk.ts";
import { completes, fails, inTurn, never, openHost, openWorld, START, type Host } from "./kit.ts";
import {
  cancelTask,
  complete,
  createTask,
  fail,
  registerWorkflow,
  serve,
  startExecution,
  type TaskOptions,
} from "./things.ts";

const retry = { maxAttempts: 3, base: 100, factor: 2, cap: 1_000, jitter: "none" } as const;
const task = (host: Host, id = "t"): Task | undefined => host.mirror.tasks.tasks.get(id);
const idle = (attempt: number): CoreCommand => ({ type: "task.idle", data: { id: "t", attempt } });

function rowOf({ disk }: { readonly disk: Disk }, id = "t"): Task {
  return JSON.parse(disk.archived.findLast((row) => row.id === id)?.text ?? "null") as Task;
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** When the task ended, after it was made, how, and with which code. */
function endOf(world: World): [number, string, string | undefined] {
  const { finishedAt = 0, createdAt, status, error } = rowOf(world);
  return [finishedAt - createdAt, status, error?.code];
}

describe("startAt", () => {
  it("holds a task back until that moment, over a restart", async () => {
    const world = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
    await world.submit(createTask("t", { startAt: START + 5_000 }));
    assert.deepEqual([task(world)?.status, task(world)?.dueAt], ["waiting", START + 5_000]);
    world.kill();
    const next = await openHost(world);
    await next.submit(...serve("a"));
    await next.advance(4_999);
    assert.equal(task(next)?.status, "waiting");
    await next.advance(1);
    assert.equal(task(next)?.status, "assigned");
  });

  it("is minded after the tasks that come before", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(
      ...serve("a"),
      createTask("x"),
      createTask("t", { after: { tasks: ["x"] }, startAt: START + 99 }),
    );
    await world.submit(complete("x", 1));
    assert.equal(task(world)?.status, "waiting");
    await world.advance(99);
    assert.equal(task(world)?.status, "assigned");
  });

  it("in the past means at once", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(createTask("t", { startAt: START }));
    assert.equal(task(world)?.status, "queued");
  });
});

describe("the time in the queue", () => {
  const options: TaskOptions = { retry, timeouts: { queue: 700 } };

  it("ends a task that no worker took", async () => {
    const world = await openWorld(1);
    await world.submit(createTask("t", options));
    await world.finish();
    assert.deepEqual(endOf(world), [700, "timed-out", "task/queue-timeout"]);
    assert.deepEqual(rowOf(world).error?.detail, { queue: 700 });
    assert.equal(world.engine.scheduler.next(world.time.now()), undefined);
    await world.submit(...serve("a"));
    assert.equal(world.committed.at(-1)?.type, "link.joined", "it is in no queue any more");
  });

  it("is over when a worker has it, and begins anew with each time it is queued", async () => {
    const world = await openWorld(1, { behaviour: fails(600) });
    await world.submit(...serve("a"), createTask("t", options));
    await world.advance(699);
    await world.submit({ type: "link.leave", data: { link: "a-1", cause: "page-gone" } });
    assert.equal(task(world)?.status, "retrying");
    await world.finish();
    assert.deepEqual(endOf(world), [600 + 100 + 700, "timed-out", "task/queue-timeout"]);
    assert.equal(rowOf(world).failures, 1, "the time in the queue is no attempt's failure");
  });

  it("is given back when the machine slept", async () => {
    const world = await openWorld(1);
    await world.submit(createTask("t", options), { type: "task.extend", data: { by: 10_000 } });
    await world.finish();
    assert.deepEqual(endOf(world), [10_700, "timed-out", "task/queue-timeout"]);
  });
});

describe("the time of an attempt", () => {
  it("is retried, and the last one times the task out", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", { retry, timeout: 50 }));
    await world.finish();
    assert.deepEqual(endOf(world), [50 + 100 + 50 + 200 + 50, "timed-out", "task/timeout"]);
    const codes = rowOf(world).attempts?.map(({ attempt, agent, code }) => [attempt, agent, code]);
    assert.deepEqual(
      codes,
      [1, 2, 3].map((attempt) => [attempt, "a@1.0.0", "task/timeout"]),
    );
  });

  it("doesn't make a task timed out that fails otherwise in the end, nor one whose agent claims so", async () => {
    const world = await openWorld(1, { behaviour: inTurn(never, fails(1, "task/timeout", false)) });
    await world.submit(...serve("a"), createTask("t", { retry, timeout: 50 }));
    await world.finish();
    assert.deepEqual(endOf(world).slice(1), ["failed", "task/timeout"]);
  });
});

describe("the idle time", () => {
  const options: TaskOptions = { retry, timeouts: { idle: 300 } };

  it("fails the attempt and holds its slot until the worker has given up", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t", options), idle(1));
    const failed = world.committed.findLast(({ type }) => type === "task.failed");
    const { held, timedOut, retryAt, error } = failed?.data as Record<string, unknown> & { error: { code: string } };
    assert.deepEqual([held, timedOut, typeof retryAt, error.code], [true, true, "number", "task/idle-timeout"]);
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 1);
    await world.advance(5);
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 0);
  });

  it("is believed only of the present attempt, of a task that has an idle time", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a", { slots: 2 }), createTask("t", options), fail("t", 1));
    await world.advance(100);
    const from = world.committed.length;
    await world.submit(idle(1), idle(3));
    await world.submit(createTask("u"), { type: "task.idle", data: { id: "u", attempt: 1 } });
    assert.deepEqual(
      world.committed.slice(from).map(({ type }) => type),
      ["task.created", "task.assigned"],
    );
  });
});

describe("the time in all", () => {
  const options: TaskOptions = { retry, timeouts: { total: 1_000 } };
  const cases: Readonly<Record<string, readonly CoreCommand[]>> = {
    pending: [createTask("x"), createTask("t", { ...options, after: { tasks: ["x"] } })],
    waiting: [createTask("t", { ...options, startAt: START + 9_000 })],
    queued: [createTask("t", options)],
    assigned: [...serve("a"), createTask("t", options)],
    running: [...serve("a"), createTask("t", options), { type: "task.start", data: { id: "t", attempt: 1 } }],
    retrying: [
      ...serve("a"),
      createTask("t", { ...options, retry: { ...retry, base: 9_000, cap: 9_000 } }),
      fail("t", 1),
    ],
  };
  for (const [status, commands] of Object.entries(cases))
    it(`ends a task that is ${status}, for good, over a restart; and it can be cancelled before`, async () => {
      const world = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
      await world.submit(...commands);
      assert.equal(task(world)?.status, status);
      await world.advance(400);
      world.kill();
      const next = await openHost({ ...world, behaviour: never });
      await next.finish();
      assert.deepEqual(endOf(world), [1_000, "timed-out", "task/total-timeout"]);
      assert.equal(saveState(next.mirror), saveState(next.engine.state));
      const other = await openWorld(1, { behaviour: never });
      await other.submit(...commands, cancelTask("t"));
      assert.equal(rowOf(other).status, "cancelled");
      await other.finish();
      assert.ok(other.disk.archived.filter(({ id }) => id === "t").length === 1);
    });

  it("stops an attempt that runs, and keeps its slot until it has given up", async () => {
    const world = await openWorld(1, { behaviour: never, grace: 50 });
    await world.submit(...serve("a"), createTask("t", options));
    await world.advance(1_049);
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 1);
    await world.advance(1);
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 0);
  });
});

describe("a task that ends while its hung worker still holds the slot of an attempt before", () => {
  it("doesn't give the slot back in the worker's place", async () => {
    const world = await openWorld(1, { behaviour: never, grace: 500 });
    const slow = { ...retry, base: 9_000, cap: 9_000 };
    await world.submit(...serve("a"), createTask("t", { retry: slow, timeout: 50, timeouts: { total: 100 } }));
    await world.advance(100);
    assert.equal(rowOf(world).error?.code, "task/total-timeout");
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 1);
    await world.advance(450);
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 0);
  });
});

describe("the times of a run's tasks", () => {
  it("fail their node, and with it the run; a map that collects goes on", async () => {
    const world = await openWorld(1, { behaviour: never });
    const work = { capabilities: ["nobody"], timeouts: { queue: 100 } };
    const one = { id: "one", type: "task", ...work } as const;
    const each = { id: "each", type: "map", items: "input", onError: "collect", task: work } as const;
    await world.submit(registerWorkflow({ id: "single", nodes: [one] }), startExecution("r", "single"));
    await world.submit(registerWorkflow({ id: "many", nodes: [each] }), startExecution("m", "many", [1, 2]));
    await world.finish();
    assert.deepEqual([rowOf(world, "r").status, rowOf(world, "r").error?.code], ["failed", "task/queue-timeout"]);
    assert.equal(rowOf(world, "r/one").status, "timed-out");
    const items = JSON.parse(rowOf(world, "m").output ?? "null") as { error: { code: string } }[];
    assert.deepEqual(
      items.map(({ error }) => error.code),
      ["task/queue-timeout", "task/queue-timeout"],
    );
  });
});

describe("a deadline", () => {
  const due = (onDeadline?: "continue" | "fail" | "escalate"): TaskOptions => ({
    deadline: START + 500,
    ...(onDeadline && { onDeadline }),
  });

  it("marks a task late and lets it go on, once, over a restart", async () => {
    const world = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
    await world.submit(createTask("t", due()));
    await world.advance(500);
    assert.deepEqual([task(world)?.late, task(world)?.status], [true, "queued"]);
    world.kill();
    const next = await openHost({ ...world, behaviour: completes() });
    assert.equal(next.engine.nextDue(), undefined);
    await next.submit(...serve("a"));
    await next.finish();
    assert.deepEqual([rowOf(world).late, rowOf(world).status], [true, "completed"]);
  });

  it("ends a task that is to fail then, whatever it does", async () => {
    for (const before of [[], serve("a")]) {
      const world = await openWorld(1, { behaviour: never });
      await world.submit(...before, createTask("t", due("fail")));
      await world.finish();
      assert.deepEqual(endOf(world), [500, "failed", "task/deadline"]);
    }
  });

  it("that fails a task comes before the time in all, when both are over in the same millisecond", async () => {
    const world = await openWorld(1);
    await world.submit(createTask("t", { ...due("fail"), timeouts: { total: 500 } }));
    await world.finish();
    assert.deepEqual(endOf(world), [500, "failed", "task/deadline"]);
  });

  it("brings a task before others that is to be escalated", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(
      createTask("first", { priority: "high" }),
      createTask("t", { ...due("escalate"), priority: "low" }),
    );
    await world.advance(500);
    assert.deepEqual([task(world)?.priority, task(world)?.late], ["critical", true]);
    await world.submit(...serve("a"));
    assert.deepEqual([task(world)?.status, task(world, "first")?.status], ["assigned", "queued"]);
  });

  it("that is met means nothing", async () => {
    const world = await openWorld(1, { behaviour: completes(10) });
    await world.submit(...serve("a"), createTask("t", due("fail")));
    await world.finish();
    assert.equal(rowOf(world).status, "completed");
    assert.equal(world.engine.nextDue(), undefined);
  });
});

describe("several times at once", () => {
  it("are decided in one waking, the final one alone", async () => {
    const world = await openWorld(1, { behaviour: never });
    const all = { startAt: START + 500, deadline: START + 500 };
    await world.submit(createTask("t", all), createTask("u", { ...all, timeouts: { total: 500 } }));
    const from = world.committed.length;
    await world.advance(500);
    assert.deepEqual(
      world.committed.slice(from).map(({ type, data }) => [type, (data as { id: string }).id]),
      [
        ["task.late", "t"],
        ["task.queued", "t"],
        ["task.failed", "u"],
      ],
    );
  });
});

describe("retries", () => {
  it("come at the moment that was planned, though the host was another one in between, or was late", async () => {
    for (const restartAfter of [10, 99, 5_000]) {
      const world = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
      await world.submit(...serve("a"), createTask("t", { retry }), fail("t", 1));
      const retryAt = task(world)?.dueAt ?? 0;
      assert.equal(retryAt, world.time.now() + 100);
      world.kill();
      world.time.set(world.time.now() + restartAfter);
      const next = await openHost({ ...world, behaviour: never });
      await next.submit(...serve("a"));
      await next.advance(Math.max(0, retryAt - 1 - world.time.now()));
      if (restartAfter < 100) assert.equal(task(next)?.status, "retrying");
      await next.advance(1);
      assert.deepEqual([task(next)?.status, task(next)?.attempt], ["assigned", 2]);
    }
  });

  it("don't follow errors with one of the excepted codes", async () => {
    for (const [code, attempts] of [
      ["fatal", 1],
      ["boom", 3],
    ] as const) {
      const world = await openWorld(1, { behaviour: fails(1, code) });
      await world.submit(...serve("a"), createTask("t", { retry: { ...retry, except: ["other", "fatal"] } }));
      await world.finish();
      assert.equal(rowOf(world).attempt, attempts);
    }
  });

  it("keep the last twenty attempts that didn't end well, and who made them", async () => {
    const world = await openWorld(1, { behaviour: fails(7) });
    await world.submit(...serve("a"), createTask("t", { retry: { ...retry, maxAttempts: 25, base: 1, cap: 1 } }));
    await world.finish();
    const { attempts = [] } = rowOf(world);
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      Array.from({ length: 20 }, (_none, at) => at + 6),
    );
    assert.ok(
      attempts.every(
        ({ agent, code, startedAt = 0, endedAt }) =>
          agent === "a@1.0.0" && code === "boom" && endedAt - startedAt === 7,
      ),
    );
  });
});

describe("another priority", () => {
  it("changes who is first, at once, and of what has ended nothing", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(createTask("x"), createTask("t"), createTask("gone"), cancelTask("gone"));
    const raise = (id: string): CoreCommand => ({ type: "task.reprioritize", data: { id, priority: "critical" } });
    assert.deepEqual(await world.submit(raise("t"), raise("t"), raise("gone")), []);
    assert.deepEqual(await world.submit(raise("nobody")), ["task/unknown"]);
    assert.equal(world.committed.filter(({ type }) => type === "task.reprioritized").length, 1);
    await world.submit(...serve("a"));
    assert.deepEqual([task(world)?.status, task(world, "x")?.status], ["assigned", "queued"]);
  });
});
