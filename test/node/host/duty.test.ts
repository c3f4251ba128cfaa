/** Bounds of processor and memory on virtual timers: who is over them, who is held back, and who is ended. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { HostFrame } from "../../../src/core/agents/protocol.ts";
import { LATE, PATIENCE, SAMPLE, WINDOW } from "../../../src/workers/duty.ts";
import { isActive } from "../../../src/core/tasks/task.ts";
import { whyWaiting } from "../../../src/core/scheduling/why.ts";
import { complete, createTask, registerAgent } from "../core/things.ts";
import { openYard, pass, type Yard } from "./yard.ts";

const MB = 1_048_576;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_700_000_000_000 });
  mock.method(Math, "random", () => 0.5);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** Pings of the sampler that the worker has got, and not answered. */
function open({ posted }: Yard, link: string): HostFrame[] {
  return posted.get(link)?.filter((frame) => frame.kind === "abort" && frame.task === "duty") ?? [];
}

function answer(yard: Yard, link: string): void {
  if (open(yard, link).length === 0) return;
  const kept = yard.posted.get(link)?.filter((frame) => !open(yard, link).includes(frame)) ?? [];
  yard.posted.get(link)?.splice(0, Infinity, ...kept);
  const error = { name: "RuntimeError", message: "ping", code: "task/finished" };
  yard.links.receive(link, [{ kind: "failed", task: "duty", attempt: 0, error }]);
}

/** So many samples, in each of which the worker is found busy or answers at once. */
async function sample(yard: Yard, link: string, busy: readonly boolean[]): Promise<void> {
  for (const isBusy of busy) {
    await pass(yard, SAMPLE - LATE);
    if (!isBusy) answer(yard, link);
    await pass(yard, LATE);
    if (isBusy) answer(yard, link); // it has come to it at last, but too late
    await yard.world.durable();
  }
}

const share = (samples: number, of: number, busy: number): boolean[] =>
  Array.from({ length: samples }, (_none, at) => at % of < busy);

async function openBusy(maxCPUPercent: number): Promise<Yard> {
  const yard = await openYard();
  await yard.world.submit(registerAgent("a", { slots: 2, resourceLimits: { maxCPUPercent } }));
  await yard.open("l1", "a@1.0.0");
  await yard.world.submit(createTask("t1"));
  return yard;
}

const linkOf = ({
  world,
}: Yard): { readonly strained?: true | undefined; readonly worn?: true | undefined } | undefined =>
  world.engine.state.agents.links.get("l1");
const running = ({ world }: Yard): string[] =>
  [...world.engine.state.tasks.tasks.values()].filter(isActive).map(({ id }) => id);

