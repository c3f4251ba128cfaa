/** Where a run stands, as a page asks it: of the host while the run lives, of the archive afterwards. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { progress } from "../../../src/client/progress.ts";
import type { ProgressView } from "../../../src/client/timing-types.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import { askHost } from "./asks.ts";
import { createChance, seedOf } from "./chance.ts";
import { completes, fails, never, openHost, openWorld, type Behaviour } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { task, work } from "./runs.ts";
import { registerWorkflow, serve, startExecution } from "./things.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

const seed = seedOf(4_177);

async function begin(workflow: Omit<WorkflowInput, "id">, behaviour: Behaviour, input: unknown = {}): Promise<World> {
  const world = await openWorld(1, { behaviour });
  const known = registerWorkflow({ id: "w", ...workflow });
  await world.submit(...serve("a", { slots: 50 }), known, startExecution("e", "w", input));
  return world;
}

const pathOf = ({ executionPath }: ProgressView): string[] =>
  executionPath.map(({ node, index }) => (index === undefined ? node : `${node}[${String(index)}]`));

describe("where a run stands", () => {
  it("is told while it lives and when it has ended: nodes, errors, variables, version, times", async () => {
    const nodes = [
      task("a", "1", { set: { sum: "nodes.a.output + 41", seen: "'a'" } }),
      task("b"),
      task("c", "1", { set: { seen: "'c'" } }),
    ];
    const edges = [
      { from: "a", to: "b" },
      { from: "b", to: "c", on: "error" as const },
    ];
    const variables = { sum: { type: "number" as const }, seen: { type: "list" as const, merge: "append" as const } };
    const world = await begin({ nodes, edges, variables }, (one) =>
      one.task.id === "e/b" ? fails(5, "bad")(one) : completes(5)(one),
    );
    const ask = askHost(world);
    await world.advance(12);
    const live = await progress({ ask }, "e");
    assert.deepEqual([live.status, live.currentNode, live.activeNodes], ["running", "c", ["c"]]);
    assert.deepEqual(
      live.executionPath.map(({ node, duration }) => [node, duration]),
      [
        ["a", 5],
        ["b", 5],
        ["c", undefined],
      ],
    );
    assert.deepEqual(
      live.errors.map(({ node, error, handled }) => [node, error.code, handled]),
      [["b", "bad", true]],
    );
    assert.deepEqual(live.variables, { sum: 42, seen: ["a"] });
    await world.finish();
    const ended = await progress({ ask }, "e");
    assert.deepEqual([ended.status, ended.currentNode, ended.activeNodes], ["completed", undefined, []]);
    assert.deepEqual(ended.variables, { sum: 42, seen: ["a", "c"] });
    const { workflow, version, startedAt, finishedAt = 0 } = ended;
    assert.deepEqual([workflow, version, startedAt], ["w", live.version, live.startedAt]);
    assert.equal(finishedAt - startedAt, 15);
    await assert.rejects(progress({ ask }, "nobody"), { code: "execution/unknown" });
  });

  it("tells which of the nodes that began in one commit began first, after a restart too", async () => {
    const names = ["z", "m", "b", "y"];
    const nodes = [{ id: "p", type: "parallel" as const }, ...names.toSorted().map((id) => task(id))];
    const world = await begin({ nodes, edges: names.map((to) => ({ from: "p", to })) }, never);
    const before = await progress({ ask: askHost(world) }, "e");
    assert.equal(new Set(before.executionPath.map(({ startedAt }) => startedAt)).size, 1);
    assert.deepEqual(pathOf(before), ["p", ...names]);
    assert.deepEqual(before.activeNodes, names);
    world.kill();
    const { disk, time, chance } = world;
    const host = await openHost({ disk, time, chance, behaviour: completes(1), snapshotEvery: 1 });
    await host.durable();
    assert.deepEqual(pathOf(await progress({ ask: askHost(Object.assign(host, { disk })) }, "e")), ["p", ...names]);
    await host.finish();
    assert.deepEqual(pathOf(await progress({ ask: askHost(Object.assign(host, { disk })) }, "e")), ["p", ...names]);
  });

  it("goes into runs within it, items and iterations, live and ended", async () => {
    const body = { nodes: [task("read", "item"), task("check", "1")], edges: [{ from: "read", to: "check" }] };
    const nodes = [
      { id: "files", type: "map" as const, items: "['x', 'y']", key: "item", concurrency: 1, body },
      { id: "again", type: "loop" as const, while: "index < 2", task: { ...work } },
    ];
    const world = await begin({ nodes, edges: [{ from: "files", to: "again" }] }, completes(5));
    const ask = askHost(world);
    const first = ["files", "files[0]", "files/0/read", "files/0/check"];
    const second = ["files[1]", "files/1/read", "files/1/check"];
    await world.advance(12);
    const live = await progress({ ask }, "e", { within: true });
    assert.deepEqual(pathOf(live), [...first, ...second.slice(0, 2)]);
    assert.deepEqual(live.activeNodes, ["files"]);
    assert.deepEqual(live.runs.toSorted(), ["e/files/0", "e/files/1"]);
    assert.deepEqual(pathOf(await progress({ ask }, "e")), ["files"]);
    const within = await progress({ ask }, "e/files/1");
    assert.deepEqual([within.parent?.key, pathOf(within)], ["y", ["read"]]);
    await world.finish();
    const ended = await progress({ ask }, "e", { within: true });
    assert.deepEqual(pathOf(ended), [...first, ...second, "again", "again[0]", "again[1]"]);
    assert.deepEqual(ended.executionPath[1], {
      ...{ node: "files", index: 0, key: "x" },
      ...{ startedAt: ended.startedAt, duration: 10 },
    });
    assert.equal(ended.executionPath.at(-3)?.iterations, 2);
  });

  it(`is the order of the journal in a random life (seed ${String(seed)})`, async () => {
    const chance = createChance(seed);
    const begun = new Map<string, string[]>();
    const world: World = await openWorld(seed, {
      behaviour: chaotic,
      chance,
      onCommitted(events) {
        for (const { type, data } of events)
          if (type === "node.started") begun.set(data.execution, [...(begun.get(data.execution) ?? []), data.node]);
      },
    });
    const live = createLife(chance, "", world.time.now);
    for (let step = 0; step < 1_000; step++) await world.advance(live(world));
    let seen = 0;
    for (const { id, kind, text } of world.disk.archived) {
      if (kind !== "execution") continue;
      const { nodes = [] } = JSON.parse(text) as Execution;
      const path = pathOf(await progress({ ask: askHost(world) }, id));
      const kept = new Set(nodes.filter(({ startedAt }) => startedAt !== undefined).map(({ node }) => node));
      // one that a migration has dropped is gone; one that it begins again has its latest start
      const starts = (begun.get(id) ?? []).filter((node) => kept.has(node)).toReversed();
      assert.deepEqual(path, [...new Set(starts)].toReversed(), id);
      seen += path.length > 1 ? 1 : 0;
    }
    assert.ok(seen > 10, String(seen));
  });
});
