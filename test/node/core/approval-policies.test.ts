/** Policies of approvals: who counts, what it takes, and what happens as time goes by. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreCommand } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { actor, ask, eventsOf, open, openOne, outputOf, rowOf, says, type Ask, type Node } from "./approval-kit.ts";
import { never, openHost, openWorld, START } from "./kit.ts";
import { registerWorkflow, startExecution } from "./things.ts";

describe("approvers", () => {
  it("are known by id or by role, and each counts once", async () => {
    const world = await open({ approvers: [{ id: "ann" }, { role: "editor" }], need: 2 });
    assert.deepEqual(await world.submit(says(actor("editor"), true), says(actor("bob", "ann"), true)), [
      "approval/forbidden",
      "approval/forbidden",
    ]);
    assert.deepEqual(await world.submit(says(actor("bob", "editor"), true), says(actor("bob", "editor"), true)), []);
    assert.ok(openOne(world));
    await world.submit(says(actor("ann"), true));
    assert.equal(rowOf(world).status, "completed");
    const votes = outputOf(world)["votes"] as readonly { readonly id: string }[];
    assert.deepEqual(
      votes.map(({ id }) => id),
      ["bob", "ann"],
    );
  });

  it("fill every seat by another person when all are needed", async () => {
    const world = await open({ approvers: ["lead", "owner"], need: "all" });
    await world.submit(says(actor("ann", "lead", "owner"), true), says(actor("eve", "lead"), true));
    assert.equal(outputOf(world)["approved"], true, "eve leads, so ann can be the owner");
    const one = await open({ approvers: ["lead", "owner"], need: "all" });
    await one.submit(says(actor("ann", "lead", "owner"), true), says(actor("ann", "lead", "owner"), true));
    assert.ok(openOne(one), "one person sits on one seat");
    await one.submit(says(actor("bob", "owner"), false));
    assert.equal(outputOf(one)["approved"], false);
  });

  it("weigh what their seats weigh, and a veto outweighs them all", async () => {
    const approvers = [
      { id: "ann", weight: 3 },
      { id: "bob", weight: 2 },
      { id: "law", weight: 0, veto: true },
    ];
    const world = await open({ approvers, need: { weight: 4 } });
    await world.submit(says("ann", true), says("law", true));
    assert.ok(openOne(world));
    await world.submit(says("bob", true));
    assert.equal(outputOf(world)["approved"], true);
    const vetoed = await open({ approvers, need: { weight: 4 } });
    await vetoed.submit(says("ann", true), says("law", false));
    assert.deepEqual([outputOf(vetoed)["approved"], outputOf(vetoed)["by"]], [false, "law"]);
  });

  it("reject when too few are left to approve", async () => {
    const world = await open({ approvers: ["a", "b", "c"], need: 2 });
    await world.submit(says("a", false));
    assert.ok(openOne(world));
    await world.submit(says("b", false));
    assert.equal(outputOf(world)["approved"], false);
  });

  it("change their minds only where that is said", async () => {
    const fixed = await open({ approvers: ["a", "b", "c"], need: 2 });
    assert.deepEqual(await fixed.submit(says("a", false), says("a", true)), ["approval/voted"]);
    const free = await open({ approvers: ["a", "b", "c"], need: 2, revote: true });
    assert.deepEqual(await free.submit(says("a", false), says("a", true), says("b", true)), []);
    assert.equal(outputOf(free)["approved"], true);
  });

  it("don't decide on what they have started themselves, in runs within it neither", async () => {
    const world = await open({}, { by: "ann" });
    assert.deepEqual(await world.submit(says(actor("ann"), true), says("ann", true)), [
      "approval/self",
      "approval/self",
    ]);
    await world.submit({ type: "approval.delegate", data: { to: "bob", for: 1_000, actor: actor("ann") } });
    const allowed = await open({ selfApproval: true }, { by: "ann" });
    assert.deepEqual(await allowed.submit(says(actor("ann"), true)), []);
    const deep = await openWorld(1, { behaviour: never });
    const inner = { id: "inner", nodes: [ask({ id: "ask" })] };
    const outer: WorkflowInput = { id: "w", nodes: [{ id: "sub", type: "subworkflow", workflow: "inner" }] };
    await deep.submit(registerWorkflow(inner), registerWorkflow(outer), {
      type: "execution.start",
      data: { id: "e", workflow: "w", input: "{}", actor: actor("ann") },
    });
    assert.deepEqual(await deep.submit(says(actor("ann"), true, { id: "e/sub/ask" })), ["approval/self"]);
  });

  it("are who the host says they are", async () => {
    const world = await open({ approvers: ["ann"], trust: "session" });
    assert.deepEqual(await world.submit(says(actor("eve"), true, { by: "ann" }), says("ann", true)), [
      "approval/forbidden",
      "approval/untrusted",
    ]);
    await world.submit(says(actor("ann"), true));
    assert.equal(eventsOf(world, "approval.decided")[0]?.level, "session");
  });

  it("who aren't any are refused, and that stays in the journal", async () => {
    const world = await open({ approvers: ["ann"] });
    const foreign = await world.submit(says("eve", true));
    await world.submit(says("ann", true));
    const late = await world.submit(says("ann", false));
    assert.deepEqual([...foreign, ...late], ["approval/forbidden", "approval/closed"]);
    assert.deepEqual(
      eventsOf(world, "approval.refused").map(({ by, approved, error }) => [by, approved, error.code]),
      [
        ["eve", true, "approval/forbidden"],
        ["ann", false, "approval/closed"],
      ],
    );
  });

  it("say why where a reason is asked for", async () => {
    const world = await open({ needReason: "rejection" });
    assert.deepEqual(await world.submit(says("ann", false), says("ann", false, { reason: "  " })), [
      "approval/reason-missing",
      "approval/reason-missing",
    ]);
    await world.submit(says("ann", false, { reason: "too early" }));
    assert.equal(outputOf(world)["reason"], "too early");
  });

  it("have their reasons kept with their votes, and no reason where they gave none", async () => {
    const world = await open({ approvers: ["ann", "bob", "carl"], need: "all" });
    await world.submit(says("ann", true, { reason: "seen" }), says("bob", true));
    const votes = eventsOf(world, "approval.voted").map(({ vote }) => vote);
    assert.deepEqual(votes.map(({ by, reason }) => [by, reason]), [["ann", "seen"], ["bob", undefined]]); // prettier-ignore
    assert.deepEqual(votes.map((vote) => "reason" in vote), [true, false]); // prettier-ignore
    assert.equal(world.engine.state.approvals.groups.size, 0, "who has no group stands in none");
  });
});

describe("a delegation", () => {
  const delegate = (from: string, to: string, span: number): CoreCommand => ({
    type: "approval.delegate",
    data: { from, to, for: span },
  });

  it("lets another answer until its end, for one vote", async () => {
    const world = await open({ approvers: ["ann", "bob"], need: "all" });
    assert.deepEqual(await world.submit(says("carl", true)), ["approval/forbidden"]);
    await world.submit(delegate("ann", "carl", 5_000));
    assert.deepEqual(await world.submit(says("carl", true), says("ann", true)), ["approval/voted"]);
    await world.submit(delegate("bob", "carl", 5_000));
    assert.deepEqual(await world.submit(says("carl", true)), [], "the same again");
    assert.ok(openOne(world), "nobody has two votes");
    await world.submit(says("bob", true));
    assert.equal(outputOf(world)["approved"], true);
  });

  it("ends by its time, also when it is a restart that sees it, and when it is taken back", async () => {
    const world = await open({ approvers: ["ann"] });
    await world.submit(delegate("ann", "carl", 5_000), delegate("ann", "dora", 9_000), delegate("ann", "dora", 0));
    assert.deepEqual(await world.submit(says("dora", true)), ["approval/forbidden"]);
    world.kill();
    const next = await openHost({ ...world, behaviour: never });
    world.time.set(world.time.now() + 5_000);
    assert.deepEqual(
      await next.submit(says("carl", true)),
      ["approval/forbidden"],
      "though nobody woke the engine yet",
    );
    await next.advance(1);
    assert.equal(next.engine.state.approvals.delegates.size, 0);
    assert.deepEqual(await next.submit(says("carl", true)), ["approval/forbidden"]);
  });

  it("of who has started the run gives nobody a vote", async () => {
    const world = await open({ approvers: ["ann"] }, { by: "ann" });
    await world.submit(delegate("ann", "carl", 5_000));
    assert.deepEqual(await world.submit(says("carl", true)), ["approval/forbidden"]);
  });

  it("isn't trusted more than the one who gave it", async () => {
    const world = await open({ approvers: ["ann"], trust: "session" });
    await world.submit(delegate("ann", "carl", 5_000));
    assert.deepEqual(await world.submit(says(actor("carl"), true)), ["approval/forbidden"]);
    assert.deepEqual(
      await world.submit({ type: "approval.delegate", data: { from: "ann", to: "x", for: 9, actor: actor("x") } }),
      ["approval/forbidden"],
    );
    await world.submit({ type: "approval.delegate", data: { to: "carl", for: 5_000, actor: actor("ann") } });
    assert.deepEqual(await world.submit(says(actor("carl"), true)), []);
    assert.equal(eventsOf(world, "approval.decided")[0]?.for, "ann");
  });
});

describe("an approval that nobody answers", () => {
  it("reminds, escalates step by step across restarts, and ends as the last step says", async () => {
    const world = await open({
      approvers: ["ann"],
      timeout: 10_000,
      remind: 4_000,
      escalation: [
        { approvers: ["boss"], timeout: 5_000 },
        { approvers: ["chief"], timeout: 5_000, onTimeout: "approve" },
      ],
    });
    await world.advance(9_999);
    assert.deepEqual(
      eventsOf(world, "approval.reminded").map(({ number }) => number),
      [1, 2],
    );
    world.kill();
    world.time.set(START + 60_000); // all times are over, but nobody was asked yet
    const next = await openHost({ ...world, behaviour: never });
    next.engine.wake();
    await next.settle();
    assert.deepEqual(
      eventsOf(next, "approval.escalated").map(({ step, approvers }) => [step, approvers]),
      [[1, ["boss"]]],
    );
    assert.deepEqual(await next.submit(says("ann", true)), ["approval/forbidden"]);
    assert.equal(next.engine.nextDue(), START + 65_000, "the next ones have their whole time, and no reminders");
    await next.advance(10_000);
    const [decided] = eventsOf(next, "approval.decided");
    assert.deepEqual([decided?.approved, decided?.by, decided?.expired], [true, "timeout", true]);
  });

  it("counts on the votes of those who are asked on, which may be enough", async () => {
    const step = { approvers: ["ann", "boss"], need: 1, timeout: 5_000 };
    const world = await open({ approvers: ["ann", "bob"], need: "all", timeout: 5_000, escalation: [step] });
    await world.submit(says("ann", true));
    await world.advance(5_000);
    assert.deepEqual([outputOf(world)["approved"], outputOf(world)["by"]], [true, "ann"]);
    assert.equal(outputOf(world)["reason"] ?? undefined, undefined);
  });

  it("takes the reason along of the vote that is enough now", async () => {
    const step = { approvers: ["ann", "boss"], need: 1, timeout: 5_000 };
    const world = await open({ approvers: ["ann", "bob"], need: "all", timeout: 5_000, escalation: [step] });
    await world.submit(says("ann", true, { reason: "fine" }));
    await world.advance(5_000);
    assert.deepEqual([outputOf(world)["approved"], outputOf(world)["reason"]], [true, "fine"]);
  });

  it("fails along the error edge where that is said", async () => {
    const world = await openWorld(1, { behaviour: never });
    const late: Node = { id: "late", type: "join" };
    const edges = [{ from: "ask", to: "late", on: "error" as const, codes: ["approval/expired"] }];
    const nodes = [ask({ timeout: 1_000, onTimeout: "fail" }), late];
    await world.submit(registerWorkflow({ id: "w", nodes, edges }), startExecution("e", "w"));
    await world.advance(1_000);
    const ended = new Map(rowOf(world).nodes?.map(({ node, status }) => [node, status]));
    assert.deepEqual([ended.get("ask"), ended.get("late")], ["failed", "completed"]);
  });

  it("takes no policy that says what can't be", async () => {
    const step = { approvers: ["boss"] };
    const flawed: readonly Ask[] = [
      { need: "all" },
      { need: { weight: 2 } },
      { escalation: [step] },
      { timeout: 1, onTimeout: "reject", escalation: [step] },
      { timeout: 1, onTimeout: "escalate" },
      { edit: { pattern: "x" } as never },
      { message: "{{ nodes.nowhere.output }}" },
      { message: "{{ 1 + }}" },
    ];
    for (const more of flawed) {
      const world = await openWorld(1, { behaviour: never });
      const refused = await world.submit(registerWorkflow({ id: "w", nodes: [ask(more)] }));
      assert.deepEqual(refused, ["workflow/invalid"], JSON.stringify(more));
    }
  });
});
