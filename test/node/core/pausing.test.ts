/** Runs that are paused and go on, and what a standing run needs to go on. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import { whyWaiting } from "../../../src/core/scheduling/why.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { never, openHost, openWorld, type Behaviour } from "./kit.ts";
import { rowOf, task } from "./runs.ts";
import { complete, registerWorkflow, serve, startExecution } from "./things.ts";

const pause = (id: string, interrupt?: boolean): CoreCommand => ({
  type: "execution.pause",
  data: { id, ...(interrupt !== undefined && { interrupt }) },
});
const resume = (id: string): CoreCommand => ({ type: "execution.resume", data: { id } });

type World = Awaited<ReturnType<typeof openWorld>>;

async function begin(workflow: Omit<WorkflowInput, "id">, slots = 9, behaviour: Behaviour = never): Promise<World> {
  const world = await openWorld(1, { behaviour });
  await world.submit(
    ...serve("a", { slots }),
    registerWorkflow({ id: "w", ...workflow }),
    startExecution("e", "w", [1, 2, 3]),
  );
  return world;
}

const typesAfter = async (world: World, ...commands: CoreCommand[]): Promise<readonly CoreEvent["type"][]> => {
  const from = world.committed.length;
  assert.deepEqual(await world.submit(...commands), []);
  return world.committed.slice(from).map(({ type }) => type);
};

describe("a paused run", () => {
  const chain = { nodes: [task("a"), task("b")], edges: [{ from: "a", to: "b" }] };

  it("lets what runs end and begins nothing, until it goes on", async () => {
    const world = await begin(chain);
    assert.deepEqual(await typesAfter(world, pause("e")), ["execution.paused"]);
    assert.deepEqual(await typesAfter(world, pause("e")), [], "once is enough");
    assert.deepEqual(await typesAfter(world, complete("e/a", 1)), ["task.completed", "node.completed"]);
    assert.equal(world.mirror.workflows.executions.get("e")?.status, "paused");
    assert.deepEqual(await typesAfter(world, resume("e")), [
      ...["execution.resumed", "node.started", "task.created", "task.assigned"],
    ]);
    assert.deepEqual(await typesAfter(world, resume("e")), [], "there is nothing to do for a run that goes on");
    await world.submit(complete("e/b", 1));
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
  });

  it("keeps its queued tasks from workers, which others get, and says so", async () => {
    const world = await begin({ nodes: [task("a"), task("b")] }, 1);
    await world.submit(pause("e"));
    await world.submit(complete("e/a", 1), startExecution("f", "w"));
    const of = (id: string): unknown => world.mirror.tasks.tasks.get(id)?.status;
    assert.deepEqual([of("e/b"), of("f/a"), of("f/b")], ["queued", "assigned", "queued"]);
    const { state, scheduler } = world.engine;
    const why = whyWaiting(state, scheduler.index, "e/b", world.time.now());
    assert.deepEqual([why?.reason, why?.text], ["paused", "its run e is paused"]);
    await world.submit(complete("f/a", 1), complete("f/b", 1));
    assert.equal(of("e/b"), "queued");
    await world.submit(resume("e"));
    assert.equal(of("e/b"), "assigned");
  });

  it("stops what runs if it is asked to; that is begun again, and counts neither as failure nor as interruption", async () => {
    const world = await begin(chain);
    assert.deepEqual(await typesAfter(world, pause("e", true)), ["execution.paused", "task.interrupted"]);
    const { status, attempt, failures, interruptions } = world.mirror.tasks.tasks.get("e/a") ?? {};
    assert.deepEqual([status, attempt, failures, interruptions], ["queued", 1, 0, 0]);
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 1, "its slot stays taken while its worker may still run");
    await world.advance(10);
    assert.equal(world.mirror.agents.links.get("a-1")?.held, 0);
    assert.deepEqual(await typesAfter(world, complete("e/a", 1)), [], "what the stopped attempt says is too late");
    await world.submit(resume("e"));
    assert.deepEqual(await typesAfter(world, complete("e/a", 2)), [
      ...["task.completed", "node.completed", "node.started", "task.created", "task.assigned"],
    ]);
  });

  it("pauses and goes on with the runs within it, and holds maps and loops", async () => {
    const body = { nodes: [task("t"), task("u")], edges: [{ from: "t", to: "u" }] };
    const nodes: WorkflowInput["nodes"] = [
      { id: "m", type: "map", items: "input", concurrency: 1, body },
      { id: "l", type: "loop", until: "index == 1", task: { capabilities: ["work"] } },
    ];
    const world = await begin({ nodes });
    await world.submit(pause("e"));
    await world.submit(complete("e/m/0/t", 1), complete("e/l/0", 1));
    assert.equal(world.mirror.workflows.executions.get("e/m/0")?.status, "paused");
    assert.equal(world.mirror.tasks.tasks.size, 0);
    await world.submit(resume("e"));
    assert.deepEqual([...world.mirror.tasks.tasks.values()].map(({ id }) => id).sort(), ["e/l/1", "e/m/0/u"]);
  });

  it("can be cancelled, and can fail", async () => {
    const world = await begin(chain);
    await world.submit(pause("e"), { type: "execution.cancel", data: { id: "e" } });
    assert.equal(rowOf(world.disk, "e")?.status, "cancelled");
    assert.deepEqual(await world.submit(pause("e"), resume("e")), ["execution/unknown", "execution/unknown"]);
  });

  it("stays paused over a restart", async () => {
    const world = await begin({ nodes: [task("a"), task("b")] }, 1);
    await world.submit(pause("e"));
    world.kill();
    const next = await openHost({ ...world, behaviour: never });
    await next.submit(...serve("z", { slots: 5 }));
    assert.deepEqual(
      [...next.mirror.tasks.tasks.values()].map(({ status }) => status),
      ["queued", "queued"],
    );
    await next.submit(resume("e"));
    assert.deepEqual(
      [...next.mirror.tasks.tasks.values()].map(({ status }) => status),
      ["assigned", "assigned"],
    );
  });
});

describe("a run that stands still", () => {
  it("goes on when it is asked to: what is ready begins, what was lost begins again, and it says which", async () => {
    const nodes: WorkflowInput["nodes"] = [
      task("a"),
      { id: "m", type: "map", items: "input", task: { capabilities: ["work"] } },
      task("b"),
    ];
    const world = await begin({ nodes, edges: [{ from: "a", to: "b" }] });
    const { tasks, workflows } = world.engine.state;
    // Nothing in the engine loses work; so it is taken away by force.
    tasks.tasks.delete("e/a");
    tasks.tasks.delete("e/m/1");
    workflows.nodes.set("e/b", {
      id: "e/b",
      execution: "e",
      node: "b",
      kind: "task",
      status: "pending",
      live: 1,
      dead: 0,
    });
    world.push(resume("e"));
    await world.durable();
    const found = world.committed.findLast(({ type }) => type === "execution.resumed")?.data as object;
    const { settled, restarted } = found as { settled: unknown; restarted: unknown };
    assert.deepEqual([settled, restarted], [["b"], [["a"], ["m", 1]]]);
    assert.ok(["e/a", "e/m/1", "e/b"].every((id) => tasks.tasks.has(id)));
  });
});
