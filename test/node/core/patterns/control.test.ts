/** Patterns of branching, joining, repeating and ending, by their numbers: see docs/workflow-patterns.md. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventsOf } from "../disk.ts";
import { task, work } from "../runs.ts";
import { decision, edge, ended, flow, historyOf, join, parallel, play } from "./kit.ts";
import { openWorld } from "../kit.ts";
import { registerWorkflow, serve, startExecution } from "../things.ts";

describe("workflow patterns: branching and joining", () => {
  it("1 Sequence: a node starts when the one before has completed", async () => {
    const { disk } = await play(flow(["a", "b", "c"], ["a>b", "b>c"]));
    const order = ["started a", "completed a", "started b", "completed b", "started c", "completed c"];
    assert.deepEqual(historyOf(disk, "started", "completed"), order);
  });

  it("2 Parallel split: all branches start at once", async () => {
    const { disk } = await play(flow([parallel("p"), "a", "b", "c"], ["p>a", "p>b", "p>c"]), {}, { a: 5, b: 3 });
    assert.deepEqual(historyOf(disk, "started"), ["started p", "started a", "started b", "started c"]);
  });

  it("3 Synchronization: a join waits for all branches", async () => {
    const nodes = [parallel("p"), "a", "b", join("j"), task("z", "[nodes.a.output, nodes.b.output]")];
    const world = await play(flow(nodes, ["p>a", "p>b", "a>j", "b>j", "j>z"]), {}, { a: 9, b: 2 });
    assert.deepEqual(ended(world), ["completed", ["a", "b"]]);
    assert.deepEqual(historyOf(world.disk, "completed").slice(0, 3), ["completed p", "completed b", "completed a"]);
  });

  const choice = flow([decision("d"), "a", "b", "m"], ["d>a if input.n > 1", "d>b", "a>m", "b>m"]);

  it("4 Exclusive choice: one branch of several", async () => {
    for (const [n, taken, left] of [
      [2, "a", "b"],
      [1, "b", "a"],
    ] as const) {
      const { disk } = await play(choice, { n });
      assert.ok(historyOf(disk, "started").includes(`started ${taken}`));
      assert.deepEqual(historyOf(disk, "skipped"), [`skipped ${left}`]);
    }
  });

  it("5 Simple merge: exclusive branches meet without waiting for each other, and what follows runs once", async () => {
    const world = await play(choice, { n: 2 });
    assert.deepEqual(historyOf(world.disk, "completed"), ["completed d", "completed a", "completed m"]);
    assert.deepEqual(ended(world), ["completed", "m"]);
  });

  const several = flow(
    [decision("d", "all"), "a", "b", "c", join("j"), "z"],
    ["d>a if input.a", "d>b if input.b", "d>c", "a>j", "b>j", "c>j", "j>z"],
  );

  it("6 Multi-choice: each branch whose condition holds", async () => {
    const { disk } = await play(several, { a: true, b: false });
    assert.deepEqual(historyOf(disk, "skipped"), ["skipped b"]);
    assert.deepEqual(historyOf(disk, "started").slice(0, 3), ["started d", "started a", "started c"]);
  });

  it("7 Structured synchronizing merge: a join waits for those branches that were chosen, and no others", async () => {
    const world = await play(several, { a: true, b: false }, { a: 20 });
    assert.deepEqual(historyOf(world.disk, "started").slice(-2), ["started j", "started z"]);
    assert.ok(
      historyOf(world.disk, "completed").indexOf("completed a") <
        historyOf(world.disk, "completed").indexOf("completed j"),
    );
  });

  it("8 Multi-merge: what follows runs once for each branch, as a workflow that each branch calls", async () => {
    const world = await openWorld(1, {
      behaviour: ({ task: { id, input }, attempt }) => [
        { after: 1, command: { type: "task.complete", data: { id, attempt, output: input } } },
      ],
    });
    const call = (id: string) => ({ id, type: "subworkflow", workflow: "rest", input: `'${id}'` }) as const;
    const calls = flow([parallel("p"), call("a"), call("b")], ["p>a", "p>b"]);
    await world.submit(
      ...serve("a"),
      registerWorkflow({ ...flow([task("r")], []), id: "rest" }),
      registerWorkflow(calls),
      startExecution("e", "w"),
    );
    await world.finish();
    assert.deepEqual(ended(world), ["completed", { a: "a", b: "b" }]);
    assert.equal(historyOf(world.disk, "started").filter((one) => one === "started r").length, 2);
  });

  const race = (mode: "any" | number, more: object = {}) =>
    flow([parallel("p"), "a", "b", "c", join("j", mode), "z"], ["p>a", "p>b", "p>c", "a>j", "b>j", "c>j", "j>z"], more);

  it("9 Structured discriminator: the first branch goes on, the others are waited for by nobody", async () => {
    const { disk } = await play(race("any"), {}, { a: 20, b: 2, c: 30 });
    const completed = historyOf(disk, "completed");
    assert.ok(completed.indexOf("completed z") < completed.indexOf("completed a"));
    assert.equal(completed.filter((one) => one === "completed z").length, 1);
  });

  it("30 Structured partial join: as soon as so many branches have come, once", async () => {
    const { disk } = await play(race(2), {}, { a: 20, b: 2, c: 40 });
    const completed = historyOf(disk, "completed");
    assert.ok(completed.indexOf("completed a") < completed.indexOf("completed j"));
    assert.ok(completed.indexOf("completed z") < completed.indexOf("completed c"));
  });

  it("28, 31 Blocking discriminator, blocking partial join: the next round waits until all branches of this one came", async () => {
    for (const mode of ["any", 2] as const) {
      const { nodes, edges } = race(mode);
      const round = { id: "l", type: "loop", until: "index == 1", body: { nodes, edges, input: "null" } } as const;
      const { disk } = await play(flow([round], []), {}, { a: 20, b: 2, c: 5 });
      const history = historyOf(disk, "started", "completed");
      const second = history.lastIndexOf("started p");
      assert.equal(history.filter((one) => one === "started z").length, 2);
      assert.ok(history.indexOf("completed a") < second && second > history.indexOf("completed z"));
    }
  });

  it("37 Local synchronizing merge: branches that part and meet without any structure", async () => {
    const nodes = [decision("d", "all"), "a", decision("e"), "b", "c", join("j"), join("k"), "z"];
    const edges = ["d>a if input.a", "d>e", "e>b if input.b", "e>c", "a>j", "b>j", "b>k", "c>k", "j>k", "k>z"];
    for (const [input, skipped] of [
      [{ a: true, b: true }, ["skipped c"]],
      [{ a: false, b: false }, ["skipped a", "skipped b", "skipped j"]],
      [{ a: true, b: false }, ["skipped b"]],
    ] as const) {
      const world = await play(flow(nodes, edges), input);
      assert.deepEqual([ended(world)[0], historyOf(world.disk, "skipped").sort()], ["completed", [...skipped]]);
    }
  });

  it("38 General synchronizing merge: the same around and within loops", async () => {
    const inner = flow([decision("d", "all"), "a", "b", join("j")], ["d>a if input > 0", "d>b", "a>j", "b>j"]);
    const loop = {
      id: "l",
      type: "loop",
      until: "index == 2",
      body: { nodes: inner.nodes, edges: inner.edges, input: "index" },
    } as const;
    const nodes = [decision("s", "all"), loop, "c", join("m"), "z"];
    const world = await play(flow(nodes, ["s>l if input.loop", "s>c", "l>m", "c>m", "m>z"]), { loop: true });
    assert.deepEqual(historyOf(world.disk, "started").filter((one) => one === "started a").length, 2);
    assert.deepEqual(ended(world), ["completed", "z"]);
    const without = await play(flow(nodes, ["s>l if input.loop", "s>c", "l>m", "c>m", "m>z"]), { loop: false });
    assert.deepEqual([ended(without), historyOf(without.disk, "skipped")], [["completed", "z"], ["skipped l"]]);
  });

  it("41, 42 Thread split and merge: one token becomes so many, and these become one", async () => {
    const map = { id: "m", type: "map", items: "[1, 2, 3]", task: work } as const;
    const world = await play(flow(["a", map, task("z", "nodes.m.output.map(n, n * 2)")], ["a>m", "m>z"]));
    assert.deepEqual(ended(world), ["completed", [2, 4, 6]]);
    assert.equal(eventsOf(world.disk).filter(({ type }) => type === "task.created").length, 5);
  });
});

describe("workflow patterns: repeating and ending", () => {
  it("21 Structured loop: while before, until after", async () => {
    const add = { task: { ...work, input: "index == 0 ? 1 : last + 1" } };
    const loops = [
      { id: "w", type: "loop", while: "index < 3", ...add },
      { id: "u", type: "loop", until: "last >= 2", ...add },
      { id: "n", type: "loop", while: "false", ...add },
    ] as const;
    assert.deepEqual(ended(await play(flow([...loops], []))), ["completed", { n: null, u: 2, w: 3 }]);
  });

  it("22 Recursion: a workflow that runs itself, to a bounded depth", async () => {
    const self = { id: "self", type: "subworkflow", workflow: "w", input: "input - 1" } as const;
    const down = flow([decision("d"), self, "end"], ["d>self if input > 0", "d>end"]);
    const world = await play(down, 5);
    assert.equal(ended(world)[0], "completed");
    assert.equal(historyOf(world.disk, "started").filter((one) => one === "started self").length, 5);
    assert.equal(ended(await play(down, 1_000))[0], "failed");
  });

  it("11 Implicit termination: a run ends when nothing of it is left to do", async () => {
    const world = await play(flow([parallel("p"), "a", "b"], ["p>a", "p>b"]), {}, { a: 50 });
    assert.deepEqual(ended(world), ["completed", { a: "a", b: "b" }]);
    assert.equal(historyOf(world.disk, "completed").at(-1), "completed a");
  });

  it("12 Multiple instances without synchronization: what follows doesn't wait for them", async () => {
    const map = { id: "m", type: "map", items: "[1, 2, 3]", task: work } as const;
    const { disk } = await play(flow([parallel("p"), map, "z"], ["p>m", "p>z"]), {}, { m: 30 });
    const completed = historyOf(disk, "completed");
    assert.ok(completed.indexOf("completed z") < completed.indexOf("completed m"));
  });

  it("13, 14 Multiple instances, known when it is designed or when they start: what follows waits for all", async () => {
    for (const [items, expected] of [
      ["[1, 2]", [1, 2]],
      ["input.list", [4, 5, 6]],
    ] as const) {
      const map = { id: "m", type: "map", items, task: work } as const;
      const world = await play(flow([map, task("z", "nodes.m.output")], ["m>z"]), { list: [4, 5, 6] });
      assert.deepEqual(ended(world), ["completed", expected]);
    }
  });

  it("an edge that leads back is refused, since it would be pattern 10, arbitrary cycles", async () => {
    const world = await openWorld(1);
    const [refusal] = world.push(registerWorkflow({ ...flow(["a", "b"], []), edges: [edge("a>b"), edge("b>a")] }));
    assert.equal(refusal?.[1].code, "workflow/invalid");
    await world.settle();
  });
});
