/** A part of a finished run is done again, in a run that takes over the rest. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KEPT_VERSIONS } from "../../../src/core/workflows/version.ts";
import { retryOf } from "../../../src/client/retrying.ts";
import type { RetryOptions } from "../../../src/client/runtime.ts";
import { PageCommandSchema } from "../../../src/core/protocol.ts";
import type { CoreCommand } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import * as v from "valibot";
import { askHost } from "./asks.ts";
import { eventsOf } from "./disk.ts";
import { completes, fails, openWorld, type Behaviour } from "./kit.ts";
import { rowOf, task } from "./runs.ts";
import { registerWorkflow, serve, startExecution } from "./things.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

async function begin(workflow: Omit<WorkflowInput, "id">, behaviour: Behaviour, input: unknown = 1): Promise<World> {
  const world = await openWorld(1, { behaviour });
  const known = registerWorkflow({ id: "w", ...workflow });
  await world.submit(...serve("a", { slots: 50 }), known, startExecution("e", "w", input));
  await world.finish();
  return world;
}

/** Does it again as `id`; gives the ids of the tasks that ran, and the row. */
async function again(
  world: World,
  options: RetryOptions = {},
  [of, id]: readonly [string, string] = ["e", "f"],
): Promise<{ readonly ran: string[]; readonly output: unknown; readonly row: ReturnType<typeof rowOf> }> {
  const request = await retryOf({ ask: askHost(world) }, of, id, options);
  const command = v.parse(PageCommandSchema, request) as CoreCommand;
  assert.deepEqual(await world.submit(command), []);
  await world.finish();
  assert.equal(world.engine.state.workflows.recorded.size, 0);
  const ran = eventsOf(world.disk).flatMap(({ type, data }) =>
    type === "task.created" && data.id.startsWith(`${id}/`) ? [data.id.slice(id.length + 1)] : [],
  );
  const row = rowOf(world.disk, id);
  return { ran, row, output: JSON.parse(row?.output ?? "null") };
}

/** Fails the tasks with these ids. */
const failing =
  (...ids: readonly string[]): Behaviour =>
  (one) =>
    ids.includes(one.task.id) ? fails(1, "bad")(one) : completes(1)(one);

const chain = {
  nodes: [task("a", "input + 1"), task("b", "nodes.a.output + 1"), task("c", "nodes.b.output + 1"), task("z", "'z'")],
  edges: [
    { from: "a", to: "b" },
    { from: "b", to: "c" },
  ],
};

