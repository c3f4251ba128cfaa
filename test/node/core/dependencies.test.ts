/** Tasks that come before others: what a waiting one learns of them, and what it costs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState } from "../../../src/core/runtime.ts";
import { endedIds, endOf, REMEMBERED, REMEMBERED_FOR } from "../../../src/core/tasks/ends.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import type { Disk } from "./disk.ts";
import { completes, fails, never, openHost, openWorld, type Behaviour, type Host } from "./kit.ts";
import { cancelTask, complete, createTask, fail, serve, type TaskOptions } from "./things.ts";

const once = { retry: { maxAttempts: 1 } } as const;
const after = (tasks: string[], more: Omit<NonNullable<TaskOptions["after"]>, "tasks"> = {}): TaskOptions => ({
  ...once,
  after: { tasks, ...more },
});
const statusOf = (host: Host, id: string): string | undefined => host.mirror.tasks.tasks.get(id)?.status;

function rowOf({ disk }: { readonly disk: Disk }, id: string): Task {
  return JSON.parse(disk.archived.findLast((row) => row.id === id)?.text ?? "null") as Task;
}

/** Tasks whose id begins with "bad" fail. */
const byName: Behaviour = (work) => (work.task.id.startsWith("bad") ? fails() : completes())(work);

describe("a task that comes after others", () => {
  it("waits until all of them have succeeded, and starts in the step in which the last one does", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(
      ...serve("a", { slots: 3 }),
      createTask("x"),
      createTask("y"),
      createTask("z", after(["x", "y"])),
    );
    assert.equal(statusOf(world, "z"), "pending");
    await world.submit(complete("x", 1));
    assert.equal(statusOf(world, "z"), "pending");
    const from = world.committed.length;
    await world.submit(complete("y", 1));
    const types = world.committed.slice(from).map(({ type }) => type);
    assert.deepEqual(types, ["task.completed", "task.queued", "task.assigned"]);
  });

  it("fails with the whole chain in its error, down to the task where it began", async () => {
    const world = await openWorld(1, { behaviour: byName });
    await world.submit(
      createTask("bad", once),
      createTask("b", after(["bad"])),
      createTask("c", after(["b"])),
      createTask("d", after(["c"], { otherwise: "skip" })),
      createTask("e", after(["d"])),
      createTask("f", after(["e"], { when: "done" })),
    );
    await world.submit(...serve("a"));
    await world.finish();
    const { status, error, attempt } = rowOf(world, "c");
    assert.deepEqual([status, attempt, error?.code], ["failed", 0, "task/dependency-failed"]);
    assert.deepEqual(error?.detail, { dependency: "b", outcome: "failed", chain: ["b", "bad"] });
    assert.deepEqual([rowOf(world, "d").status, rowOf(world, "d").error?.code], ["skipped", "task/skipped"]);
    assert.deepEqual(rowOf(world, "e").error?.detail?.["chain"], ["d", "c", "b", "bad"]);
    assert.equal(rowOf(world, "f").status, "completed");
    assert.equal(saveState(world.mirror), saveState(world.engine.state));
  });

  it("takes ended ones into account when it is made, failed ones too", async () => {
    const world = await openWorld(1, { behaviour: byName });
    await world.submit(...serve("a"), createTask("good", once), createTask("bad", once), createTask("gone"));
    await world.submit(cancelTask("gone"));
    await world.finish();
    await world.submit(createTask("t1", after(["good"])), createTask("t2", after(["good", "bad"], { when: "any" })));
    await world.submit(createTask("t3", after(["bad"])), createTask("t4", after(["gone"], { otherwise: "skip" })));
    await world.submit(createTask("t5", after(["gone", "bad"], { when: "done" })));
    await world.finish();
    const ends = ["t1", "t2", "t3", "t4", "t5"].map((id) => rowOf(world, id).status);
    assert.deepEqual(ends, ["completed", "completed", "failed", "skipped", "completed"]);
    assert.equal(rowOf(world, "t4").error?.detail?.["outcome"], "cancelled");
  });

  it("is given up as soon as its number can't be reached any more, not later", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a", { slots: 9 }), ...["x", "y", "z"].map((id) => createTask(id, once)));
    await world.submit(createTask("two", after(["x", "y", "z"], { when: 2 })));
    await world.submit(fail("x", 1));
    assert.equal(statusOf(world, "two"), "pending");
    await world.submit(fail("y", 1));
    assert.equal(rowOf(world, "two").error?.code, "task/dependency-failed");
    assert.equal(statusOf(world, "z"), "assigned");
  });

  it("is refused when one of them is not known, belongs to a run, or can't be so many; and leaves nothing behind", async () => {
    const world = await openWorld(1);
    await world.submit(createTask("x"));
    const before = saveState(world.engine.state);
    const codes = await world.submit(
      createTask("t", after(["x", "nobody"])),
      createTask("t", after(["t"])),
      createTask("t", after(["x", "x"], { when: 2 })),
    );
    assert.deepEqual(codes, ["task/dependency-unknown", "task/dependency-unknown", "command/invalid"]);
    assert.equal(saveState(world.engine.state), before);
    const [, error] = world.push(createTask("t", after(["x", "nobody"])))[0] ?? [];
    assert.deepEqual(error?.detail, { id: "t", dependency: "nobody" });
  });

  it("can be cancelled, and then waits for nobody", async () => {
    const world = await openWorld(1);
    await world.submit(createTask("x"), createTask("t", after(["x"])), createTask("u", after(["t"])));
    await world.submit(cancelTask("t"));
    assert.equal(rowOf(world, "t").status, "cancelled");
    assert.deepEqual(rowOf(world, "u").error?.detail, { dependency: "t", outcome: "cancelled", chain: ["t"] });
    const { gates, dependents } = world.engine.state.tasks;
    assert.deepEqual([gates.size, dependents.size], [0, 0]);
  });

  it("goes on waiting over restarts, with what it has learned", async () => {
    const world = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
    await world.submit(...serve("a", { slots: 3 }), ...["x", "y", "z"].map((id) => createTask(id, once)));
    await world.submit(createTask("t", after(["x", "y", "z"], { when: 2 })), complete("x", 1), fail("y", 1));
    world.kill();
    const next = await openHost({ ...world, behaviour: completes() });
    assert.equal(statusOf(next, "t"), "pending");
    await next.submit(...serve("a", { slots: 3 }));
    await next.finish();
    assert.equal(rowOf(world, "t").status, "completed");
  });

  it("knows over restarts how those before it have ended, and why, and since when", async () => {
    const world = await openWorld(1, { behaviour: byName, snapshotEvery: 1 });
    await world.submit(...serve("a"), createTask("good", once), createTask("bad", once));
    await world.submit(createTask("b", after(["bad"])));
    await world.finish();
    await world.advance(1);
    const tasksOf = ({ engine }: Host): unknown => (JSON.parse(saveState(engine.state)) as { tasks: unknown }).tasks;
    const before = tasksOf(world);
    world.kill();
    const next = await openHost({ ...world, behaviour: byName });
    assert.deepEqual(tasksOf(next), before);
    await next.submit(createTask("c", after(["b"])), createTask("d", after(["good"])), ...serve("a"));
    await next.finish();
    assert.deepEqual(rowOf(world, "c").error?.detail, { dependency: "b", outcome: "failed", chain: ["b", "bad"] });
    assert.equal(rowOf(world, "d").status, "completed");
    await next.advance(REMEMBERED_FOR + 1);
    await next.submit(createTask("young", once));
    await next.finish();
    await next.advance(REMEMBERED_FOR + 1);
    await next.submit(createTask("younger", once));
    await next.finish();
    assert.deepEqual(await next.submit(createTask("e", after(["b"]))), ["task/dependency-unknown"]);
  });

  it("costs the end of a task as much as it has dependents, whatever else waits", async () => {
    const world = await openWorld(1, { behaviour: never, plain: true });
    await world.submit(...serve("a", { slots: 2 }), createTask("slow"), createTask("x"));
    const crowd = Array.from({ length: 50_000 }, (_none, at) => createTask(`c${String(at)}`, after(["slow"])));
    await world.submit(...crowd, createTask("t", after(["x"])));
    const { gates } = world.engine.state.tasks;
    let changed = 0;
    const { set } = gates;
    Object.assign(gates, {
      set(key: string, gate: never) {
        changed++;
        set.call(gates, key, gate);
      },
    });
    const seen = world.engine.head;
    await world.submit(complete("x", 1));
    assert.equal(changed, 1);
    assert.equal(world.engine.head - seen, 3, "completed, queued, assigned");
  });

  it("remembers so many ends and no more, and none for longer than two days", async () => {
    const world = await openWorld(1, { plain: true });
    const { ends } = world.engine.state.tasks;
    const ids = Array.from({ length: 3 * REMEMBERED + 10 }, (_none, at) => `t${String(at)}`);
    for (const id of ids) {
      world.push(createTask(id), cancelTask(id));
      assert.ok(ends.old.size + ends.young.size <= 2 * REMEMBERED);
    }
    await world.settle();
    const latest = ids.slice(-REMEMBERED);
    assert.ok(latest.every((id) => endOf(ends, id)?.outcome === "cancelled"));
    world.time.set(world.time.now() + REMEMBERED_FOR);
    await world.submit(createTask("a day later"), cancelTask("a day later"));
    assert.ok(latest.every((id) => endOf(ends, id)));
    for (const later of ["two days", "three days"]) {
      world.time.set(world.time.now() + REMEMBERED_FOR + 1);
      await world.submit(createTask(later), cancelTask(later));
    }
    assert.deepEqual(endedIds(ends), ["two days", "three days"]);
  });
});
