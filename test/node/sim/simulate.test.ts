/** `simulate` of `troupe/testing`: users' own workflows, with the host killed behind every event. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AgentContext } from "../../../src/agent.ts";
import { RuntimeError } from "../../../src/core/errors.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { simulate } from "../../../src/testing.ts";

interface Order {
  readonly price: number;
}

const order: WorkflowInput = {
  id: "order",
  nodes: [
    { id: "charge", type: "task", capabilities: ["charge"] },
    { id: "ask", type: "approval", message: "Ship it?" },
    { id: "ship", type: "task", capabilities: ["ship"], input: "nodes.charge.output" },
  ],
  edges: [
    { from: "charge", to: "ask" },
    { from: "ask", to: "ship" },
  ],
  output: "nodes.ship.output",
};

const play: NonNullable<Parameters<typeof simulate>[1]["play"]> = (runtime) => {
  runtime.on("human_approval_request", ({ id }) => {
    runtime.answer(id, { approved: true, by: "ann" });
  });
};

describe("simulate", () => {
  it("finds no difference in a workflow whose effects are done once", async () => {
    const charges = new Set<string>();
    const report = await simulate(order, {
      input: { price: 7 },
      play,
      agents: {
        charge: ({ price }: Order, { task }: AgentContext) => {
          charges.add(task.idempotencyKey);
          return { paid: price };
        },
        ship: async ({ paid }: { paid: number }) => {
          await new Promise((resolve) => setTimeout(resolve, 30_000));
          return { shipped: paid };
        },
      },
      seeds: 2,
    });
    assert.deepEqual(report.differences, []);
    assert.deepEqual(report.outcome, { status: "completed", output: { shipped: 7 } });
    assert.ok(report.events > 10, `${report.events} events`);
    assert.ok(report.crashes > 10, `${report.crashes} crashes`);
  });

  it("tells what differs when an agent's output depends on how often it is run", async () => {
    let runs = 0;
    const { differences, outcome } = await simulate(order, {
      play,
      agents: { charge: () => ++runs, ship: (paid: number) => paid },
      seeds: 1,
    });
    assert.deepEqual(outcome, { status: "completed", output: 1 });
    assert.ok(differences.some(({ crashAt, difference }) => crashAt !== undefined && difference.includes("/output")));
  });

  it("tells how a run fails, and takes that for the same when it fails so every time", async () => {
    const { outcome, differences } = await simulate(
      { id: "bad", nodes: [{ id: "try", type: "task", capabilities: ["try"], retry: { maxAttempts: 2 } }] },
      {
        agents: {
          try: () => {
            throw new Error("no");
          },
        },
        seeds: 1,
      },
    );
    assert.equal(outcome.status, "failed");
    assert.deepEqual(differences, []);
  });

  it("refuses options that are none, and a run that doesn't end by itself", async () => {
    const agents = { charge: () => 1 };
    const refused = (code: string, at: RegExp) => (error: unknown) =>
      error instanceof RuntimeError && error.code === code && at.test(JSON.stringify(error.detail));
    await assert.rejects(simulate(order, { agents, seeds: 0 }), refused("command/invalid", /seeds/u));
    await assert.rejects(simulate(order, { agents, within: 60_000, play }), refused("command/invalid", /order|ship/u));
    await assert.rejects(simulate({ id: "none", nodes: [] }, { agents }), RuntimeError);
  });

  it("leaves the globals as they were", async () => {
    const before = [setTimeout, Date, Math.random, globalThis.navigator, performance.now];
    await simulate(order, { agents: { charge: () => 1, ship: () => 2 }, play, crashAt: "never", seeds: 1 });
    assert.deepEqual([setTimeout, Date, Math.random, globalThis.navigator, performance.now], before);
    assert.ok(Math.abs(Date.now() - performance.timeOrigin - performance.now()) < 60_000);
  });
});
