/** What the oracle's random graphs don't show: maps, approvals, versions, bounds, and hostile outputs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KEPT_VERSIONS } from "../../../src/core/workflows/version.ts";
import type { CoreCommand } from "../../../src/core/runtime.ts";
import { MAX_ITEMS, type WorkflowInput } from "../../../src/core/workflows/definition.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import type { Disk } from "./disk.ts";
import { eventsOf } from "./disk.ts";
import { completes, fails, given, never, openWorld, type Behaviour } from "./kit.ts";
import {
  cancelTask,
  complete,
  createTask,
  join,
  registerAgent,
  registerWorkflow,
  serve,
  startExecution,
} from "./things.ts";

type Node = WorkflowInput["nodes"][number];
type Edges = WorkflowInput["edges"];

const work = { capabilities: ["work"], retry: { maxAttempts: 1 } };
const task = (id: string, input?: string): Node => ({ id, type: "task", ...work, ...(input && { input }) });
const each = (items: string, more: Partial<Extract<Node, { type: "map" }>> = {}): Node => ({
  id: "each",
  type: "map",
  items,
  task: work,
  ...more,
});
const ask = (more: Partial<Extract<Node, { type: "approval" }>> = {}): Node => ({
  id: "ask",
  type: "approval",
  message: "Go on?",
  ...more,
});
const echo = completes(1);

interface Ran {
  readonly row: Execution;
  readonly disk: Disk;
  readonly output: unknown;
}

/** Runs a workflow to its end with workers that do `behaviour`. */
async function run(workflow: Omit<WorkflowInput, "id">, input: unknown, behaviour: Behaviour = echo): Promise<Ran> {
  const world = await openWorld(1, { behaviour });
  await world.submit(registerAgent("a", { slots: 100 }), join("a-1", "a"), registerWorkflow({ id: "w", ...workflow }));
  assert.deepEqual(await world.submit(startExecution("e", "w", input)), []);
  await world.finish();
  assert.equal(world.stopped(), undefined);
  assert.equal(world.engine.state.workflows.executions.size, 0, "it ended");
  assert.equal(world.engine.state.tasks.tasks.size, 0);
  const row = JSON.parse(world.disk.archived.findLast(({ kind }) => kind === "execution")?.text ?? "null") as Execution;
  return { row, disk: world.disk, output: row.output === undefined ? undefined : JSON.parse(row.output) };
}

const runNodes = (nodes: Node[], edges: Edges, input: unknown, behaviour?: Behaviour): Promise<Ran> =>
  run({ nodes, edges }, input, behaviour);

describe("a condition", () => {
  const fork = (when: string): [Node[], Edges] => [
    [task("a"), task("b"), task("c")],
    [
      { from: "a", to: "b", when },
      { from: "a", to: "c" },
    ],
  ];
  for (const [when, why] of [
    ["input.n == 1 ? null : true", "null"],
    ["input.n", "a number"],
    ["input.n == 1 ? 'true' : false", "a text"],
    ["input.missing", "what is missing"],
    ["input.n > 'x'", "a comparison of different kinds"],
    ["input.n / 0 > 1", "a result that isn't finite"],
    ["(input.n == 1 ? nodes.b.output : 1) == 1", "the output of a node that hasn't ended"],
  ] as const)
    it(`that gives ${why} fails the run, at its node`, async () => {
      const { row } = await runNodes(...fork(when), { n: 1 });
      assert.equal(row.status, "failed");
      assert.equal(row.error?.code, "expression/failed");
      assert.deepEqual(
        row.nodes?.map(({ node, status }) => [node, status]),
        [["a", "failed"]],
      );
    });

  it("sees how its own node has just ended: a task, a map, an approval", async () => {
    const status = "nodes.a.status == 'completed' && nodes.a.output.n == 1";
    assert.deepEqual((await runNodes(...fork(status), { n: 1 })).output, { b: { n: 1 }, c: { n: 1 } });
    const nodes = [each("input"), task("yes"), task("no")];
    const edges: Edges = [
      { from: "each", to: "yes", when: "size(nodes.each.output) == 3 && nodes.each.output[2] == 9" },
      { from: "each", to: "no", when: "nodes.each.output[0] == 9" },
    ];
    assert.deepEqual((await runNodes(nodes, edges, [7, 8, 9])).output, { yes: [7, 8, 9], no: null });
  });

  it("is asked once for each time its node ends", async () => {
    const { disk } = await runNodes(...fork("true"), {});
    const taken = eventsOf(disk).flatMap(({ type, data }) => (type === "node.completed" ? [data.taken.length] : []));
    assert.deepEqual(taken, [2, 0, 0]);
  });
});