describe("a bound of the processor's time", () => {
  it("holds a worker back that is over it for a window, and lets it go on when it is not", async () => {
    const yard = await openBusy(50);
    await sample(yard, "l1", share(WINDOW, 4, 3));
    assert.equal(linkOf(yard)?.strained, true);
    await yard.world.submit(createTask("t2"));
    assert.deepEqual(running(yard), ["t1"]);
    const { engine } = yard.world;
    const why = whyWaiting(engine.state, engine.scheduler.index, "t2", Date.now());
    assert.ok(why?.reason === "capacity" && why.agents[0]?.bound === "strained", why?.text);
    await sample(yard, "l1", share(WINDOW / 2, 4, 0));
    assert.equal(linkOf(yard)?.strained, undefined);
    assert.deepEqual(running(yard), ["t1", "t2"]);
    assert.deepEqual(yard.killed, []);
  });

  it("leaves a worker alone that keeps to it, and samples nobody without one", async () => {
    const yard = await openBusy(50);
    await yard.world.submit(registerAgent("b", { capabilities: ["rest"] }));
    await yard.open("l2", "b@1.0.0");
    await yard.world.submit(createTask("t2", { capabilities: ["rest"] }));
    await sample(yard, "l1", share(3 * WINDOW, 4, 2));
    assert.equal(linkOf(yard)?.strained, undefined);
    assert.equal(open(yard, "l2").length, 0);
  });

  it("ends a worker that stays over it, and its attempt has failed with the share and the bound", async () => {
    const yard = await openBusy(50);
    for (let at = 0; at < WINDOW + PATIENCE; at++) {
      await sample(yard, "l1", [true]);
      if (yard.probed.length > 0) yard.links.alive("l1");
    }
    assert.deepEqual(yard.killed, ["l1"]);
    assert.equal(yard.probed.length, 1);
    const left = yard.world.committed.find(({ type }) => type === "link.left")?.data as {
      cause: string;
      error: { code: string; detail: unknown };
    };
    assert.deepEqual(
      [left.cause, left.error.code, left.error.detail],
      ["crashed", "agent/cpu-exceeded", { percent: 100, limit: 50 }],
    );
    const failed = yard.world.committed.find(({ type }) => type === "task.failed")?.data as { error: { code: string } };
    assert.equal(failed.error.code, "agent/cpu-exceeded");
  });

  it("doesn't end the workers of a page that gives no sign: it is frozen, and they with it", async () => {
    const yard = await openBusy(50);
    await sample(yard, "l1", share(3 * (WINDOW + PATIENCE), 1, 1));
    assert.deepEqual(yard.killed, []);
    assert.ok(yard.probed.length > 1, "it is asked again");
  });

  it("counts no sample for which the host itself was late", async () => {
    const yard = await openBusy(50);
    for (let at = 0; at < 3 * WINDOW; at++) {
      await pass(yard, SAMPLE - LATE);
      mock.timers.setTime(Date.now() + 1_000);
      await yard.world.durable();
      answer(yard, "l1");
    }
    assert.equal(linkOf(yard)?.strained, undefined);
  });

  it("takes a worker for idle that holds nothing, and ends its own timer then", async () => {
    const yard = await openBusy(10);
    await sample(yard, "l1", share(WINDOW, 1, 1));
    assert.equal(linkOf(yard)?.strained, true);
    await yard.world.submit(complete("t1", 1));
    const before = yard.world.committed.length;
    for (let at = 0; at < 3 * WINDOW; at++) await sample(yard, "l1", [false]);
    assert.equal(linkOf(yard)?.strained, undefined);
    assert.equal(yard.world.committed.length, before + 1);
    await yard.world.submit(createTask("t2"));
    assert.deepEqual(running(yard), ["t2"]);
  });
});

describe("a bound of memory", () => {
  const limits = { maxMemoryMB: 100, maxMemoryGrowthMB: 20 };

  async function weighed(): Promise<Yard> {
    const yard = await openYard();
    await yard.world.submit(registerAgent("a", { workers: 2, resourceLimits: limits }));
    await yard.open("l1", "a@1.0.0");
    await yard.world.submit(createTask("t1"), createTask("t2"));
    return yard;
  }

  it("replaces a worker that has grown, after what it runs", async () => {
    const yard = await weighed();
    for (const megabytes of [30, 50]) yard.links.weighed("l1", megabytes * MB);
    await yard.world.durable();
    assert.equal(linkOf(yard)?.worn, undefined);
    yard.links.weighed("l1", 50 * MB + 1);
    await yard.world.durable();
    assert.equal(linkOf(yard)?.worn, true);
    assert.deepEqual([running(yard), yard.killed], [["t1"], []]);
    await yard.world.submit(complete("t1", 1));
    await yard.world.durable();
    assert.deepEqual([running(yard), yard.killed], [[], ["l1"]]);
    await yard.open("l2", "a@1.0.0");
    assert.deepEqual(running(yard), ["t2"]);
  });

  it("ends one that is over it at once, and what it ran has failed with the megabytes and the bound", async () => {
    const yard = await weighed();
    yard.links.weighed("l1", 100 * MB);
    await yard.world.durable();
    assert.deepEqual(yard.killed, []);
    yard.links.weighed("l1", 123 * MB);
    await yard.world.durable();
    assert.deepEqual(yard.killed, ["l1"]);
    const failed = yard.world.committed.find(({ type }) => type === "task.failed")?.data as {
      error: { code: string; detail: unknown };
    };
    assert.deepEqual(
      [failed.error.code, failed.error.detail],
      ["agent/memory-exceeded", { megabytes: 123, limit: 100 }],
    );
  });
});
