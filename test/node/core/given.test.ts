/** What runs are given: inputs under a schema, deadlines, and options that stand in the input. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { validate } from "../../../src/core/workflows/proofs/validate.ts";
import { eventsOf } from "./disk.ts";
import { completes, never, openHost, openWorld, START, type Behaviour } from "./kit.ts";
import { rowOf, task } from "./runs.ts";
import { registerWorkflow, serve, startExecution } from "./things.ts";

const inputSchema = {
  type: "object",
  properties: { n: { type: "integer", minimum: 1 }, tags: { type: "array", items: { type: "string" } } },
  required: ["n"],
  additionalProperties: false,
} as const;
const checked: WorkflowInput = { id: "w", inputSchema, nodes: [task("a", "input.n")] };

const start = (more: object, input: unknown = {}): CoreCommand => ({
  type: "execution.start",
  data: { id: "e", workflow: "w", input: JSON.stringify(input), ...more },
});

async function begin(workflow: WorkflowInput, behaviour: Behaviour = never): ReturnType<typeof openWorld> {
  const world = await openWorld(1, { behaviour });
  await world.submit(...serve("a", { slots: 9 }), registerWorkflow(workflow));
  return world;
}

describe("the input of a run", () => {
  it("is held against the workflow's schema, with the place of what is wrong", async () => {
    const world = await begin(checked, completes(1));
    const before = saveState(world.engine.state);
    for (const [input, at] of [
      [null, "input"],
      [{}, "input.n"],
      [{ n: 0 }, "input.n"],
      [{ n: 1.5 }, "input.n"],
      [{ n: 1, tags: ["a", 2] }, "input.tags[1]"],
      [{ n: 1, more: true }, "input.more"],
    ] as const) {
      const [[, refusal] = []] = world.push(start({}, input));
      assert.equal(refusal?.code, "execution/input-invalid");
      assert.deepEqual([refusal.detail?.["workflow"], refusal.detail?.["at"]], ["w", at]);
    }
    assert.equal(saveState(world.engine.state), before);
    assert.deepEqual(await world.submit(start({}, { n: 1, tags: [] })), []);
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
  });

  it("fails the node that runs another workflow with a wrong one, which an error edge can catch", async () => {
    const outer: WorkflowInput = {
      id: "outer",
      nodes: [{ id: "s", type: "subworkflow", workflow: "w", input: "{'n': 'one'}" }, task("mend", "error.code")],
      edges: [{ from: "s", to: "mend", on: "error", codes: ["execution/input-invalid"] }],
    };
    const world = await begin(checked, completes(1));
    await world.submit(registerWorkflow(outer), startExecution("e", "outer"));
    await world.finish();
    assert.deepEqual(
      rowOf(world.disk, "e")?.nodes?.map(({ node, status }) => [node, status]),
      [
        ["s", "failed"],
        ["mend", "completed"],
      ],
    );
    assert.equal(rowOf(world.disk, "e/s"), undefined, "it never began");
  });

  it("is known to the proofs, and a schema that is none is refused with its place", () => {
    const told = (workflow: unknown): string[] =>
      validate(workflow)
        .filter(({ severity }) => severity === "error")
        .map(({ code, message }) => `${code}: ${message}`);
    assert.deepEqual(told(checked), []);
    const [wrong] = told({ ...checked, nodes: [task("a", "input.m")] });
    assert.match(wrong ?? "", /^port-type: input of a: input has no 'm', only n, tags$/u);
    const [bad] = told({ ...checked, inputSchema: { properties: { n: { type: "int" } } } });
    assert.match(bad ?? "", /^schema: inputSchema\.properties\.n\.type: one or a list of null, .* found /u);
    assert.match(told({ ...checked, inputSchema: [] })[0] ?? "", /^schema: inputSchema: a schema/u);
  });
});

describe("a run with a deadline", () => {
  const chain: WorkflowInput = { id: "w", nodes: [task("a"), task("b")], edges: [{ from: "a", to: "b" }] };

  it("fails when it hasn't ended by then, also after its host has gone, and stops what runs", async () => {
    const world = await begin(chain);
    await world.submit(start({ deadline: START + 60_000 }));
    assert.equal(world.engine.state.tasks.tasks.get("e/a")?.deadline, START + 60_000, "its tasks have it");
    await world.advance(30_000);
    world.kill();
    const next = await openHost({ ...world, behaviour: never });
    await next.submit(...serve("a", { slots: 9 }));
    await next.advance(29_000);
    assert.equal(next.engine.state.workflows.executions.get("e")?.status, "running");
    await next.advance(2_000);
    await next.finish();
    const { status, error } = rowOf(world.disk, "e") ?? {};
    assert.deepEqual([status, error?.code, error?.detail], [
      "failed",
      "execution/deadline",
      { workflow: "w", deadline: START + 60_000 },
    ]); // prettier-ignore
    assert.equal(next.engine.state.tasks.tasks.size, 0);
    assert.equal(eventsOf(world.disk).filter(({ type }) => type === "execution.expired").length, 1);
  });

  it("fails though it is paused, and undoes what it has done", async () => {
    const undoable: WorkflowInput = {
      id: "w",
      nodes: [task("a", "1", { compensate: { capabilities: ["work"] } }), { id: "wait", type: "event", name: "go" }],
      edges: [{ from: "a", to: "wait" }],
    };
    const world = await begin(undoable, completes(1));
    await world.submit(start({ deadline: START + 60_000 }));
    await world.advance(1_000);
    await world.submit({ type: "execution.pause", data: { id: "e" } });
    await world.finish();
    assert.deepEqual([rowOf(world.disk, "e")?.status, rowOf(world.disk, "e")?.error?.code], [
      "compensated",
      "execution/deadline",
    ]); // prettier-ignore
    assert.equal(eventsOf(world.disk).filter(({ type }) => type === "execution.expired").length, 1);
  });

  it("that has ended before hears nothing of it", async () => {
    const world = await begin(chain, completes(1));
    await world.submit(start({ deadline: START + 60_000 }));
    await world.finish();
    await world.advance(120_000);
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
    assert.equal(world.engine.state.deadlines.deadlines.size, 0);
    assert.ok(!eventsOf(world.disk).some(({ type }) => type === "execution.expired"));
  });
});

describe("priority and deadline in the input", () => {
  const plain: WorkflowInput = { id: "w", nodes: [task("a", "input")] };
  const runOf = async (workflow: WorkflowInput, command: CoreCommand): Promise<unknown> => {
    const world = await begin(workflow);
    assert.deepEqual(await world.submit(command), []);
    const { priority, deadline, input } = world.engine.state.workflows.executions.get("e") ?? {};
    return [priority, deadline, Object.keys(JSON.parse(input ?? "{}") as object).length];
  };

  it("are the run's, and stay in the input", async () => {
    const at = START + 1_000_000;
    const text = new Date(at).toISOString();
    assert.deepEqual(await runOf(plain, start({}, { priority: "high", deadline: at })), ["high", at, 2]);
    assert.deepEqual(await runOf(plain, start({}, { deadline: text, n: 1 })), ["medium", at, 2]);
    assert.deepEqual(
      await runOf(plain, start({ priority: "low", deadline: at + 1 }, { priority: "high", deadline: at })),
      ["low", at + 1, 2],
      "options come before",
    );
  });

  it("are plain values where the schema declares them, or where they are something else", async () => {
    const owning = { ...plain, inputSchema: { properties: { priority: {}, deadline: {} } } };
    assert.deepEqual(await runOf(owning, start({}, { priority: "high", deadline: START })), ["medium", undefined, 2]);
    for (const input of [
      { priority: "utmost", deadline: "tomorrow" },
      { priority: 1, deadline: -1 },
      { priority: null, deadline: "2030-02-31T00:00:00Z" },
      { nested: { priority: "high", deadline: START }, more: 1 },
    ])
      assert.deepEqual(await runOf(plain, start({}, input)), ["medium", undefined, 2], JSON.stringify(input));
  });
});
