/** Runs whose maps and loops have begun go on with another version of their workflow, killed or not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../../../src/core/json.ts";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { createLookups } from "../../../src/core/workflows/lookups.ts";
import { previewMigration } from "../../../src/core/workflows/migration.ts";
import { eventsOf } from "./disk.ts";
import { never, openHost, openWorld, type Host } from "./kit.ts";
import { rowOf, task } from "./runs.ts";
import { complete, fail, registerWorkflow, serve, startExecution } from "./things.ts";

type Fields = Extract<WorkflowInput["nodes"][number], { type: "map" }>;

/** Six items, two at once, and what the body makes of them. */
const mapping = (body: string, more: Partial<Fields> = {}): WorkflowInput => ({
  id: "w",
  nodes: [
    { id: "list", type: "task", capabilities: ["work"] },
    {
      id: "m",
      type: "map",
      items: "nodes.list.output",
      concurrency: 2,
      body: { nodes: [task("x", body)], output: "nodes.x.output" },
      ...more,
    },
  ],
  edges: [{ from: "list", to: "m" }],
  output: "nodes.m.output",
});

const looping = (body: string, until: string): WorkflowInput => ({
  id: "w",
  nodes: [{ id: "l", type: "loop", until, body: { nodes: [task("x", body)], output: "nodes.x.output" } }],
  output: "nodes.l.output",
});

const migrate = (to: WorkflowInput): CoreCommand => ({
  type: "execution.migrate",
  data: { id: "e", version: digestOf(JSON.stringify(to)) },
});

async function begin(first: WorkflowInput, second: WorkflowInput): Promise<Awaited<ReturnType<typeof openWorld>>> {
  const world = await openWorld(1, { behaviour: never });
  await world.submit(...serve("a", { slots: 9 }), registerWorkflow(second), registerWorkflow(first));
  await world.submit(startExecution("e", "w"));
  return world;
}

/** Every live task is answered by its input, until `enough` have been or none is left. */
async function answer(host: Host, enough = Infinity): Promise<void> {
  for (let left = enough; left > 0; left--) {
    const [next] = [...host.engine.state.tasks.tasks.values()].filter(({ attempt }) => attempt > 0);
    if (!next) return;
    const output = next.id === "e/list" ? "[0,1,2,3,4,5]" : next.input;
    assert.deepEqual(await host.submit(complete(next.id, next.attempt, output)), []);
  }
}

describe("a run whose map or loop has begun changes its version", () => {
  it("lets begun items go on as they are, and later ones be as the new version says", async () => {
    const first = mapping("[input, 'old']");
    const second = mapping("[input, 'new']", { concurrency: 3 });
    const world = await begin(first, second);
    await answer(world, 2);
    const version = digestOf(JSON.stringify(second));
    const preview = previewMigration(createLookups(), world.engine.state.workflows, { id: "e", version });
    assert.deepEqual([preview.kept, preview.running, preview.blocks], [["list"], ["m"], []]);
    await world.submit(migrate(second));
    await answer(world);
    const row = rowOf(world.disk, "e");
    const expected = [0, 1, 2, 3, 4, 5].map((item) => [item, item < 3 ? "old" : "new"]);
    assert.deepEqual(JSON.parse(row?.output ?? "null"), expected);
    const begun = world.engine.state.workflows;
    assert.equal(begun.nodes.size + begun.executions.size + begun.items.size, 0);
  });

  it("undoes what is done already as the new version says", async () => {
    const compensate = { capabilities: ["work"], input: "'undo'" };
    const titled = (title: string): WorkflowInput => ({
      id: "w",
      nodes: [task("a", "1", { title, compensate }), task("b")],
      edges: [{ from: "a", to: "b" }],
    });
    const second = titled("second");
    const world = await begin(titled("first"), second);
    await answer(world, 1);
    assert.deepEqual(await world.submit(migrate(second), fail("e/b", 1)), []);
    const undoing = [...world.engine.state.tasks.tasks.values()].map(({ title, input }) => [title, input]);
    assert.deepEqual(undoing, [["undo second", '"undo"']]);
  });

  it("lets a loop go on with the new condition and the new body", async () => {
    const world = await begin(looping("[index, 'old']", "index == 9"), looping("[index, 'new']", "index == 2"));
    await answer(world, 1);
    await world.submit(migrate(looping("[index, 'new']", "index == 2")));
    await answer(world);
    assert.equal(rowOf(world.disk, "e")?.output, '[2,"new"]');
    const ran = eventsOf(world.disk).flatMap(({ type, data }) => (type === "task.completed" ? [data.id] : []));
    assert.deepEqual(ran, ["e/l/0/x", "e/l/1/x", "e/l/2/x"]);
  });

  it("is refused when the items would be others, or be named otherwise", async () => {
    for (const [change, field] of [
      [{ items: "[5, 4]" }, "items"],
      [{ key: "item" }, "key"],
    ] as const) {
      const second = mapping("input", change);
      const world = await begin(mapping("input"), second);
      await answer(world, 2);
      const before = saveState(world.engine.state);
      assert.deepEqual(await world.submit(migrate(second)), ["execution/blocked"]);
      assert.equal(saveState(world.engine.state), before, field);
      await answer(world);
      assert.equal(rowOf(world.disk, "e")?.output, "[0,1,2,3,4,5]");
    }
  });

  it("ends the same wherever it changes and is killed, every item once", async () => {
    for (let after = 0; after <= 7; after++) {
      const [first, second] = [mapping("[input, 'old']"), mapping("[input, 'new']")];
      const world = await begin(first, second);
      await answer(world, after);
      const isLive = world.engine.state.workflows.executions.has("e");
      assert.deepEqual(await world.submit(migrate(second)), isLive ? [] : ["execution/unknown"]);
      world.kill();
      const next = await openHost({ ...world, behaviour: never });
      await next.submit(...serve("a", { slots: 9 }));
      await answer(next);
      const output = JSON.parse(rowOf(world.disk, "e")?.output ?? "null") as [number, string][];
      assert.deepEqual(
        output.map(([item]) => item),
        [0, 1, 2, 3, 4, 5],
      );
      const old = output.filter(([, version]) => version === "old").length;
      assert.equal(old, after === 0 ? 0 : Math.min(6, after + 1), `after ${String(after)} answers`);
      const ran = eventsOf(world.disk).flatMap(({ type, data }) => (type === "task.completed" ? [data.id] : []));
      assert.equal(new Set(ran).size, 7, "every task once");
      assert.equal(ran.length, 7);
    }
  });
});
