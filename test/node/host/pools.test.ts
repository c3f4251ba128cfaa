/** The host's pools on virtual timers: which workers are started, kept, recycled and ended, and which of them answer. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { agentStatus, type AgentStatus } from "../../../src/core/agents/status.ts";
import { PING } from "../../../src/core/agents/protocol.ts";
import { BEAT } from "../../../src/workers/heartbeat.ts";
import { isActive } from "../../../src/core/tasks/task.ts";
import { LINGER } from "../../../src/workers/pool.ts";
import { complete, createTask, registerAgent } from "../core/things.ts";
import { openYard, pageOf, pass, type Yard } from "./yard.ts";

const pings = ({ posted }: Yard, link: string): number =>
  posted.get(link)?.filter((frame) => frame === PING).length ?? 0;
const statusOf = ({ world }: Yard): AgentStatus => agentStatus(world.engine.state.agents, "a@1.0.0");

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_700_000_000_000 });
});
afterEach(() => {
  mock.timers.reset();
});

describe("the heartbeat", () => {
  it("takes a worker that doesn't answer for silent two intervals after the first ping, until it says anything", async () => {
    const yard = await openYard();
    await yard.world.submit(registerAgent("a", { slots: 2 }));
    await yard.open("l1", "a@1.0.0");
    await yard.world.submit(createTask("t1"));
    await pass(yard, BEAT);
    assert.equal(pings(yard, "l1"), 1);
    await pass(yard, BEAT);
    assert.equal(statusOf(yard), "idle");
    await pass(yard, BEAT);
    assert.equal(statusOf(yard), "offline");
    await yard.world.submit(createTask("t2"));
    assert.equal(yard.world.engine.state.tasks.tasks.get("t2")?.status, "queued");
    yard.answer("l1");
    await yard.world.durable();
    assert.equal(yard.world.engine.state.tasks.tasks.get("t2")?.status, "assigned");
    assert.deepEqual(yard.killed, []);
  });

  it("leaves one alone that answers, and pings nobody who holds nothing", async () => {
    const yard = await openYard();
    await yard.world.submit(registerAgent("a"), registerAgent("b", { capabilities: ["rest"] }));
    await yard.open("l1", "a@1.0.0");
    await yard.open("l2", "b@1.0.0");
    await yard.world.submit(createTask("t1"));
    for (let beat = 1; beat <= 12; beat++) {
      await pass(yard, BEAT);
      assert.equal(pings(yard, "l1"), beat);
      yard.answer("l1");
    }
    assert.equal(statusOf(yard), "busy");
    await yard.world.submit(complete("t1", 1));
    for (let beat = 1; beat <= 5; beat++) await pass(yard, BEAT);
    assert.deepEqual([pings(yard, "l1"), pings(yard, "l2")], [12, 0]);
    assert.ok(!yard.world.committed.some(({ type }) => type === "link.silenced"));
  });

  it("doesn't blame workers for a time in which nothing ran", async () => {
    const yard = await openYard();
    await yard.world.submit(registerAgent("a"));
    await yard.open("l1", "a@1.0.0");
    await yard.world.submit(createTask("t1"));
    for (let beat = 0; beat < 2; beat++) await pass(yard, BEAT);
    mock.timers.setTime(Date.now() + 3_600_000); // rings what is due, an hour late
    await yard.world.durable();
    assert.ok(!yard.world.committed.some(({ type }) => type === "link.silenced"));
  });
});

describe("a pool", () => {
  it("ends a worker after so many attempts, when it runs none, and gives it no more", async () => {
    const yard = await openYard();
    await yard.world.submit(registerAgent("a", { slots: 2, workers: 2, recycleAfter: 3 }));
    await yard.open("l1", "a@1.0.0");
    await yard.world.submit(...["t1", "t2", "t3", "t4"].map((id) => createTask(id)));
    const running = (): string[] =>
      [...yard.world.engine.state.tasks.tasks.values()].filter(isActive).map(({ id }) => id);
    await yard.world.submit(complete("t1", 1));
    await yard.world.submit(complete("t2", 1));
    assert.deepEqual([running(), yard.killed], [["t3"], []]);
    await yard.world.submit(complete("t3", 1));
    await yard.world.durable();
    assert.deepEqual([running(), yard.killed], [[], ["l1"]]);
    await yard.open("l2", "a@1.0.0");
    assert.deepEqual(running(), ["t4"]);
    const left = yard.world.committed.find(({ type }) => type === "link.left");
    assert.equal((left?.data as { cause: string }).cause, "closed");
  });

  it("ends workers that had nothing to do for long, but for the fewest", async () => {
    const yard = await openYard();
    await yard.world.submit(registerAgent("a", { workers: 3, minWorkers: 1 }));
    for (const link of ["l1", "l2", "l3"]) await yard.open(link, "a@1.0.0");
    await pass(yard, LINGER - 1);
    await yard.world.submit(createTask("t1")); // l1 works now
    assert.deepEqual(yard.killed, []);
    await pass(yard, 1);
    assert.deepEqual(yard.killed, ["l2", "l3"]);
    await yard.world.submit(complete("t1", 1));
    await pass(yard, 3 * LINGER);
    assert.deepEqual(yard.killed, ["l2", "l3"]);
  });

  it("keeps the fewest up while a page offers them, and no more", async () => {
    const yard = await openYard();
    yard.pages.push(pageOf(yard, "p1", 8, "a@1.0.0"));
    await yard.world.submit(registerAgent("a", { workers: 3, minWorkers: 2 }));
    assert.deepEqual(
      yard.ordered.map(([link]) => link),
      ["ordered1", "ordered2"],
    );
    for (const [link] of [...yard.ordered]) await yard.open(link, "a@1.0.0", "p1");
    assert.equal(yard.ordered.length, 2);
    yard.links.close("ordered1", "crashed");
    await yard.world.durable();
    assert.equal(yard.ordered.length, 3);
    await yard.world.submit({ type: "agent.switch", data: { id: "a", offline: true } });
    yard.links.close("ordered2", "crashed");
    await yard.world.durable();
    assert.equal(yard.ordered.length, 3, "none for an agent that was taken off");
  });

  it("refuses a minimum above the maximum", async () => {
    const yard = await openYard();
    assert.deepEqual(await yard.world.submit(registerAgent("a", { workers: 1, minWorkers: 2 })), [
      "agent/manifest-invalid",
    ]);
  });

  it("minds a page's processors, lets in the first worker of every agent, and goes to the page with room", async () => {
    const yard = await openYard();
    yard.pages.push(pageOf(yard, "small", 1, "a@1.0.0", "b@1.0.0"));
    await yard.world.submit(
      registerAgent("a", { workers: 5 }),
      registerAgent("b", { workers: 5, capabilities: ["rest"] }),
    );
    await yard.world.submit(...["t1", "t2", "t3", "t4"].map((id) => createTask(id)));
    assert.equal(yard.ordered.length, 2, "twice its processors");
    for (const [link] of [...yard.ordered]) await yard.open(link, "a@1.0.0", "small");
    await yard.world.submit(createTask("u1", { capabilities: ["rest"] }), createTask("u2", { capabilities: ["rest"] }));
    assert.deepEqual(
      yard.ordered.slice(2).map(([, agent]) => agent),
      ["b@1.0.0"],
      "the first of an agent only",
    );
    yard.pages.push(pageOf(yard, "large", 8, "a@1.0.0"));
    yard.spawning.consider();
    assert.deepEqual(
      yard.ordered.slice(3).map(([, , page]) => page),
      ["large", "large"],
    );
  });
});
