/** Monitor nodes: they go on when a condition over what tasks have done lately holds. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createState, restoreState, saveState, type CoreEvent } from "../../../src/core/runtime.ts";
import { MAX_METERS, meterKey, metricsOf, type Metrics } from "../../../src/core/tasks/meters.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { validate } from "../../../src/core/workflows/proofs/validate.ts";
import { createChance, seedOf } from "./chance.ts";
import { eventsOf } from "./disk.ts";
import { completes, fails, frozenKit, openWorld, type Behaviour, type Host } from "./kit.ts";
import { chaotic } from "./life.ts";
import { rowOf, task } from "./runs.ts";
import { cancelTask, createTask, registerWorkflow, serve, startExecution } from "./things.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

const monitor = (more: object = {}): WorkflowInput["nodes"][number] => ({
  id: "m",
  type: "monitor",
  capability: "work",
  window: 60_000,
  when: "metrics.completed >= 3",
  ...more,
});
const watching = (more: object = {}): WorkflowInput => ({
  id: "w",
  nodes: [monitor(more), task("after", "nodes.m.output.held")],
  edges: [{ from: "m", to: "after" }],
});

async function begin(more: object = {}, behaviour: Behaviour = completes(10)): Promise<World> {
  const world = await openWorld(1, { behaviour });
  await world.submit(...serve("a", { slots: 50 }), registerWorkflow(watching(more)));
  return world;
}

const nodeOf = ({ mirror }: Host): string | undefined => mirror.workflows.nodes.get("e/m")?.status;
const outputOf = ({ disk }: World, id = "e"): { held: boolean; metrics: Metrics } =>
  JSON.parse(rowOf(disk, id)?.nodes?.find(({ node }) => node === "m")?.output ?? "null") as never;
const count = ({ disk }: World, type: string): number => eventsOf(disk).filter((one) => one.type === type).length;

describe("a monitor", () => {
  it("goes on at once when its condition holds, with what tasks did before its run began", async () => {
    const world = await begin();
    await world.submit(...["1", "2", "3"].map((id) => createTask(id)));
    await world.advance(100);
    await world.submit(startExecution("e", "w"));
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.output, "true");
    const { metrics } = outputOf(world);
    assert.deepEqual(metrics, {
      ended: 3,
      completed: 3,
      failed: 0,
      failureRate: 0,
      retried: 0,
      meanDuration: 10,
      maxDuration: 10,
      queued: 0,
      running: 0,
    });
  });

  it("waits until it does, and asks no more often than it may", async () => {
    const world = await begin({ when: "metrics.completed >= 100", every: 5_000 });
    await world.submit(startExecution("e", "w"));
    for (let at = 0; at < 100; at++) {
      assert.equal(nodeOf(world), "running");
      await world.submit(createTask(String(at)));
      await world.advance(400);
    }
    await world.advance(10_000);
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
    const asked = count(world, "meter.asked");
    assert.ok(asked > 5 && asked <= 11, String(asked));
  });

  it("goes on when what was bad has left the window, though nothing else happens", async () => {
    const flaky: Behaviour = (one) => (one.task.id === "bad" ? fails(1)(one) : completes(1)(one));
    const world = await begin({ when: "metrics.failureRate < 0.5" }, flaky);
    await world.submit(createTask("bad", { retry: { maxAttempts: 2, base: 1 } }));
    await world.advance(1_000);
    await world.submit(startExecution("e", "w"));
    await world.advance(50_000);
    assert.equal(nodeOf(world), "running");
    const asked = count(world, "meter.asked");
    assert.equal(asked, 0, "nobody looks before there is something to see");
    await world.advance(11_000);
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
    assert.equal(outputOf(world).metrics.ended, 0);
    assert.equal(world.engine.nextDue(), undefined, "nothing is left to wake up for");
  });

  it("sees what waits and runs now", async () => {
    const slow = completes(5_000);
    const world = await openWorld(1, { behaviour: slow });
    await world.submit(...serve("a", { slots: 2 }), ...["1", "2", "3"].map((id) => createTask(id)));
    const calm = { when: "metrics.queued + metrics.running < 3" };
    await world.submit(registerWorkflow(watching(calm)), startExecution("e", "w"));
    const [meter] = [...world.engine.state.tasks.meters.meters.values()];
    assert.deepEqual([meter?.queued, meter?.running], [1, 2], "of tasks that were there before it was measured");
    await world.advance(4_000);
    assert.equal(nodeOf(world), "running");
    await world.submit(cancelTask("3"));
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
  });

  it("gives up after its time, and says what it saw", async () => {
    const failing = await begin({ timeout: 7_000 });
    await failing.submit(createTask("1"), startExecution("e", "w"));
    await failing.finish();
    const { error } = rowOf(failing.disk, "e") ?? {};
    assert.equal(error?.code, "monitor/timeout");
    const { metrics, timeout, nodePath } = error.detail as { metrics: Metrics; timeout: number; nodePath: string };
    assert.deepEqual([metrics.completed, timeout, nodePath], [1, 7_000, "m"]);
    const going = await begin({ timeout: 7_000, onTimeout: "continue" });
    await going.submit(createTask("1"), startExecution("e", "w"));
    await going.finish();
    assert.equal(rowOf(going.disk, "e")?.output, "false");
    assert.deepEqual([outputOf(going).held, outputOf(going).metrics.completed], [false, 1]);
    for (const { engine } of [failing, going]) {
      assert.equal(engine.state.tasks.meters.watchers.size + engine.state.timers.timers.size, 0);
      assert.equal(engine.nextDue(), undefined);
    }
  });

  it("fails when its condition is none, and along its error edge", async () => {
    const definition = watching();
    const edges = [...(definition.edges ?? []), { from: "m", to: "after", on: "error" as const }];
    const world = await openWorld(1, { behaviour: completes(1) });
    const nodes = [monitor({ when: "1 / metrics.completed > 0" }), task("after", "error.code")];
    await world.submit(...serve("a"), registerWorkflow({ ...definition, nodes, edges }), startExecution("e", "w"));
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.output, '"expression/failed"');
    assert.equal(world.engine.state.tasks.meters.watchers.size, 0);
  });

  it("asks nothing while its run is paused, and at once when that goes on", async () => {
    const world = await begin();
    await world.submit(startExecution("e", "w"), { type: "execution.pause", data: { id: "e" } });
    await world.submit(...["1", "2", "3"].map((id) => createTask(id)));
    await world.advance(20_000);
    assert.equal(nodeOf(world), "running");
    await world.submit({ type: "execution.resume", data: { id: "e" } });
    await world.finish();
    assert.equal(rowOf(world.disk, "e")?.status, "completed");
  });

  it("leaves nothing when its run is cancelled", async () => {
    const world = await begin({ timeout: 100_000 });
    await world.submit(createTask("1"), startExecution("e", "w"));
    await world.advance(10);
    await world.submit({ type: "execution.cancel", data: { id: "e" } });
    const { meters } = world.engine.state.tasks;
    assert.equal(meters.watchers.size + meters.byMeter.size + world.engine.state.timers.timers.size, 0);
    assert.equal(world.engine.nextDue(), undefined);
    assert.equal(saveState(world.mirror), saveState(world.engine.state));
  });

  it("wakes all that wait for the same", async () => {
    const world = await begin();
    for (let at = 0; at < 20; at++) await world.submit(startExecution(`e${String(at)}`, "w"));
    await world.submit(...["1", "2", "3"].map((id) => createTask(id)));
    await world.finish();
    for (let at = 0; at < 20; at++) assert.equal(rowOf(world.disk, `e${String(at)}`)?.status, "completed");
    assert.ok(count(world, "meter.asked") < 10);
  });

  it("measures as many things as there may be, and forgets what nobody asks for", async () => {
    const world = await openWorld(1);
    for (let at = 0; at < MAX_METERS + 10; at++) {
      const more = { capability: `c${String(at)}` };
      await world.submit(registerWorkflow({ ...watching(more), id: `w${String(at)}` }));
    }
    const { meters, byCapability } = world.engine.state.tasks.meters;
    assert.deepEqual([meters.size, byCapability.size], [MAX_METERS, MAX_METERS]);
    assert.ok(!byCapability.has("c0") && byCapability.has(`c${String(MAX_METERS + 9)}`));
    await world.submit(startExecution("e", "w0"));
    assert.ok(byCapability.has("c0"), "a run that waits for it begins it anew");
  });

  it("is proved: the metrics have names and are numbers", () => {
    const codes = (more: object): string[] => validate(watching(more)).map(({ code }) => code);
    assert.deepEqual(codes({ timeout: 1 }), ["failure-unhandled"]);
    assert.deepEqual(codes({}), ["endless-wait", "failure-unhandled"]);
    assert.ok(codes({ when: "metrics.speed > 1" }).includes("port-type"));
    assert.ok(codes({ when: "metrics.failed" }).includes("port-type"));
    assert.ok(codes({ when: "input.x > 1 && metrics.ended < input.x" }).every((code) => code !== "port-type"));
    assert.ok(codes({ onTimeout: "continue" }).includes("node-invalid"));
    assert.deepEqual(codes({ window: 10 }), ["schema"]);
    assert.deepEqual(codes({ capability: "a@^1" }), ["schema"]);
  });
});

const seed = seedOf(71);

describe(`what is measured (seed ${String(seed)})`, () => {
  const window = 20_000;
  const measure = { capability: "work", window, every: 1_000 };

  it("is what the journal says, in a random life, and the same after a restart", async () => {
    const chance = createChance(seed);
    const world = await openWorld(seed, { behaviour: chaotic, chance });
    await world.submit(...serve("a", { slots: 4, capabilities: ["work", "other"] }));
    await world.submit(registerWorkflow(watching({ window, when: "false" })), startExecution("e", "w"));
    let compared = 0;
    for (let step = 0; step < 400; step++) {
      const capabilities = chance.pick([["work"], ["other"], ["work", "other"]]);
      await world.submit(
        createTask(`t${String(step)}`, { capabilities, timeout: 2_000, retry: { maxAttempts: 2, base: 500 } }),
      );
      if (chance.once(5)) await world.submit(cancelTask(`t${String(chance.below(step + 1))}`));
      await world.advance(chance.below(1_500));
      if (!chance.once(10)) continue;
      compared++;
      const meter = world.engine.state.tasks.meters.meters.get(meterKey(measure));
      assert.ok(meter);
      const now = world.time.now();
      assert.deepEqual(metricsOf(meter, now), naive(eventsOf(world.disk), window, now));
      assert.ok(meter.parts.length <= 61);
      const again = createState(frozenKit([]));
      restoreState(again, saveState(world.engine.state));
      assert.equal(saveState(again), saveState(world.engine.state));
      assert.deepEqual(again.tasks.meters.byMeter, world.engine.state.tasks.meters.byMeter);
    }
    assert.ok(compared > 20);
  });
});

/** Reckoned from all that ever happened, anew. */
function naive(events: readonly CoreEvent[], window: number, now: number): Metrics {
  const tasks = new Map<string, { counts: boolean; status: "queued" | "running" | "other"; startedAt: number }>();
  const times: number[] = [];
  const sum = { completed: 0, failed: 0, retried: 0 };
  const part = window / 60;
  const isIn = (at: number): boolean => Math.floor(at / part) > Math.floor(now / part) - 60;
  for (const { type, data, at } of events) {
    if (!type.startsWith("task.")) continue;
    const { id } = data as { id: string };
    if (type === "task.created")
      tasks.set(id, { counts: data.capabilities.includes("work"), status: "queued", startedAt: 0 });
    const one = tasks.get(id);
    if (!one?.counts) continue;
    if (type === "task.assigned") Object.assign(one, { status: "running", startedAt: at });
    else if (type === "task.interrupted" || type === "task.queued") one.status = "queued";
    else if (type === "task.completed") {
      one.status = "other";
      if (!isIn(at)) continue;
      sum.completed++;
      times.push(at - one.startedAt);
    } else if (type === "task.failed") {
      one.status = "other";
      if (isIn(at)) sum[data.retryAt === undefined ? "failed" : "retried"]++;
    } else if (type === "task.cancelled") one.status = "other";
  }
  const all = [...tasks.values()].filter(({ counts }) => counts);
  const ended = sum.completed + sum.failed;
  return {
    ...sum,
    ended,
    failureRate: ended === 0 ? 0 : sum.failed / ended,
    meanDuration: times.length === 0 ? 0 : times.reduce((a, b) => a + b) / times.length,
    maxDuration: Math.max(0, ...times),
    queued: all.filter(({ status }) => status === "queued").length,
    running: all.filter(({ status }) => status === "running").length,
  };
}
