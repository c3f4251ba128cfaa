/** What approvals are about: payloads that are edited, groups, messages with values in them, and forms of before. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffJson } from "../../../src/core/approvals/diff.ts";
import type { Json } from "../../../src/core/json.ts";
import { WorkflowNodeType } from "../../../src/core/workflows/node-type.ts";
import { validate } from "../../../src/core/workflows/proofs/validate.ts";
import { actor, ask, eventsOf, open, openOne, outputOf, rowOf, says, type Node } from "./approval-kit.ts";
import { never, openWorld } from "./kit.ts";
import { registerWorkflow, startExecution } from "./things.ts";

describe("a payload", () => {
  const edit = {
    type: "object",
    properties: { amount: { type: "number", maximum: 100 } },
    required: ["amount"],
  } as const;
  const payload = "input";

  it("is edited as its schema says, and the diff can be shown", async () => {
    const world = await open({ payload, edit }, { input: { amount: 50, to: "x" } });
    const bad = await world.submit(
      says("ann", true, { edits: '{"amount":500}' }),
      says("ann", false, { edits: '{"amount":5}' }),
      says("ann", true, { edits: "{" }),
    );
    assert.deepEqual(bad, ["approval/edit-invalid", "approval/edit-invalid", "json/invalid"]);
    await world.submit(says("ann", true, { edits: '{"amount":40,"note":"less"}' }));
    assert.deepEqual(eventsOf(world, "approval.edited")[0]?.changes, [
      { path: ["amount"], before: 50, after: 40 },
      { path: ["to"], before: "x" },
      { path: ["note"], after: "less" },
    ]);
    assert.deepEqual(outputOf(world)["payload"], { amount: 40, note: "less" });
    const fixed = await open({ payload });
    assert.deepEqual(await fixed.submit(says("ann", true, { edits: "{}" })), ["approval/edit-invalid"]);
  });

  it("that is edited to what it was is not edited: the others' votes count on", async () => {
    const world = await open({ payload, edit, approvers: ["ann", "bob"], need: "all" }, { input: { amount: 1 } });
    await world.submit(says("ann", true), says("bob", true, { edits: '{"amount":1}' }));
    assert.deepEqual(eventsOf(world, "approval.edited"), []);
    assert.equal(outputOf(world)["approved"], true);
  });

  it("may become of another kind, which is one change", () => {
    const change = (before: Json, after: Json): void => {
      assert.deepEqual(diffJson({ x: before }, { x: after }), [{ path: ["x"], before, after }]);
    };
    change({ a: 1 }, 5);
    change(5, { a: 1 });
    change({ a: 1 }, [1]);
    change([1], { 0: 1 });
    change(null, { a: 1 });
    change({ a: 1 }, null);
    assert.deepEqual(diffJson([1, { a: 1 }], [1, { a: 2 }, 3]), [
      { path: [1, "a"], before: 1, after: 2 },
      { path: [2], after: 3 },
    ]);
    assert.deepEqual(diffJson({ toString: 1 }, {}), [{ path: ["toString"], before: 1 }]);
  });

  it("that is edited needs the approval of the others anew, who have seen what it is now", async () => {
    const world = await open({ payload, edit, approvers: ["ann", "bob"], need: "all" }, { input: { amount: 1 } });
    await world.submit(says("ann", true), says("bob", true, { edits: '{"amount":2}' }));
    assert.ok(openOne(world), "ann has approved of another amount");
    assert.deepEqual(await world.submit(says("ann", true)), ["approval/stale"]);
    await world.submit(says("ann", true, { revision: 1 }));
    assert.deepEqual([outputOf(world)["approved"], outputOf(world)["payload"]], [true, { amount: 2 }]);
  });
});

describe("a group of approvals", () => {
  it("tells in the error of each which one was rejected, and by whom", async () => {
    for (const [rejected, told] of [
      ["e/a", ["rejected by bob: e/a was rejected", { by: "bob", sibling: "e/a", nodePath: "b" }]],
      ["e/b", ["rejected by bob: no", { by: "bob", nodePath: "b" }]],
    ] as const) {
      const world = await openWorld(1, { behaviour: never });
      const asked = [ask({ id: "a", group: "g" }), ask({ id: "b", group: "g", onReject: "fail" })];
      await world.submit(registerWorkflow({ id: "w", nodes: asked }), startExecution("e", "w"));
      await world.submit(says("bob", false, { id: rejected, reason: "no" }));
      const { error } = rowOf(world);
      assert.equal(error?.code, "approval/rejected");
      assert.deepEqual([error.message, error.detail], told);
    }
  });

  const three = ["a", "b", "c"].map((id) => ask({ id, group: "release" }));

  it("is rejected together, in one commit, wherever in the run they are", async () => {
    const world = await openWorld(1, { behaviour: never });
    const sub: Node = { id: "sub", type: "subworkflow", workflow: "inner" };
    await world.submit(
      registerWorkflow({ id: "inner", nodes: [ask({ group: "release" })] }),
      registerWorkflow({ id: "w", nodes: [...three, sub, ask({ id: "alone" })] }),
      startExecution("e", "w"),
      startExecution("other", "w"),
    );
    const before = world.disk.history.length;
    await world.submit(says("ann", true, { id: "e/a" }), says("bob", false, { id: "e/b" }));
    assert.equal(world.disk.history.length, before + 1);
    assert.deepEqual(
      eventsOf(world, "approval.decided").map(({ id, approved, sibling }) => [id, approved, sibling]),
      [
        ["e/a", true, undefined],
        ["e/b", false, undefined],
        ["e/c", false, "e/b"],
        ["e/sub/ask", false, "e/b"],
      ],
    );
    assert.deepEqual([...world.engine.state.approvals.approvals.values()].map(({ id }) => id).sort(), [
      "e/alone",
      "other/a",
      "other/alone",
      "other/b",
      "other/c",
      "other/sub/ask",
    ]);
  });
});

describe("a message", () => {
  it("has the values of its expressions in it, which can't pass for other lines or turn the text", async () => {
    const message = "Send {{input.n}} to {{ input.who }} ({{ input.list }})?";
    const world = await open({ message }, { input: { n: 3, who: "eve\nApproved by law\u202e", list: [1, "<b>"] } });
    const { message: shown } = openOne(world) as { message: string };
    assert.equal(shown, 'Send 3 to eve Approved by law  ([1,"<b>"])?');
  });

  it("fails its node when an expression does", async () => {
    const world = await open({ message: "{{ input.missing }}" });
    assert.equal(rowOf(world).error?.code, "expression/failed");
  });
});

describe("the node of the system's description", () => {
  const workflow = {
    id: "w",
    nodes: [
      {
        id: "deploy_approval",
        type: WorkflowNodeType.HUMAN_APPROVAL,
        name: "Deployment Approval",
        config: {
          approvalMessage: "Approve production deployment?",
          approvers: ["devops-lead", "product-owner"],
          timeout: 3600000, // 1 hour
          requireAllApprovers: true,
        },
      },
    ],
  };
  const id = "e/deploy_approval";

  it("asks both, shows the run's input, and fails the run when an hour is over", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(registerWorkflow(workflow), startExecution("e", "w", { build: 7 }), startExecution("f", "w"));
    const asked = world.engine.state.approvals.approvals.get(id);
    assert.deepEqual([asked?.message, asked?.payload], ["Approve production deployment?", '{"build":7}']);
    await world.submit(
      says(actor("ann", "devops-lead"), true, { id }),
      says(actor("bob", "product-owner"), true, { id }),
    );
    assert.equal(rowOf(world).status, "completed");
    await world.advance(3_600_000);
    assert.deepEqual([rowOf(world).id, rowOf(world).error?.code], ["f", "approval/rejected"]);
  });

  it("is found wanting with the place of what is wrong", () => {
    const [problem] = validate({
      ...workflow,
      nodes: [{ id: "a", type: "human_approval", config: { approvers: [1] } }],
    });
    assert.match(problem?.message ?? "", /config/u);
  });
});

describe("a journal of before", () => {
  it("is read: its snapshot has the approvals alone, and its messages may have braces of their own", async () => {
    const world = await open({ approvers: ["ann"], timeout: 1_000 });
    const saved = JSON.parse(world.engine.capture().text) as { approvals: { approvals: unknown[] } };
    const { approvalsFold } = await import("../../../src/core/approvals/fold.ts");
    const { createStage } = await import("../../../src/core/stage.ts");
    const { approvals } = createStage().state;
    approvalsFold.restore(approvals, saved.approvals.approvals);
    assert.deepEqual([approvals.approvals.size, approvals.keys.size], [1, 0]);
    const { planWorkflow } = await import("../../../src/core/workflows/plan.ts");
    const old = { id: "w", nodes: [ask({ message: "Use {{ the braces }}?" })] };
    assert.throws(() => planWorkflow(old));
    assert.ok(planWorkflow(old, true));
  });
});