describe("a run that is done again", () => {
  it("begins where it has failed, and takes over what had been done", async () => {
    const world = await begin(chain, failing("e/b"));
    assert.equal(rowOf(world.disk, "e")?.status, "failed");
    const { ran, row, output } = await again(world);
    assert.deepEqual([ran.sort(), row?.status, row?.retriedFrom], [["b", "c"], "completed", "e"]);
    assert.deepEqual(output, { c: 4, z: "z" });
    assert.deepEqual(
      row?.nodes?.map(({ node, recalled }) => [node, recalled]),
      [
        ...[
          ["a", true],
          ["b", undefined],
          ["c", undefined],
          ["z", true],
        ],
      ],
    );
  });

  it("can begin at any node, with or without what is behind it", async () => {
    const world = await begin(chain, completes(1));
    assert.deepEqual((await again(world, { node: "b" })).ran, ["b", "c"]);
    assert.deepEqual((await again(world, { node: "b", downstream: false }, ["e", "g"])).ran, ["b"]);
    assert.deepEqual((await again(world, { node: "a" }, ["e", "h"])).ran, ["a", "b", "c"]);
  });

  it("does only failed items of a map again", async () => {
    const nodes: WorkflowInput["nodes"] = [
      {
        id: "m",
        type: "map",
        items: "input",
        onError: "collect",
        task: { capabilities: ["work"], retry: { maxAttempts: 1 } },
      },
      task("sum", "nodes.m.output"),
    ];
    const world = await begin({ nodes, edges: [{ from: "m", to: "sum" }] }, failing("e/m/1", "e/m/3"), [5, 6, 7, 8]);
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
    const { ran, output } = await again(world);
    assert.deepEqual(
      [ran.sort(), output],
      [
        ["m/1", "m/3", "sum"],
        [5, 6, 7, 8],
      ],
    );
    const all = await again(world, { node: "m" }, ["e", "g"]);
    assert.equal(all.ran.length, 5);
    const rest = await again(world, { node: "sum" }, ["e", "h"]);
    const bad = { error: { code: "bad", message: "bad" } };
    assert.deepEqual([rest.ran, rest.output], [["sum"], [5, bad, 7, bad]]);
    assert.deepEqual((await again(world, { node: "m", onlyFailed: true }, ["e", "i"])).ran.sort(), [
      "m/1",
      "m/3",
      "sum",
    ]);
  });

  it("takes over loops, subworkflows, approvals, dynamic nodes and what was taken over before", async () => {
    const inner: WorkflowInput = { id: "inner", nodes: [task("t", "input * 10")] };
    const nodes: WorkflowInput["nodes"] = [
      { id: "l", type: "loop", until: "index == 2", body: { nodes: [task("t", "index")] } },
      { id: "s", type: "subworkflow", workflow: "inner" },
      { id: "q", type: "approval", message: "?", timeout: 5, onTimeout: "approve" },
      {
        ...{ id: "d", type: "dynamic", capabilities: ["work"], allow: { capabilities: ["work"] } },
        input: "{'nodes': [{'id': 't', 'type': 'task', 'capabilities': ['work'], 'input': '7'}]}",
      },
      task("end", "[nodes.l.output, nodes.s.output, nodes.q.output.approved, nodes.d.output]"),
    ];
    const edges = ["l", "s", "q", "d"].map((from) => ({ from, to: "end" }));
    const world = await openWorld(1, { behaviour: failing("e/end", "f/end") });
    const known = [inner, { id: "w", nodes, edges }].map(registerWorkflow);
    await world.submit(...serve("a", { slots: 50 }), ...known, startExecution("e", "w", 4));
    await world.finish();
    assert.deepEqual((await again(world)).ran, ["end"]);
    const { ran, output } = await again(world, {}, ["f", "g"]);
    assert.deepEqual([ran, output], [["end"], [2, 40, true, 7]]);
  });

  it("can take a newer version, and is refused where there is nothing to do", async () => {
    const world = await begin(chain, failing("e/b"));
    const newer = { ...chain, nodes: chain.nodes.map((one) => (one.id === "b" ? task("b", "100") : one)) };
    for (let at = 0; at < KEPT_VERSIONS; at++)
      await world.submit(registerWorkflow({ id: "w", title: String(at), ...newer }));
    const request = (options: RetryOptions): Promise<CoreCommand> =>
      retryOf({ ask: askHost(world) }, "e", "x", options) as Promise<CoreCommand>;
    assert.deepEqual(await world.submit(await request({})), ["workflow/unknown"], "the version is kept no more");
    assert.deepEqual((await again(world, { latest: true })).output, { c: 101, z: "z" });
    assert.deepEqual(await world.submit(await request({ latest: true, node: "nowhere" })), ["command/invalid"]);
    assert.deepEqual(await world.submit(await request({ latest: true, node: "z", onlyFailed: true })), [
      "command/invalid",
    ]);
    await assert.rejects(
      request({}).then(() => retryOf({ ask: askHost(world) }, "none", "y")),
      {
        code: "execution/unknown",
      },
    );
  });
});

describe("a run that was undone", () => {
  it("can't be done again in part: nothing of it holds", async () => {
    const nodes = [task("a", "1", { compensate: { capabilities: ["work"] } }), task("b")];
    const world = await begin({ nodes, edges: [{ from: "a", to: "b" }] }, failing("e/b"));
    assert.equal(rowOf(world.disk, "e")?.status, "compensated");
    await assert.rejects(retryOf({ ask: askHost(world) }, "e", "f"), { code: "execution/finished" });
  });
});
