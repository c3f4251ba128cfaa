/** Patterns of choices by others, of states, of cancelling and of triggers: see docs/workflow-patterns.md. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { never, type Behaviour } from "../kit.ts";
import { task, work } from "../runs.ts";
import { answer, cancelTask, complete } from "../things.ts";
import { begin, decision, ended, flow, historyOf, join, paced, parallel, play, type Node } from "./kit.ts";
import { eventsOf } from "../disk.ts";

const ask: Node = { id: "q", type: "approval", message: "Which?", timeout: 1_000, onReject: "continue" };
const limited = (id: string): Node => task(id, "null", { limits: [{ limit: "desk" }] });

/** How many tasks ran at once at most, and the order in which they started. */
function traceOf(events: ReturnType<typeof eventsOf>): { most: number; order: string[] } {
  let running = 0;
  let most = 0;
  const order: string[] = [];
  for (const { type, data } of events) {
    if (type === "task.assigned") most = Math.max(most, ++running);
    if (type === "task.assigned") order.push(data.id.split("/").at(-1) ?? "");
    if (type === "task.completed") running--;
  }
  return { most, order };
}

describe("workflow patterns: choices of others, and states", () => {
  it("16 Deferred choice: both ways are offered, and the answer of somebody else takes one", async () => {
    const nodes = [ask, decision("d"), "a", "b"];
    const offered = flow(nodes, ["q>d", "d>a if nodes.q.output.approved && nodes.q.output.data.way == 'a'", "d>b"]);
    for (const way of ["a", "b"]) {
      const world = await begin(offered, {}, paced({}));
      await world.submit({
        type: "approval.answer",
        data: { id: "e/q", approved: true, by: "ann", data: JSON.stringify({ way }) },
      });
      await world.finish();
      assert.deepEqual(historyOf(world.disk, "skipped"), [`skipped ${way === "a" ? "b" : "a"}`]);
    }
  });

  it("17, 40 Interleaved routing: in any order that the edges allow, but never two at once", async () => {
    const branches = [parallel("p"), limited("a1"), limited("a2"), limited("b"), limited("c")];
    const world = await begin(flow(["s"], []), {}, paced({}));
    await world.submit({ type: "limit.set", data: { name: "desk", concurrency: 1 } });
    await world.submit(
      {
        type: "workflow.register",
        data: { text: JSON.stringify({ ...flow(branches, ["p>a1", "a1>a2", "p>b", "p>c"]), id: "i" }) },
      },
      { type: "execution.start", data: { id: "i", workflow: "i", input: "{}" } },
    );
    await world.finish();
    const { most, order } = traceOf(
      eventsOf(world.disk).filter(({ data }) => "id" in data && data.id.startsWith("i/")),
    );
    assert.deepEqual([most, order.length], [1, 4]);
    assert.ok(order.indexOf("a1") < order.indexOf("a2"));
  });

  it("39 Critical section: of two runs one at a time is in it, as long as it is one task", async () => {
    const world = await begin(flow(["s"], []), {}, paced({ x: 20 }));
    await world.submit({ type: "limit.set", data: { name: "desk", concurrency: 1 } });
    const section = { ...flow([limited("x")], []), id: "c" };
    await world.submit({ type: "workflow.register", data: { text: JSON.stringify(section) } });
    for (const id of ["f", "g"])
      await world.submit({ type: "execution.start", data: { id, workflow: "c", input: "{}" } });
    await world.finish();
    const runs = eventsOf(world.disk).filter(({ data }) => "id" in data && /^[fg]\//u.test(data.id));
    assert.equal(traceOf(runs).most, 1);
  });

  it("18 Milestone: a way is open only while one node has ended and another one hasn't", async () => {
    const nodes = [parallel("p"), "reached", "left", "slow", "late", "z"];
    const edges = [
      "p>reached",
      "reached>left",
      "p>slow",
      "slow>late if has(nodes.reached.output) && !has(nodes.left.output)",
      "slow>z",
    ];
    const skips = async (delays: Record<string, number>): Promise<string[]> =>
      historyOf((await play(flow(nodes, edges), {}, delays)).disk, "skipped");
    assert.deepEqual(await skips({ reached: 2, slow: 5, left: 20 }), []);
    assert.deepEqual(await skips({ reached: 9, slow: 5, left: 20 }), ["skipped late"]);
    assert.deepEqual(await skips({ reached: 1, slow: 50, left: 2 }), ["skipped late"]);
  });
});

describe("workflow patterns: cancelling", () => {
  it("19 Cancel task: the task is withdrawn, and its node goes on along its error edge", async () => {
    const world = await begin(
      flow(["a", "b", "rescue"], ["a>b", "a>rescue on error"]),
      {},
      ({ task: one, attempt, ...rest }) => (one.parent?.node === "a" ? [] : paced({})({ task: one, attempt, ...rest })),
    );
    await world.submit(cancelTask("e/a"));
    await world.finish();
    assert.deepEqual(
      [ended(world)[0], historyOf(world.disk, "failed", "skipped")],
      ["completed", ["failed a", "skipped b"]],
    );
    assert.ok(historyOf(world.disk, "completed").includes("completed rescue"));
  });

  it("20 Cancel case: the whole run is withdrawn, with all that it has under way", async () => {
    const inner = { id: "m", type: "map", items: "[1, 2, 3]", task: work } as const;
    const world = await begin(flow([parallel("p"), "a", inner, ask], ["p>a", "p>m", "p>q"]), {}, never);
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    await world.finish();
    assert.equal(ended(world)[0], "cancelled");
    const { tasks, approvals, workflows } = world.engine.state;
    assert.deepEqual([tasks.tasks.size, approvals.approvals.size, workflows.executions.size], [0, 0, 0]);
  });

  it("25 Cancel region: the part of a run that is a graph of its own is withdrawn, and the rest goes on", async () => {
    const region = {
      id: "r",
      type: "loop",
      until: "true",
      body: { ...flow([parallel("p"), "x", "y"], ["p>x", "p>y"]), id: undefined },
    };
    const { id: _, ...body } = region.body;
    const slow: Behaviour = (one) => (["x", "y"].includes(one.task.parent?.node ?? "") ? [] : paced({ a: 50 })(one));
    const nodes = [parallel("s"), "a", { ...region, type: "loop", body } as Node, "z", join("j")];
    const world = await begin(flow(nodes, ["s>a", "s>r", "r>z on error", "a>j", "z>j"]), {}, slow);
    await world.advance(5);
    const [child] = [...world.engine.state.workflows.executions.values()].filter(({ parent }) => parent);
    await world.submit({ type: "execution.cancel", data: { id: child?.id ?? "" } });
    await world.finish();
    assert.equal(ended(world)[0], "completed");
    assert.deepEqual(historyOf(world.disk, "failed"), ["failed r"]);
    assert.ok(historyOf(world.disk, "completed").includes("completed a"));
  });

  const items = (onError: "fail" | "collect"): Node => ({
    id: "m",
    type: "map",
    items: "[1, 2, 3]",
    onError,
    task: { ...work },
  });
  const first: Behaviour = (one) => (one.task.input === "1" || one.task.parent?.node !== "m" ? paced({})(one) : []);

  it("26 Cancel multiple instance task: all that is left of the instances is withdrawn", async () => {
    const world = await begin(flow([items("fail"), "z"], ["m>z on error"]), {}, first);
    await world.advance(5);
    await world.submit(cancelTask("e/m/1"));
    await world.finish();
    assert.deepEqual([ended(world)[0], historyOf(world.disk, "failed")], ["completed", ["failed m"]]);
    assert.equal(eventsOf(world.disk).filter(({ type }) => type === "task.cancelled").length, 2);
  });

  it("27 Complete multiple instance task: what is left is withdrawn, and what is done goes on", async () => {
    const world = await begin(flow([items("collect"), task("z", "nodes.m.output[0]")], ["m>z"]), {}, first);
    await world.advance(5);
    await world.submit(cancelTask("e/m/1"), cancelTask("e/m/2"));
    await world.finish();
    assert.deepEqual(ended(world), ["completed", 1]);
  });
});

describe("workflow patterns: triggers", () => {
  it("23 Transient trigger: an answer is taken while somebody waits for it, and lost before", async () => {
    const world = await begin(flow(["a", ask], ["a>q"]), {}, never);
    assert.deepEqual(await world.submit(answer("e/q", true)), ["approval/closed"]);
    await world.submit(complete("e/a", 1));
    assert.deepEqual(await world.submit(answer("e/q", true)), []);
    await world.finish();
    assert.equal(ended(world)[0], "completed");
  });
});
