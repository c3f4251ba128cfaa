/** Limits through the engine: set, refused, held, durable, and woken by time alone. */
import assert from "node:assert/strict";
import { isActive } from "../../../src/core/tasks/task.ts";
import { describe, it } from "node:test";
import * as v from "valibot";
import { PageCommandSchema } from "../../../src/core/protocol.ts";
import type { CoreCommand } from "../../../src/core/runtime.ts";
import { createDisk } from "./disk.ts";
import { completes, createTime, given, never, openWorld, START } from "./kit.ts";
import { createChance, seedOf } from "./chance.ts";
import { cancelTask, createTask, registerWorkflow, serve, startExecution } from "./things.ts";

const seed = seedOf(5);

function setLimit(name: string, settings: object): CoreCommand {
  return { type: "limit.set", data: { name, ...settings } };
}

function removeLimit(name: string): CoreCommand {
  return { type: "limit.remove", data: { name } };
}

const api = [{ limit: "api" }];

describe("limits", () => {
  it("refuse a task that names one that isn't set, and a run whose nodes do", async () => {
    await given(...serve("a"))
      .when(createTask("t", { limits: api }))
      .gives("refused: limit/unknown");
    await given(...serve("a"), setLimit("*", { concurrency: 1 }))
      .when(createTask("t", { limits: [{ limit: "*" }] }))
      .gives("refused: command/invalid");
    const workflow = {
      id: "w",
      nodes: [{ id: "n", type: "task" as const, capabilities: ["work"], limits: api }],
      edges: [],
    };
    await given(...serve("a"), registerWorkflow(workflow))
      .when(startExecution("e", "w"))
      .gives("refused: limit/unknown");
    await given().when(removeLimit("api")).gives("refused: limit/unknown");
  });

  it("have a slot back only when the worker has given up, however the attempt ended", async () => {
    for (const end of ["time", "interrupt"] as const) {
      const world = await openWorld(seed, { behaviour: never });
      const statusOf = (id: string): string | undefined => world.mirror.tasks.tasks.get(id)?.status;
      const nodes = [{ id: "t", type: "task" as const, capabilities: ["work"], limits: api, timeout: 50, retry: { maxAttempts: 1 } }]; // prettier-ignore
      await world.submit(setLimit("api", { concurrency: 1 }), ...serve("a", { slots: 2 }));
      await world.submit(registerWorkflow({ id: "w", nodes }), startExecution("e", "w"));
      await world.submit(createTask("u", { limits: api }));
      assert.equal(statusOf("u"), "queued");
      if (end === "time") await world.advance(50);
      else await world.submit({ type: "execution.pause", data: { id: "e", interrupt: true } });
      assert.notEqual(statusOf("e/t"), "assigned", end);
      assert.equal(statusOf("u"), "queued", `${end}: the worker is still at it`);
      await world.submit({ type: "slot.release", data: { link: "a-1", task: "e/t", attempt: 1 } });
      assert.equal(statusOf("u"), "assigned", end);
    }
  });

  it("are checked where they enter", () => {
    const flawed = [
      { name: "x" },
      { name: "", concurrency: 1 },
      { name: "a\nb", concurrency: 1 },
      { name: "x", concurrency: -1 },
      { name: "x", concurrency: 1.5 },
      { name: "x", rate: { count: 0, per: 1 } },
      { name: "x", rate: { count: 1, per: 0 } },
      { name: "x", rate: { count: 1 } },
      { name: "*", concurrency: 1, perKey: true },
      { name: "x", concurrency: 1, more: true },
    ];
    for (const data of flawed)
      assert.ok(!v.safeParse(PageCommandSchema, { type: "limit.set", data }).success, JSON.stringify(data));
    assert.ok(v.safeParse(PageCommandSchema, { type: "limit.set", data: { name: "x", concurrency: 0 } }).success);
  });

  it("of every task and of some hold while a cancelled attempt still has its slot", async () => {
    const world = await openWorld(seed, { behaviour: never, grace: 50 });
    await world.submit(
      ...serve("a", { slots: 10 }),
      setLimit("*", { concurrency: 2 }),
      setLimit("api", { concurrency: 1 }),
    );
    await world.submit(
      createTask("t1", { limits: api }),
      createTask("t2", { limits: api }),
      createTask("t3"),
      createTask("t4"),
    );
    const running = (): string[] =>
      [...world.mirror.tasks.tasks.values()]
        .filter(isActive)
        .map(({ id }) => id)
        .sort();
    assert.deepEqual(running(), ["t1", "t3"]);
    await world.submit(cancelTask("t1"));
    assert.deepEqual(running(), ["t3"], "the worker may still be at it");
    await world.advance(49);
    assert.deepEqual(running(), ["t3"]);
    await world.advance(1);
    assert.deepEqual(running(), ["t2", "t3"]);
    await world.submit(setLimit("*", { concurrency: 3 }));
    assert.deepEqual(running(), ["t2", "t3", "t4"], "a change counts at once");
  });

  it("by rate are durable, and wake the engine when there is a token again; nothing is left when the bucket is full", async () => {
    const disk = createDisk();
    const time = createTime();
    const chance = createChance(seed);
    const starts: number[] = [];
    const options = {
      disk,
      time,
      chance,
      behaviour: completes(1),
      onCommitted: (events: readonly { readonly type: string; readonly at: number }[]) => {
        for (const { type, at } of events) if (type === "task.assigned") starts.push(at - START);
      },
    };
    let world = await openWorld(seed, options);
    await world.submit(...serve("a", { slots: 10 }), setLimit("api", { rate: { count: 2, per: 1_000 }, perKey: true }));
    await world.submit(
      ...["t1", "t2", "t3", "t4", "t5"].map((id) => createTask(id, { limits: [{ limit: "api", key: "k" }] })),
    );
    await world.advance(600);
    assert.deepEqual(starts, [0, 0, 500]);
    world.kill();
    world = await openWorld(seed, options); // the bucket is not full again
    await world.submit({ type: "link.join", data: { link: "a-2", agent: "a@1.0.0", session: "page" } });
    await world.finish();
    assert.deepEqual(starts, [0, 0, 500, 1_000, 1_500]);
    assert.equal(world.engine.state.limits.uses.size, 0);
    assert.equal(world.engine.nextDue(), undefined);
  });

  it("let those go that waited when they are removed", async () => {
    const world = await openWorld(seed, { behaviour: never });
    await world.submit(
      ...serve("a", { slots: 10 }),
      setLimit("api", { concurrency: 0 }),
      createTask("t1", { limits: api }),
    );
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "queued");
    await world.submit(removeLimit("api"));
    assert.equal(world.mirror.tasks.tasks.get("t1")?.status, "assigned");
    await world.submit(setLimit("api", { concurrency: 1 }), createTask("t2", { limits: api }));
    assert.equal(world.mirror.tasks.tasks.get("t2")?.status, "queued", "what runs counts against the new one");
  });
});