describe("a map", () => {
  it("over nothing ends at once with an empty list", async () => {
    assert.deepEqual((await runNodes([each("[]")], [], {})).output, []);
  });

  it("gives the outputs in the order of the items, whatever the order of the answers", async () => {
    const late: Behaviour = (one) => completes(10 - Number(one.task.input))(one);
    const { output } = await runNodes([each("input", { concurrency: 4 })], [], [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(output, [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual((await runNodes([each("input")], [], [1, 5, 9, 3], late)).output, [1, 5, 9, 3]);
  });

  it("never runs more items at once than its concurrency says, and always as many as it may", async () => {
    const { disk } = await runNodes(
      [each("input", { concurrency: 3 })],
      [],
      Array.from({ length: 20 }, (_none, at) => at),
    );
    let running = 0;
    let most = 0;
    for (const { type } of eventsOf(disk)) {
      if (type === "task.created") most = Math.max(most, ++running);
      if (type === "task.completed") running--;
    }
    assert.equal(most, 3);
  });

  it("shows in each item's input the item and its place", async () => {
    const input = "{'item': item.name, 'index': index, 'of': input.of}";
    const node = each("input.list", { task: { ...work, input } });
    const { output } = await runNodes([node], [], { list: [{ name: "x" }, { name: "y" }], of: 2 });
    assert.deepEqual(output, [
      { item: "x", index: 0, of: 2 },
      { item: "y", index: 1, of: 2 },
    ]);
  });

  it("of ten thousand items ends, and one more is refused", async () => {
    const many = Array.from({ length: MAX_ITEMS }, (_none, at) => at);
    const { output } = await runNodes([each("input", { concurrency: 100 })], [], many);
    assert.deepEqual(output, many);
    const { row } = await runNodes([each("input")], [], [...many, 0]);
    assert.deepEqual([row.status, row.error?.code], ["failed", "runtime/limit"]);
  });

  it("over what isn't a list fails the run", async () => {
    for (const items of ["input", "input.n == 1 ? null : []", "input.n == 1 ? 'text' : []", "input.missing"]) {
      const { row } = await runNodes([each(items)], [], { n: 1 });
      assert.deepEqual([row.status, row.error?.code], ["failed", "expression/failed"], items);
    }
  });

  it("fails with its first failed item and stops the others, or collects what failed", async () => {
    const picky: Behaviour = (one) => (one.task.input === "2" ? fails(1, "bad")(one) : completes(5)(one));
    const { row } = await runNodes([each("input")], [], [1, 2, 3], picky);
    assert.deepEqual([row.status, row.error?.code], ["failed", "bad"]);
    const collected = await runNodes([each("input", { onError: "collect" })], [], [1, 2, 3], picky);
    assert.deepEqual(collected.output, [1, { error: { code: "bad", message: "bad" } }, 3]);
  });

  it("whose list changes while it runs fails instead of waiting for ever", async () => {
    const slow: Behaviour = (one) => completes(one.task.parent?.node === "late" ? 5 : 2)(one);
    const nodes = [
      task("late", "[1, 2, 3, 4]"),
      each("has(nodes.late.output) ? nodes.late.output : [1, 2, 3, 4, 5, 6]", { concurrency: 1 }),
    ];
    const { row } = await runNodes(nodes, [], {}, slow);
    assert.deepEqual([row.status, row.error?.code], ["failed", "expression/failed"]);
  });

  it("doesn't let an item's output pass for another's", async () => {
    const forged: Behaviour = (one) => completes(1, one.task.input === "1" ? '1,"forged"' : "2")(one);
    const { row } = await runNodes([each("input")], [], [1, 2], forged);
    assert.deepEqual([row.status, row.error?.code], ["failed", "agent/output-invalid"]);
  });
});

describe("a run", () => {
  it("begins all branches of a parallel node in one commit", async () => {
    const branches = ["b1", "b2", "b3", "b4"];
    const edges = branches.map((to) => ({ from: "split", to }));
    const { disk } = await runNodes([{ id: "split", type: "parallel" }, ...branches.map((id) => task(id))], edges, {});
    const batch = disk.history.find(({ text }) => text.includes("execution.started"));
    assert.equal(batch?.text.match(/"task\.assigned"/gu)?.length, 4);
  });

  it("stays on the version that it began with, whatever is registered later", async () => {
    const world = await openWorld(1, { behaviour: never });
    const first: WorkflowInput = { id: "w", nodes: [task("a"), task("b")], edges: [{ from: "a", to: "b" }] };
    await world.submit(...serve("a"), registerWorkflow(first), startExecution("e", "w"));
    await world.submit(registerWorkflow({ id: "w", nodes: [task("z")] }), complete("e/a", 1));
    assert.ok(world.mirror.tasks.tasks.has("e/b"));
    await world.submit(startExecution("f", "w"));
    assert.ok(world.mirror.tasks.tasks.has("f/z"));
    const { version = "" } = world.mirror.workflows.executions.get("e") ?? {};
    await world.submit({ type: "execution.start", data: { id: "g", workflow: "w", version, input: "{}" } });
    assert.ok(world.mirror.tasks.tasks.has("g/a"));
    const before = world.committed.length;
    await world.submit(registerWorkflow({ id: "w", nodes: [task("z")] }));
    assert.equal(world.committed.length, before, "the same again is nothing new");
  });

  it("keeps its version alive, which goes with the last run when ten others were registered since", async () => {
    const world = await openWorld(1, { behaviour: never });
    const versions = (): number => world.engine.state.workflows.versions.size;
    for (let at = 0; at < 300; at++)
      await world.submit(registerWorkflow({ id: "w", title: String(at), nodes: [task("a")] }));
    assert.equal(versions(), KEPT_VERSIONS);
    const { version = "" } = world.engine.state.workflows.active.get("w") ?? {};
    await world.submit(startExecution("e", "w"), startExecution("f", "w"));
    for (let at = 0; at < KEPT_VERSIONS; at++)
      await world.submit(registerWorkflow({ id: "w", title: String(at), nodes: [task("z")] }));
    assert.equal(versions(), KEPT_VERSIONS + 1);
    const cancel = (id: string): CoreCommand => ({ type: "execution.cancel", data: { id } });
    await world.submit(cancel("e"));
    assert.equal(versions(), KEPT_VERSIONS + 1);
    await world.submit(cancel("f"));
    assert.equal(versions(), KEPT_VERSIONS);
    const late: CoreCommand = { type: "execution.start", data: { id: "g", workflow: "w", version, input: "{}" } };
    assert.deepEqual(await world.submit(late), ["workflow/unknown"]);
    assert.deepEqual(await world.submit(startExecution("g", "w"), cancel("g")), []);
    assert.equal(versions(), KEPT_VERSIONS, "the active one stays");
  });

  it("gives its priority to its tasks, unless they have their own", async () => {
    const world = await openWorld(1, { behaviour: never });
    const urgent: Node = { id: "u", type: "task", ...work, priority: "critical" };
    await world.submit(registerWorkflow({ id: "w", nodes: [task("a"), urgent, each("[1]")] }));
    await world.submit({ type: "execution.start", data: { id: "e", workflow: "w", input: "{}", priority: "low" } });
    const priorities = [...world.mirror.tasks.tasks.values()].map(({ priority }) => priority);
    assert.deepEqual(priorities, ["low", "critical", "low"]);
  });

  it("fails when one of its tasks is cancelled, and cancels what else it runs", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(
      ...serve("a", { slots: 9 }),
      registerWorkflow({ id: "w", nodes: [task("a"), task("b"), ask(), each("[1, 2]")] }),
    );
    await world.submit(startExecution("e", "w"), cancelTask("e/a"));
    assert.equal(world.mirror.tasks.tasks.size + world.mirror.approvals.approvals.size, 0);
    const types = world.committed.slice(-7).map(({ type }) => type);
    assert.deepEqual(types, [
      ...["task.cancelled", "node.failed", "execution.failed"],
      ...["task.cancelled", "task.cancelled", "task.cancelled", "approval.cancelled"],
    ]);
    const row = JSON.parse(world.disk.archived.findLast(({ kind }) => kind === "execution")?.text ?? "") as Execution;
    assert.equal(row.error?.code, "task/cancelled");
  });

  it("puts out what its output says, or fails when that can't be had", async () => {
    const nodes = [task("a"), task("b")];
    const good = await run({ nodes, output: "{'sum': nodes.a.output.n + nodes.b.output.n}" }, { n: 2 });
    assert.deepEqual(good.output, { sum: 4 });
    const bad = await run({ nodes, output: "nodes.a.output.x" }, { n: 2 });
    assert.deepEqual([bad.row.status, bad.row.error?.code], ["failed", "expression/failed"]);
  });

  it("doesn't let a task's output pass for another's", async () => {
    const forged: Behaviour = (one) => completes(1, one.task.parent?.node === "a" ? '1,"b":"forged"' : "2")(one);
    const { row } = await runNodes([task("a"), task("b")], [], {}, forged);
    assert.deepEqual([row.status, row.error?.code], ["failed", "json/invalid"]);
  });

  it("fails when what a task would get is too large or too deep, and the engine goes on", async () => {
    const big: Behaviour = (one) =>
      completes(1, one.task.parent?.node === "each" ? JSON.stringify("x".repeat(3_000_000)) : "1")(one);
    const edges = [{ from: "each", to: "next" }];
    const large = await runNodes([each("[1, 2, 3]"), task("next", "nodes.each.output")], edges, {}, big);
    assert.deepEqual([large.row.status, large.row.error?.code], ["failed", "json/too-large"]);
    const deep: Behaviour = completes(1, "[".repeat(64) + "]".repeat(64));
    const nested = await runNodes([each("[1]"), task("next", "nodes.each.output")], edges, {}, deep);
    assert.deepEqual([nested.row.status, nested.row.error?.code], ["failed", "json/too-deep"]);
  });

  it("is refused under an id that is taken, or could be taken for a node's", async () => {
    const registered = [registerWorkflow({ id: "w", nodes: [task("a")] }), startExecution("e", "w")];
    await given(...registered)
      .when(startExecution("e", "w"))
      .gives("refused: execution/duplicate");
    await given(...registered)
      .when(startExecution("e/a", "w"))
      .gives("refused: command/invalid");
    await given(...registered)
      .when(createTask("e/a"))
      .gives("refused: command/invalid");
  });

  it("writes nothing into the journal that differs between runtimes, such as a stack", async () => {
    const broken: readonly CoreCommand[] = [
      registerWorkflow({ id: "w1", nodes: [task("a", "input.x")] }),
      registerWorkflow({ id: "w2", nodes: [each("input.x")] }),
      registerWorkflow({ id: "w3", nodes: [task("a")], output: "input.x" }),
      ...["w1", "w2", "w3"].map((id) => startExecution(`e${id}`, id)),
      startExecution("raw", "w1", 1),
      { type: "execution.start", data: { id: "bad", workflow: "w1", input: "{" } },
    ];
    const world = await openWorld(1);
    await world.submit(...serve("a", { slots: 9 }), ...broken);
    await world.finish();
    const failed = world.disk.archived.filter(({ text }) => text.includes('"failed"'));
    assert.equal(failed.length, 5);
    assert.ok(!world.disk.history.some(({ text }) => /"stack"|"cause"|\.ts|Unexpected/u.test(text)));
  });
});
