/** Error handlers that begin a node anew after a delay. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { validate } from "../../../src/core/workflows/proofs/validate.ts";
import { eventsOf } from "./disk.ts";
import { completes, fails, openWorld, START, type Behaviour } from "./kit.ts";
import { rowOf, run, task } from "./runs.ts";
import { registerWorkflow, serve, startExecution } from "./things.ts";

type Node = WorkflowInput["nodes"][number];

const handler = (more: object = {}): Node => ({
  id: "h",
  type: "errorHandler",
  action: "retry",
  times: 3,
  delay: 1_000,
  ...more,
});
const failing = fails(0, "bad");

const begin = async (behaviour: Behaviour, ...nodes: Node[]): ReturnType<typeof openWorld> => {
  const world = await openWorld(1, { behaviour });
  const definition = registerWorkflow({ id: "w", nodes });
  await world.submit(...serve("a", { slots: 50 }), definition, startExecution("e", "w", [1, 2, 3]));
  await world.settle();
  return world;
};

describe("a handler that retries with a delay", () => {
  it("lets that time pass before each round, longer each time with a backoff", async () => {
    const world = await begin(failing, task("a"), handler({ backoff: 3 }));
    const { nodes } = world.mirror.workflows;
    const waiting = nodes.get("e/a");
    assert.deepEqual([waiting?.status, waiting?.delayed, waiting?.dueAt], ["running", true, START + 1_000]);
    assert.equal(waiting?.error?.code, "bad");
    await world.finish();
    const created = eventsOf(world.disk).flatMap(({ type, at, data }) =>
      type === "task.created" ? [[data.id, at - START]] : [],
    );
    assert.deepEqual(created, [
      ["e/a", 0],
      ["e/a.2", 1_000],
      ["e/a.3", 4_000],
      ["e/a.4", 13_000],
    ]);
    const row = rowOf(world.disk, "e");
    assert.deepEqual([row?.status, row?.error?.code], ["failed", "bad"]);
    assert.ok(row?.nodes?.every(({ delayed }) => !delayed));
    assert.equal(world.engine.state.timers.timers.size, 0);
  });

  it("does so for nodes of every kind that can fail", async () => {
    const work = { capabilities: ["work"], retry: { maxAttempts: 1 } };
    const kinds: readonly (readonly [node: object, second: string])[] = [
      [{ type: "map", items: "input", task: work }, "e/n.2/0"],
      [{ type: "map", items: "input", body: { nodes: [task("t")] } }, "e/n.2/2/t"],
      [{ type: "loop", until: "index == 1", task: work }, "e/n.2/1"],
      [{ type: "dynamic", ...work, allow: { capabilities: ["work"] }, input: "null" }, "e/n.2/0.plan"],
      [{ type: "subworkflow", workflow: "inner" }, "e/n.2/t"],
    ];
    const once: Behaviour = (one) => {
      const first = /^e\/n\//u.test(one.task.id);
      return first ? fails(5, "bad")(one) : completes(3)(one);
    };
    for (const [node, second] of kinds) {
      const nodes = [{ id: "n", ...node } as Node, handler()];
      const ran = await run(
        [
          { id: "inner", nodes: [task("t")] },
          { id: "w", nodes },
        ],
        [1, 2, 3],
        once,
      );
      assert.equal(ran.row.status, "completed", JSON.stringify(node));
      assert.ok(
        ran.disk.archived.some(({ id }) => id === second),
        second,
      );
      const [retried, restarted] = ["node.retried", "node.restarted"].map((type) =>
        ran.disk.events().find((event) => event.type === type),
      );
      assert.equal((restarted?.at ?? 0) - (retried?.at ?? 0), 1_000);
    }
    const waits: readonly object[] = [
      { type: "event", name: "never", timeout: 100 },
      { type: "monitor", capability: "work", when: "false", timeout: 100 },
    ];
    for (const node of waits) {
      const nodes = [{ id: "n", ...node } as Node, handler({ times: 2 })];
      const { row, disk } = await run([{ id: "w", nodes }], 1);
      assert.equal(row.status, "failed");
      assert.equal((row.finishedAt ?? 0) - row.startedAt, 3 * 100 + 2 * 1_000);
      assert.equal(disk.events().filter(({ type }) => type === "node.restarted").length, 2);
    }
  });

  it("begins nothing while the run is paused, and the time goes on", async () => {
    const world = await begin(failing, task("a"), handler());
    const say = (type: "execution.pause" | "execution.resume") => world.submit({ type, data: { id: "e" } });
    await say("execution.pause");
    await world.advance(400);
    await say("execution.resume");
    assert.equal(world.engine.state.tasks.tasks.size, 0, "its time isn't over");
    await say("execution.pause");
    await world.advance(5_000);
    assert.equal(world.mirror.workflows.nodes.get("e/a")?.delayed, true);
    await say("execution.resume");
    await world.settle();
    const created = eventsOf(world.disk).filter(({ type }) => type === "task.created");
    assert.equal(created.at(-1)?.at, START + 5_400);
    assert.equal(created.length, 2);
    assert.equal(saveState(world.mirror), saveState(world.engine.state));
  });

  it("leaves nothing when the run is cancelled meanwhile", async () => {
    const nodes: Node = { id: "m", type: "map", items: "input", task: { capabilities: ["work"] } };
    const fail: Behaviour = (one) => fails(0, "bad", false)(one);
    const world = await begin(fail, nodes, handler());
    assert.equal(world.engine.state.timers.timers.size, 1);
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    const { timers, tasks, workflows } = world.engine.state;
    assert.equal(timers.timers.size + tasks.tasks.size + workflows.nodes.size + workflows.items.size, 0);
    assert.equal(rowOf(world.disk, "e")?.status, "cancelled");
  });

  it("says what doesn't go together", () => {
    const codes = (more: object): string[] =>
      validate({ id: "w", nodes: [task("a"), handler(more)] })
        .filter(({ severity }) => severity === "error")
        .map(({ code }) => code);
    assert.deepEqual(codes({ backoff: 2 }), []);
    assert.deepEqual(codes({ delay: undefined, backoff: 2 }), ["handler-invalid"]);
    assert.deepEqual(codes({ action: "rethrow", times: undefined }), ["handler-invalid"]);
    assert.deepEqual(codes({ delay: 0 }), ["schema"]);
    assert.deepEqual(codes({ delay: 1, backoff: 0.5 }), ["schema"]);
  });
});
