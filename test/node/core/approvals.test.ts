/** Approvals: who may answer, what the answer does, and what happens when none comes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import type { Disk } from "./disk.ts";
import { completes, never, openHost, openWorld, START, type HostOptions } from "./kit.ts";
import { answer, registerWorkflow, serve, startExecution } from "./things.ts";

type Node = WorkflowInput["nodes"][number];

const work = { capabilities: ["work"], retry: { maxAttempts: 1 } };
const task = (id: string, input?: string): Node => ({ id, type: "task", ...work, ...(input && { input }) });
const ask = (more: Partial<Extract<Node, { type: "approval" }>> = {}): Node => ({
  id: "ask",
  type: "approval",
  message: "Go on?",
  ...more,
});

describe("an approval", () => {
  const open = async (
    more: Parameters<typeof ask>[0] = {},
    options: Partial<HostOptions> = {},
  ): Promise<Awaited<ReturnType<typeof openWorld>>> => {
    const nodes = [ask(more), task("yes"), task("no")];
    const edges = [
      { from: "ask", to: "yes", when: "nodes.ask.output.approved" },
      { from: "ask", to: "no", when: "!nodes.ask.output.approved" },
    ];
    const world = await openWorld(1, { behaviour: completes(1, '"done"'), ...options });
    await world.submit(...serve("a"), registerWorkflow({ id: "w", nodes, edges, output: "nodes.ask.output" }));
    await world.submit(startExecution("e", "w", { sum: 5 }));
    return world;
  };
  const rowOf = ({ disk }: { readonly disk: Disk }): Execution =>
    JSON.parse(disk.archived.findLast(({ kind }) => kind === "execution")?.text ?? "null") as Execution;

  it("shows its payload, and ends with who said what", async () => {
    const world = await open({ payload: "input.sum" });
    assert.equal(world.mirror.approvals.approvals.get("e/ask")?.payload, "5");
    const data = '{"note":"fine"}';
    await world.submit({
      type: "approval.answer",
      data: { id: "e/ask", approved: true, by: "ann", reason: "ok", data },
    });
    await world.finish();
    const { status, output } = rowOf(world);
    assert.equal(status, "completed");
    assert.deepEqual(JSON.parse(output ?? ""), { approved: true, by: "ann", reason: "ok", data: { note: "fine" } });
  });

  it("that is rejected fails the run, or is followed where its edges lead", async () => {
    const failing = await open();
    await failing.submit(answer("e/ask", false));
    await failing.finish();
    assert.deepEqual([rowOf(failing).status, rowOf(failing).error?.code], ["failed", "approval/rejected"]);
    const followed = await open({ onReject: "continue" });
    await followed.submit(answer("e/ask", false));
    await followed.finish();
    const ended = new Map(rowOf(followed).nodes?.map(({ node, status }) => [node, status]));
    assert.deepEqual([ended.get("yes"), ended.get("no")], ["skipped", "completed"]);
  });

  it("takes one answer, from those who may give it", async () => {
    const world = await open({ approvers: ["ann", "bob"] });
    assert.deepEqual(await world.submit(answer("e/ask", true, "eve")), ["approval/forbidden"]);
    assert.deepEqual(await world.submit(answer("e/other", true)), ["approval/closed"]);
    assert.deepEqual(await world.submit(answer("e/ask", true, "bob"), answer("e/ask", false, "ann")), [
      "approval/closed",
    ]);
    await world.finish();
    assert.equal(rowOf(world).status, "completed");
  });

  it("doesn't take a note that isn't JSON, since that could pass for another answer", async () => {
    const world = await open();
    for (const data of ["", "{", 'null,"approved":true', '1,"by":"ann"', "[".repeat(99) + "]".repeat(99)]) {
      const [code] = await world.submit({
        type: "approval.answer",
        data: { id: "e/ask", approved: false, by: "eve", data },
      });
      assert.ok(code?.startsWith("json/"), data);
    }
    assert.equal(world.mirror.approvals.approvals.size, 1);
  });

  for (const onTimeout of ["approve", "reject"] as const)
    it(`runs out at its moment, across restarts too, and then says ${onTimeout}`, async () => {
      const world = await open({ timeout: 5_000, onTimeout, onReject: "continue" });
      await world.advance(4_000);
      world.kill();
      const next = await openHost({ ...world, behaviour: never });
      await next.settle();
      assert.equal(next.engine.nextDue(), START + 5_000);
      await next.advance(999);
      assert.equal(next.engine.state.approvals.approvals.size, 1);
      await next.advance(1);
      const decided = next.committed.find(({ type }) => type === "approval.decided");
      assert.deepEqual(
        [decided?.at, decided?.data],
        [
          START + 5_000,
          {
            id: "e/ask",
            approved: onTimeout === "approve",
            by: "timeout",
            reason: "nobody answered in time",
            expired: true,
            parent: { execution: "e", node: "ask" },
          },
        ],
      );
    });

  it("that has run out takes no answer any more, though nobody woke the engine yet", async () => {
    const world = await open({ timeout: 5_000 });
    world.time.set(START + 5_000);
    assert.deepEqual(await world.submit(answer("e/ask", true)), ["approval/expired"]);
  });
});
