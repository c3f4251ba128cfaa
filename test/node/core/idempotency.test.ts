/** The same thing asked for twice is one task. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState } from "../../../src/core/runtime.ts";
import { endOf } from "../../../src/core/tasks/ends.ts";
import { DEFAULT_WINDOW, MAX_KEYS } from "../../../src/core/tasks/keys.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import { createChance, seedOf } from "./chance.ts";
import { completes, fails, never, openHost, openWorld } from "./kit.ts";
import { cancelTask, createTask, serve } from "./things.ts";

const seed = seedOf(31);
const keyed = (key: string, window?: number): { idempotency: { key: string; window?: number } } => ({
  idempotency: { key, ...(window !== undefined && { window }) },
});

describe(`idempotency (seed ${String(seed)})`, () => {
  it("makes no second task with the key, and says which is the first", async () => {
    const world = await openWorld(1, { behaviour: completes() });
    await world.submit(...serve("a"), createTask("one", keyed("k")));
    await world.finish();
    assert.deepEqual(await world.submit(createTask("two", keyed("k"))), []);
    const last = world.committed.at(-1);
    assert.deepEqual([last?.type, last?.data], ["task.aliased", { id: "two", of: "one" }]);
    const row = JSON.parse(world.disk.archived.at(-1)?.text ?? "") as Task;
    assert.deepEqual([row.id, row.status, row.alias], ["two", "skipped", "one"]);
    assert.equal(saveState(world.mirror), saveState(world.engine.state));
  });

  it("holds over a restart, until the window is over, to the millisecond", async () => {
    const world = await openWorld(1, { behaviour: never, snapshotEvery: 1 });
    await world.submit(createTask("one", keyed("k")), createTask("short", keyed("s", 1_000)));
    world.kill();
    const next = await openHost(world);
    world.time.set(world.time.now() + 999);
    await next.submit(createTask("two", keyed("s", 1_000)));
    assert.ok(!next.engine.state.tasks.tasks.has("two"));
    world.time.set(world.time.now() + 1);
    await next.submit(createTask("three", keyed("s", 1_000)));
    assert.ok(next.engine.state.tasks.tasks.has("three"));
    world.time.set(world.time.now() - 1_000 + DEFAULT_WINDOW);
    await next.submit(createTask("four", keyed("k")));
    assert.ok(next.engine.state.tasks.tasks.has("four"));
    assert.equal(next.engine.state.tasks.keys.uses.size, 1, "what is over is dropped");
  });

  it("counts for failed and cancelled first ones too, and lets others come after the repeated one", async () => {
    const world = await openWorld(1, { behaviour: fails() });
    await world.submit(...serve("a"), createTask("one", { ...keyed("k"), retry: { maxAttempts: 1 } }));
    await world.submit(createTask("two", keyed("k")), createTask("then", { after: { tasks: ["two"] } }));
    assert.deepEqual(world.engine.state.tasks.tasks.get("then")?.after?.tasks, ["one"]);
    await world.finish();
    const row = JSON.parse(world.disk.archived.at(-1)?.text ?? "") as Task;
    assert.deepEqual([row.id, row.error?.detail?.["chain"]], ["then", ["one"]]);
    await world.submit(createTask("gone", keyed("g")), cancelTask("gone"), createTask("again", keyed("g")));
    assert.ok(!world.engine.state.tasks.tasks.has("again"));
  });

  it("keeps a bounded number of keys", async () => {
    const world = await openWorld(1, { plain: true });
    const many = Array.from({ length: MAX_KEYS }, (_none, at) => createTask(`t${String(at)}`, keyed(String(at), 10)));
    await world.submit(...many);
    assert.deepEqual(await world.submit(createTask("over", keyed("over"))), ["runtime/limit"]);
    assert.deepEqual(await world.submit(createTask("known", keyed("7"))), []);
    world.time.set(world.time.now() + 10);
    assert.deepEqual(await world.submit(createTask("over", keyed("over"))), []);
  });

  it("is what a plain list of uses says, whatever is drawn", async () => {
    const chance = createChance(seed);
    const world = await openWorld(seed, { plain: true, behaviour: never });
    const uses: { key: string; id: string; until: number }[] = [];
    for (let step = 0; step < 3_000; step++) {
      world.time.set(world.time.now() + chance.below(40));
      const now = world.time.now();
      const key = `k${String(chance.below(12))}`;
      const window = 1 + chance.below(600);
      const id = `t${String(step)}`;
      const first = uses.find((use) => use.key === key && use.until > now);
      world.push(createTask(id, keyed(key, window)));
      const end = endOf(world.engine.state.tasks.ends, id);
      assert.equal(end?.cause, first?.id);
      assert.equal(world.engine.state.tasks.tasks.has(id), !first);
      if (!first) uses.push({ key, id, until: now + window });
    }
    await world.settle();
  });
});
