/** Agents: who they are, how they come and go, and what is said of them, which must follow from facts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { capacityOf } from "../../../src/core/agents/agent.ts";
import { agentStatus, type AgentStatus } from "../../../src/core/agents/status.ts";
import { PageCommandSchema } from "../../../src/core/protocol.ts";
import type { CoreCommand, CoreState } from "../../../src/core/runtime.ts";
import { createChance, roundsOf, seedOf } from "./chance.ts";
import { completes, given, never, openWorld, type Host } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { cancelTask, complete, createTask, join, leave, registerAgent, serve } from "./things.ts";

const seed = seedOf(1_618);

const unregister = (id: string, mode?: "drain" | "requeue" | "kill"): CoreCommand => ({
  type: "agent.unregister",
  data: { id, ...(mode && { mode }) },
});
const turn = (id: string, offline: boolean): CoreCommand => ({ type: "agent.switch", data: { id, offline } });
const offer = (session: string, ...agents: string[]): CoreCommand => ({
  type: "page.offer",
  data: { session, agents },
});

const statusOf = ({ mirror }: Host, id = "a@1.0.0"): AgentStatus => agentStatus(mirror.agents, id);
const taskOf = ({ mirror }: Host, id: string): string | undefined => mirror.tasks.tasks.get(id)?.status;

describe("an agent's identity", () => {
  it("is its name and version: several versions stand side by side", async () => {
    const world = await openWorld(seed, { behaviour: never });
    await world.submit(registerAgent("a"), registerAgent("a", { version: "2.0.0" }));
    await world.submit(join("l1", "a@1.0.0"), join("l2", "a@2.0.0"));
    await world.submit(createTask("t", { agents: { version: "^2" } }), createTask("u", { agents: { version: "1.x" } }));
    const linkOf = (id: string): string | undefined => world.mirror.tasks.tasks.get(id)?.link;
    assert.deepEqual([linkOf("t"), linkOf("u")], ["l2", "l1"]);
  });

  it("refuses another manifest under it, and says what differs", async () => {
    const world = await given(registerAgent("a"))
      .when(registerAgent("a", { slots: 2 }))
      .gives("refused: agent/duplicate");
    const [[, error] = []] = world.engine.submit([registerAgent("a", { slots: 2, labels: { zone: "eu" } })]);
    assert.deepEqual(error?.detail, { id: "a@1.0.0", differs: ["slots", "labels"] });
    assert.equal(world.engine.state.agents.agents.get("a@1.0.0")?.slots, 1);
  });

  it("takes another manifest that is to replace it, and keeps what it has done", async () => {
    const world = await openWorld(seed, { behaviour: completes() });
    await world.submit(...serve("a"), createTask("t"));
    await world.finish();
    await world.submit(registerAgent("a", { slots: 2, replace: true }));
    const agent = world.mirror.agents.agents.get("a@1.0.0");
    assert.deepEqual([agent?.slots, agent?.statistics.completed], [2, 1]);
    assert.ok(agent && !("replace" in agent));
  });

  it("is the same for the same code from another place", async () => {
    const integrity = `sha256-${"A".repeat(43)}`;
    await given(registerAgent("a", { integrity }))
      .when(registerAgent("a", { integrity, url: "/elsewhere.js" }))
      .gives();
    await given(registerAgent("a"))
      .when(registerAgent("a", { url: "/elsewhere.js" }))
      .gives("refused: agent/duplicate");
  });
});

describe("unregistering", () => {
  const running = [...serve("a", { slots: 2 }), createTask("t"), createTask("u")];

  it("drains: no new work, what runs ends, then it is gone", async () => {
    const world = await given(...running)
      .when(unregister("a@1.0.0"))
      .gives("agent.withdrawn");
    await world.submit(complete("t", 1), createTask("new"));
    assert.deepEqual([statusOf(world), taskOf(world, "new")], ["offline", "queued"]);
    const from = world.committed.length;
    await world.submit(complete("u", 1));
    const types = world.committed.slice(from).map(({ type }) => type);
    assert.deepEqual(types, ["task.completed", "agent.unregistered"]);
    assert.equal(world.mirror.agents.agents.size, 0);
  });

  it("drains an agent that runs nothing at once, and asks nobody twice", async () => {
    await given(...serve("a"))
      .when(unregister("a"))
      .gives("agent.unregistered");
    await given(...running, unregister("a"))
      .when(unregister("a"))
      .gives();
  });

  it("waits with draining for the slot of an attempt that was cancelled", async () => {
    const world = await given(...running, cancelTask("t"), complete("u", 1))
      .when(unregister("a"))
      .gives("agent.withdrawn");
    await world.submit({ type: "slot.release", data: { link: "a-1", task: "t", attempt: 1 } });
    assert.equal(world.mirror.agents.agents.size, 0);
  });

  it("ends the draining when the last worker goes", async () => {
    await given(...running, unregister("a"))
      .when(leave("a-1", "page-gone"))
      .gives("link.left", "task.interrupted", "task.interrupted", "agent.unregistered");
  });

  for (const mode of ["requeue", "kill"] as const)
    it(`with ${mode} queues what runs again at once`, async () => {
      const world = await given(...running)
        .when(unregister("a", mode))
        .gives("agent.unregistered", "task.interrupted", "task.interrupted");
      assert.deepEqual([taskOf(world, "t"), taskOf(world, "u")], ["queued", "queued"]);
      await world.submit(complete("t", 1)); // late
      assert.equal(taskOf(world, "t"), "queued");
      await world.submit(...serve("b"));
      assert.deepEqual(world.mirror.tasks.tasks.get("t")?.agent, "b@1.0.0");
    });

  it("is taken back by registering it again meanwhile", async () => {
    const world = await given(...running, unregister("a"))
      .when(registerAgent("a", { slots: 2 }))
      .gives("agent.registered");
    await world.submit(complete("t", 1), complete("u", 1), createTask("new"));
    assert.equal(taskOf(world, "new"), "assigned");
  });

  it("takes all versions for a name, one for an id, and refuses what nobody has", async () => {
    const both = [registerAgent("a"), registerAgent("a", { version: "2.0.0" })];
    await given(...both)
      .when(unregister("a"))
      .gives("agent.unregistered", "agent.unregistered");
    await given(...both)
      .when(unregister("a@2.0.0"))
      .gives("agent.unregistered");
    await given(...both)
      .when(unregister("a@3.0.0"))
      .gives("refused: agent/unknown");
    await given(...both)
      .when(turn("b", true))
      .gives("refused: agent/unknown");
  });
});

describe("an agent that was taken off", () => {
  it("ends what it runs, gets nothing new, and goes on when it is put on again", async () => {
    const world = await given(...serve("a", { slots: 2 }), createTask("t"))
      .when(turn("a", true))
      .gives("agent.switched");
    await world.submit(turn("a", true), createTask("u"));
    assert.deepEqual([statusOf(world), taskOf(world, "t"), taskOf(world, "u")], ["offline", "assigned", "queued"]);
    await world.submit(complete("t", 1));
    assert.equal(world.mirror.agents.agents.size, 1);
    await world.submit(turn("a", false));
    assert.deepEqual([statusOf(world), taskOf(world, "u")], ["idle", "assigned"]);
  });

  it("is offline however well it is served, so that nobody can fake an idle one, nor switch on a dead one", async () => {
    const world = await openWorld(seed, { behaviour: never });
    await world.submit(registerAgent("a"), turn("a", false));
    assert.equal(statusOf(world), "offline");
    await world.submit(turn("a", true), join("l1", "a"), offer("page", "a@1.0.0"));
    assert.equal(statusOf(world), "offline");
  });
});

describe("the status", () => {
  it("follows from links, slots, offers, silence and faults", async () => {
    const world = await openWorld(seed, { behaviour: never });
    const steps: readonly (readonly [AgentStatus, ...CoreCommand[]])[] = [
      ["offline", registerAgent("a", { workers: 2 })],
      ["idle", offer("p1", "a@1.0.0"), offer("p2", "a@1.0.0", "a@1.0.0")],
      ["idle", offer("p1")],
      ["offline", offer("p2")],
      ["error", { type: "agent.fault", data: { id: "a@1.0.0", error: { name: "E", message: "404", code: "x" } } }],
      ["idle", join("l1", "a")],
      ["idle", createTask("t1")],
      ["idle", join("l2", "a")],
      ["busy", createTask("t2")],
      ["busy", { type: "link.silence", data: { link: "l1" } }],
      ["offline", { type: "link.silence", data: { link: "l2" } }],
      ["busy", { type: "link.hear", data: { link: "l2" } }],
      ["idle", complete("t2", 1)],
      ["offline", leave("l2", "closed")],
      ["offline", leave("l1", "page-gone")],
    ];
    for (const [place, [expected, ...commands]] of steps.entries()) {
      await world.submit(...commands);
      assert.equal(statusOf(world), expected, `step ${String(place)}`);
    }
  });

  it("gives no work to a worker that doesn't answer, and gives it again when it does", async () => {
    const world = await openWorld(seed, { behaviour: never });
    await world.submit(...serve("a", { slots: 2 }), { type: "link.silence", data: { link: "a-1" } }, createTask("t"));
    assert.equal(taskOf(world, "t"), "queued");
    await world.submit({ type: "link.hear", data: { link: "a-1" } });
    assert.equal(taskOf(world, "t"), "assigned");
  });

  it("and the sums behind it are what a recount of links and offers gives, always", async () => {
    const chance = createChance(seed);
    const world = await openWorld(seed, { behaviour: chaotic, chance });
    const live = createLife(chance);
    const seen = new Set<string>();
    for (let step = 0; step < Math.max(300, roundsOf(2_500)); step++) {
      await world.advance(live(world));
      for (const { id } of world.engine.state.agents.agents.values()) {
        const status = agentStatus(world.engine.state.agents, id);
        seen.add(status);
        assert.equal(status, recounted(world.engine.state, id));
      }
    }
    assert.deepEqual([...seen].sort(), ["busy", "error", "idle", "offline"]);
  });
});

function recounted({ agents }: CoreState, id: string): AgentStatus {
  const agent = agents.agents.get(id);
  const links = [...agents.links.values()].filter((link) => link.agent === id);
  const held = links.reduce((sum, link) => sum + link.held, 0);
  assert.equal(held, [...agents.holdings.values()].filter(({ link }) => links.some((one) => one.id === link)).length);
  if (!agent || agent.offline || agent.draining) return "offline";
  if (links.length > 0 && links.every(({ silent }) => silent)) return "offline";
  if (links.length > 0) return held >= capacityOf(agent) ? "busy" : "idle";
  if (agent.fault) return "error";
  return [...agents.offers.values()].some((one) => one.agents.includes(id)) ? "idle" : "offline";
}

describe("maxConcurrentTasks", () => {
  it("is never exceeded over all workers, and leaves nothing waiting below it, with 10,000 tasks", async () => {
    const chance = createChance(seed);
    const world = await openWorld(seed, { behaviour: (work) => completes(1 + work.chance.below(20))(work), chance });
    await world.submit(registerAgent("a", { workers: 4, slots: 5, maxConcurrentTasks: 3 }));
    await world.submit(...["l1", "l2", "l3", "l4"].map((link) => join(link, "a")));
    let most = 0;
    const look = (): void => {
      const { links, loads } = world.engine.state.agents;
      const held = [...links.values()].reduce((sum, link) => sum + link.held, 0);
      assert.equal(loads.get("a@1.0.0")?.held ?? 0, held);
      assert.ok(held <= 3, `${String(held)} at once`);
      const waiting = [...world.engine.state.tasks.tasks.values()].some(({ status }) => status === "queued");
      assert.ok(held === 3 || !waiting, "a task waits beside a free slot");
      most = Math.max(most, held);
    };
    for (let round = 0; round < 100; round++) {
      await world.submit(...Array.from({ length: 100 }, (_none, at) => createTask(`t${String(round)}-${String(at)}`)));
      look();
      if (round % 10 === 0) await world.submit(leave("l1", "crashed"), join("l1", "a"));
      look();
      await world.advance(chance.below(400));
      look();
    }
    await world.finish();
    const done = world.engine.state.tasks.counts.completed;
    assert.deepEqual([most, done], [3, 10_000]);
  });
});

describe("a page's command about agents", () => {
  const data = { name: "a", version: "1.0.0", capabilities: ["x@1.0.0"], url: "/a.js" };
  const isTaken = (changes: object): boolean =>
    v.safeParse(PageCommandSchema, { type: "agent.register", data: { ...data, ...changes } }).success;

  it("is taken when every field is what it should be", () => {
    assert.ok(isTaken({}));
    assert.ok(
      isTaken({
        labels: { zone: "eu" },
        prior: { weight: 3 },
        priority: "low",
        specializations: ["ts"],
        replace: true,
      }),
    );
  });

  it("is refused for anything else", () => {
    for (const changes of [
      { capabilities: ["x@1"] },
      { capabilities: ["x@^1.0.0"] },
      { labels: { __proto__x: "y", "": "z" } },
      { prior: { weight: -1 } },
      { prior: { successRate: 1.01 } },
      { maxConcurrentTasks: 0 },
      { priority: "urgent" },
      { statistics: { completed: 1_000 } },
      { draining: true },
      { resourceLimits: { maxMemoryMB: 0 } },
      { resourceLimits: { maxDisk: 1 } },
    ])
      assert.ok(!isTaken(changes), JSON.stringify(changes));
    const task = (order: object): boolean =>
      v.safeParse(PageCommandSchema, {
        type: "task.create",
        data: { id: "t", input: "1", capabilities: ["x"], ...order },
      }).success;
    assert.ok(task({ capabilities: ["x@^1"], agents: { version: ">=1 <3" } }));
    for (const order of [{ capabilities: ["x@latest"] }, { capabilities: ["x@"] }, { agents: { version: "new" } }])
      assert.ok(!task(order), JSON.stringify(order));
  });
});
