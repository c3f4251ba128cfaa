/** Runs within runs: subworkflows, and the bodies of maps and loops. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { rowOf, run, task } from "./runs.ts";
import { completes, fails, never, openWorld, type Behaviour } from "./kit.ts";
import { cancelTask, complete, registerWorkflow, serve, startExecution } from "./things.ts";

const cancel = (id: string): { type: "execution.cancel"; data: { id: string } } => ({
  type: "execution.cancel",
  data: { id },
});
const sub = (id: string, workflow: string, more: object = {}): WorkflowInput["nodes"][number] => ({
  id,
  type: "subworkflow",
  workflow,
  ...more,
});

describe("a subworkflow", () => {
  const inner: WorkflowInput = { id: "inner", nodes: [task("a", "input + 1")] };

  it("gets what its node's input says, and its output is the node's, all in the turn in which it ends", async () => {
    const outer: WorkflowInput = {
      id: "w",
      nodes: [sub("one", "inner", { input: "input.n * 2" }), task("two", "nodes.one.output * 10")],
      edges: [{ from: "one", to: "two" }],
    };
    const { row, output, disk } = await run([inner, outer], { n: 4 });
    assert.deepEqual([row.status, output], ["completed", 90]);
    const batch = disk.history.find(({ text }) => text.includes('"execution.completed"') && text.includes("e/one"));
    assert.match(batch?.text ?? "", /"e\/two"/u, "the next node starts in the same commit");
    const child = rowOf(disk, "e/one");
    assert.deepEqual(
      [child?.status, child?.parent, child?.workflow, child?.output],
      ["completed", { execution: "e", node: "one" }, "inner", "9"],
    );
    assert.deepEqual(
      disk.archived.map(({ id }) => id).filter((id) => id.startsWith("e/")),
      ["e/one/a", "e/one", "e/two"],
      "all of it stands under the run's prefix",
    );
  });

  it("is pinned when the outermost run begins, to whatever depth", async () => {
    const world = await openWorld(1, { behaviour: never });
    const middle: WorkflowInput = {
      id: "middle",
      nodes: [task("before"), sub("deep", "inner", { input: "1" })],
      edges: [{ from: "before", to: "deep" }],
    };
    await world.submit(
      ...serve("a", { slots: 9 }),
      ...[inner, middle, { id: "w", nodes: [sub("m", "middle")] }].map(registerWorkflow),
      startExecution("e", "w"),
    );
    await world.submit(registerWorkflow({ id: "inner", nodes: [task("other")] }), complete("e/m/before", 1));
    assert.ok(world.mirror.tasks.tasks.has("e/m/deep/a"), "the version of before");
    await world.submit(complete("e/m/deep/a", 1));
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
    const versions = [...world.engine.state.workflows.versions.values()].map(({ workflow, runs }) => [workflow, runs]);
    assert.deepEqual(versions.sort(), [
      ["inner", 0],
      ["inner", 0],
      ["middle", 0],
      ["w", 0],
    ]);
  });

  it("that is unknown is said at the start, with its node, and nothing begins", async () => {
    const world = await openWorld(1);
    const body = { nodes: [sub("x", "nowhere")], edges: [] };
    await world.submit(registerWorkflow({ id: "w", nodes: [{ id: "m", type: "map", items: "[1]", body }] }));
    assert.deepEqual(await world.submit(startExecution("e", "w")), ["workflow/unknown"]);
    assert.equal(world.engine.state.workflows.executions.size, 0);
  });

  it("that fails fails its parents, with the path to what failed", async () => {
    const middle: WorkflowInput = { id: "middle", nodes: [sub("low", "inner", { input: "1" })] };
    const outer: WorkflowInput = { id: "w", nodes: [sub("high", "middle"), task("beside")] };
    const picky: Behaviour = (one) => (one.task.id.endsWith("/a") ? fails(1, "bad")(one) : never(one));
    const { row, disk } = await run([inner, middle, outer], {}, picky);
    assert.deepEqual([row.status, row.error?.code], ["failed", "bad"]);
    assert.equal(row.error?.detail?.["nodePath"], "high/low/a");
    assert.equal(rowOf(disk, "e/high")?.error?.detail?.["nodePath"], "low/a");
    assert.ok(disk.archived.some(({ id, text }) => id === "e/beside" && text.includes('"cancelled"')));
  });

  it("is cancelled with its parent, and its own cancelling fails the parent", async () => {
    for (const [target, status] of [
      ["e", "cancelled"],
      ["e/one", "failed"],
    ] as const) {
      const world = await openWorld(1, { behaviour: never });
      await world.submit(...serve("a"), registerWorkflow(inner));
      await world.submit(
        registerWorkflow({ id: "w", nodes: [sub("one", "inner", { input: "1" })] }),
        startExecution("e", "w"),
      );
      await world.submit(cancel(target));
      const { tasks, workflows } = world.engine.state;
      assert.equal(tasks.tasks.size + workflows.executions.size + workflows.nodes.size, 0);
      assert.equal(rowOf(world.disk, "e")?.status, status);
      assert.equal(rowOf(world.disk, "e/one")?.status, "cancelled");
    }
  });

  it("that calls itself without end is stopped at a depth of 32", async () => {
    const { row } = await run([{ id: "w", nodes: [sub("again", "w")] }], {});
    assert.deepEqual([row.status, row.error?.code], ["failed", "workflow/too-deep"]);
    assert.equal(String(row.error?.detail?.["nodePath"]).split("/").length, 33);
  });

  it("may call itself as long as it ends", async () => {
    const nodes: WorkflowInput["nodes"] = [
      { id: "more", type: "decision" },
      sub("again", "w", { input: "input - 1" }),
      task("end", "'bottom'"),
    ];
    const edges = [
      { from: "more", to: "again", when: "input > 0" },
      { from: "more", to: "end" },
    ];
    const { row, disk } = await run([{ id: "w", nodes, edges }], 5);
    assert.equal(row.status, "completed");
    assert.equal(rowOf(disk, "e/again/again/again/again/again")?.output, '{"again":null,"end":"bottom"}');
  });

  it("has its run's priority unless the node gives another", async () => {
    const world = await openWorld(1, { behaviour: never });
    const nodes = [sub("one", "inner", { input: "1" }), sub("two", "inner", { input: "1", priority: "critical" })];
    await world.submit(registerWorkflow(inner), registerWorkflow({ id: "w", nodes }));
    await world.submit({ type: "execution.start", data: { id: "e", workflow: "w", input: "{}", priority: "low" } });
    assert.deepEqual(
      [...world.mirror.tasks.tasks.values()].map(({ id, priority }) => [id, priority]),
      [
        ["e/one/a", "low"],
        ["e/two/a", "critical"],
      ],
    );
  });
});

describe("a map with a body", () => {
  const body = {
    nodes: [task("double", "item * 2"), task("shift", "nodes.double.output + index")],
    edges: [{ from: "double", to: "shift" }],
    output: "nodes.shift.output",
  };

  it("runs the graph for each item, at most as many at once as its concurrency says", async () => {
    const node: WorkflowInput["nodes"][number] = { id: "each", type: "map", items: "input", concurrency: 3, body };
    const { output, disk } = await run([{ id: "w", nodes: [node] }], [5, 6, 7, 8, 9, 10]);
    assert.deepEqual(output, [10, 13, 16, 19, 22, 25]);
    let [live, most] = [0, 0];
    for (const { type, data } of disk.events())
      if (type === "execution.started" && data.parent) most = Math.max(most, ++live);
      else if (type === "execution.completed" && data.parent) live--;
    assert.equal(most, 3);
  });

  it("tells its item apart from its input, and knows an item by its key", async () => {
    const node: WorkflowInput["nodes"][number] = {
      id: "each",
      type: "map",
      items: "input",
      key: "item.name",
      body: { nodes: [task("a", "{'of': input, 'name': item.name}")], input: "item.n" },
    };
    const input = [
      { name: "x", n: 1 },
      { name: "y", n: 2 },
    ];
    const { output, disk } = await run([{ id: "w", nodes: [node] }], input);
    assert.deepEqual(output, [
      { of: 1, name: "x" },
      { of: 2, name: "y" },
    ]);
    assert.equal(rowOf(disk, "e/each/1")?.parent?.key, "y");
    const flat: WorkflowInput["nodes"][number] = {
      id: "each",
      type: "map",
      items: "input",
      key: "item.name",
      task: { capabilities: ["work"] },
    };
    const { disk: other } = await run([{ id: "w", nodes: [flat] }], input);
    assert.match(other.archived.find(({ id }) => id === "e/each/0")?.text ?? "", /"title":"each x"/u);
    const twice = await run([{ id: "w", nodes: [flat] }], [input[0], input[1], input[0]]);
    assert.deepEqual([twice.row.error?.code, twice.row.error?.detail?.["items"]], ["expression/failed", [0, 2]]);
    for (const name of [["x"], [], "", "x".repeat(201), true, null, { length: 1 }]) {
      const { row } = await run([{ id: "w", nodes: [flat] }], [{ name }]);
      const expected = "a key: a number, or 1 to 200 characters";
      assert.deepEqual([row.error?.code, row.error?.detail?.["expected"]], ["expression/failed", expected]);
    }
    for (const name of [7, 0, "x".repeat(200)])
      assert.equal((await run([{ id: "w", nodes: [flat] }], [{ name }])).row.status, "completed");
  });

  it("collects items that failed, or fails with the path to the first one", async () => {
    const picky: Behaviour = (one) => (one.task.id === "e/each/1/double" ? fails(1, "bad")(one) : completes(3)(one));
    const node = (onError: "fail" | "collect"): WorkflowInput => ({
      id: "w",
      nodes: [{ id: "each", type: "map", items: "input", onError, body }],
    });
    const collected = await run([node("collect")], [1, 2, 3], picky);
    assert.deepEqual(collected.output, [2, { error: { code: "bad", message: "bad" } }, 8]);
    const failed = await run([node("fail")], [1, 2, 3], picky);
    assert.equal(failed.row.error?.detail?.["nodePath"], "each/1/double");
  });

  it("doesn't let an item's output pass for another's", async () => {
    const forged: Behaviour = (one) => completes(1, '1,"forged"')(one);
    const node: WorkflowInput["nodes"][number] = {
      id: "each",
      type: "map",
      items: "input",
      body: { nodes: [task("a")] },
    };
    const { row } = await run([{ id: "w", nodes: [node] }], [1, 2], forged);
    assert.deepEqual([row.status, row.error?.code], ["failed", "json/invalid"]);
  });

  it("may stand in another, and in a loop, each with its own names", async () => {
    const innermost = { nodes: [task("t", "item * 10 + index")] };
    const middle = {
      nodes: [{ id: "m", type: "map", items: "input", body: innermost } as const],
      output: "nodes.m.output",
    };
    const loop = {
      nodes: [{ id: "rows", type: "map", items: "input", body: middle } as const],
      output: "nodes.rows.output",
    };
    const nodes: WorkflowInput["nodes"] = [{ id: "twice", type: "loop", until: "index == 1", body: loop }];
    const { output, disk } = await run([{ id: "w", nodes }], [[1, 2], [3]]);
    assert.deepEqual(output, [[100, 211], [300]]);
    assert.ok(rowOf(disk, "e/twice/1/rows/0/m/1"), "ids say where it was");
  });
});

describe("a loop", () => {
  const loop = (more: object): WorkflowInput => ({
    id: "w",
    nodes: [{ id: "again", type: "loop", task: { capabilities: ["work"] }, ...more }],
  });
  const adds: Behaviour = (one) => completes(1, String(Number(one.task.input) + 1))(one);

  it("goes on until its condition holds; each iteration gets what the one before put out", async () => {
    assert.equal((await run([loop({ until: "last >= 5" })], 2, adds)).output, 5);
    assert.equal((await run([loop({ until: "index >= 5" })], 2, adds)).output, 8);
  });

  it("asks `while` before each iteration: it may run none at all", async () => {
    assert.equal((await run([loop({ while: "index < 3" })], 0, adds)).output, 3);
    assert.equal((await run([loop({ while: "last != null && last < 3" })], 0, adds)).output, null);
  });

  it("gives `index`, `last` and the run's input to what each iteration is told", async () => {
    const task = { capabilities: ["work"], input: "{'index': index, 'last': last, 'input': input.n}" };
    const { output } = await run([loop({ until: "index == 1", task })], { n: 7 });
    assert.deepEqual(output, { index: 1, last: { index: 0, last: null, input: 7 }, input: 7 });
  });

  it("runs a graph, in which `last` can be asked for too", async () => {
    const body = { nodes: [task("a", "index == 0 ? [input] : last + [index]")], input: "input" };
    const { output, disk } = await run([loop({ until: "size(last) == 4", task: undefined, body })], 9);
    assert.deepEqual(output, [9, 1, 2, 3]);
    assert.ok(rowOf(disk, "e/again/3"));
  });

  it("fails when it would go on after its most iterations", async () => {
    const { row, disk } = await run([loop({ until: "false", max: 3 })], 0, adds);
    assert.deepEqual([row.status, row.error?.code], ["failed", "workflow/loop-exceeded"]);
    assert.equal(disk.archived.filter(({ kind }) => kind === "task").length, 3);
    assert.equal((await run([loop({ while: "index < 3", max: 3 })], 0, adds)).output, 3, "its last one is no failure");
  });

  it("fails with a failed iteration, and when its condition is none", async () => {
    const third: Behaviour = (one) => (one.task.input === "2" ? fails(1, "bad")(one) : adds(one));
    const { row } = await run([loop({ until: "false" })], 0, third);
    assert.deepEqual([row.error?.code, row.error?.detail?.["nodePath"]], ["bad", "again/2"]);
    assert.equal((await run([loop({ until: "last" })], 0, adds)).row.error?.code, "expression/failed");
  });

  it("ends with its run, whatever iteration is under way", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), registerWorkflow(loop({ until: "false" })), startExecution("e", "w"));
    await world.submit(complete("e/again/0", 1), complete("e/again/1", 1), cancel("e"));
    assert.equal(world.engine.state.tasks.tasks.size, 0);
    await world.submit(startExecution("f", "w"), cancelTask("f/again/0"));
    assert.equal(rowOf(world.disk, "f")?.error?.code, "task/cancelled");
  });

  it("of many iterations costs the same for each", async () => {
    const { output, disk } = await run([loop({ until: "index == 4999", max: 5_000 })], 0, adds);
    assert.equal(output, 5_000);
    const sizes = disk.history.map(({ text }) => text.length);
    assert.ok(Math.max(...sizes.slice(-50)) < 2 * Math.max(...sizes.slice(5, 50)));
  });
});
