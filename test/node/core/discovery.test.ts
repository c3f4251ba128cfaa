/** Discovery over a page's mirror, fed by a real engine: held against plain walks and against what the scheduler chose. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDiscovery, type AgentChange, type Discovery } from "../../../src/client/discovery.ts";
import { createMirror, type Mirror } from "../../../src/client/mirror.ts";
import type { AgentView } from "../../../src/client/runtime.ts";
import { RuntimeError } from "../../../src/core/errors.ts";
import { createChance, roundsOf, seedOf } from "./chance.ts";
import { never, openWorld, type Host } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { complete, createTask, join, registerAgent, serve } from "./things.ts";

const seed = seedOf(5_772);

interface Page {
  readonly world: Host;
  readonly mirror: Mirror;
  readonly discovery: Discovery;
}

/** A page that has connected to a new host. */
async function openPage(behaviour = never): Promise<Page> {
  const mirror = createMirror({ finished: () => undefined, unregistered: () => undefined });
  const world: Host = await openWorld(seed, {
    behaviour,
    chance: createChance(seed),
    onCommitted: (_events, { to }) => {
      mirror.advance(world.engine.changes(to), to);
    },
  });
  const { text, seq } = world.engine.show();
  mirror.reset(text, seq, 1);
  return { world, mirror, discovery: createDiscovery(mirror) };
}

const idsOf = (agents: readonly AgentView[]): string[] => agents.map(({ id }) => id);

describe(`discovery (seed ${String(seed)})`, () => {
  it("finds by capability, range, version, specialization, label, status and text", async () => {
    const { world, discovery } = await openPage();
    await world.submit(
      ...serve("coder", { capabilities: ["code@2.1.0"], specializations: ["ts"], labels: { zone: "eu" } }),
      registerAgent("coder", { version: "2.0.0", capabilities: ["code@3.0.0"], description: "Writes Programs" }),
      ...serve("painter", { capabilities: ["paint"] }),
    );
    const find = (query: Parameters<Discovery["find"]>[0]): string[] => idsOf(discovery.find(query));
    assert.deepEqual(find({}), ["coder@1.0.0", "coder@2.0.0", "painter@1.0.0"]);
    assert.deepEqual(find({ capabilities: ["code.refactor"] }), ["coder@1.0.0", "coder@2.0.0"]);
    assert.deepEqual(find({ capabilities: ["code.refactor@^3"] }), ["coder@2.0.0"]);
    assert.deepEqual(find({ version: ">=2" }), ["coder@2.0.0"]);
    assert.deepEqual(find({ specialization: "ts" }), ["coder@1.0.0"]);
    assert.deepEqual(find({ labels: { zone: "eu" } }), ["coder@1.0.0"]);
    assert.deepEqual(find({ labels: { constructor: "x" } }), []);
    assert.deepEqual(find({ status: "offline" }), ["coder@2.0.0"]);
    assert.deepEqual(find({ text: "PROGRAM" }), ["coder@2.0.0"]);
    assert.deepEqual(find({ capabilities: ["__proto__"] }), []);
    for (const query of [{ version: "newest" }, { capabilities: ["code@newest"] }, { capabilities: ["code@"] }])
      assert.throws(
        () => discovery.find(query),
        (error) => error instanceof RuntimeError && error.code === "command/invalid",
      );
  });

  it("puts matches in the scheduler's order, those that can take no work last, and says what it goes by", async () => {
    const { world, discovery } = await openPage();
    await world.submit(
      ...serve("plain"),
      ...serve("able", { capabilities: ["work", "fast"] }),
      ...serve("urgent", { priority: "high" }),
      registerAgent("away", { priority: "critical" }),
      ...serve("other", { capabilities: ["rest"] }),
    );
    const found = discovery.findAgentsByCapabilities(["work"], ["fast", "cheap"]);
    assert.deepEqual(idsOf(found.map(({ agent }) => agent)), [
      "urgent@1.0.0",
      "able@1.0.0",
      "plain@1.0.0",
      "away@1.0.0",
    ]);
    const [able, away] = [found.at(1), found.at(3)];
    assert.deepEqual(able?.optional, { had: ["fast"], missing: ["cheap"] });
    assert.deepEqual([able.parts.optional, able.parts.load, away?.parts.available], [0.5, 1, 0]);
    assert.ok(able.reasons.includes("it lacks cheap") && away?.reasons.includes("it is offline"));
    const scores = found.map(({ score }) => score);
    assert.ok(scores.every((score, at) => score > 0 && score <= 1 && score < (scores[at - 1] ?? 2)));
    assert.equal(discovery.findAgentsByCapabilities([]).length, 5);
    assert.deepEqual(discovery.findAgentsByCapabilities(["nothing"]), []);
  });

  it("names the best agent that has room, else the best that matches, else none", async () => {
    const { world, discovery } = await openPage();
    await world.submit(...serve("best", { priority: "high" }), ...serve("second", { slots: 2, workers: 2 }));
    const best = (capability = "work"): string | undefined =>
      discovery.findBestAgentForTask({ capabilities: [capability] })?.id;
    assert.equal(best(), "best@1.0.0");
    await world.submit(createTask("t", { agents: { exclude: ["second"] } }));
    assert.equal(best(), "second@1.0.0");
    await world.submit({ type: "agent.switch", data: { id: "second", offline: true } });
    assert.equal(best(), "best@1.0.0");
    await world.submit(complete("t", 1), { type: "agent.switch", data: { id: "second", offline: false } });
    const choose = (agents: object): string | undefined =>
      discovery.findBestAgentForTask({ capabilities: ["work"], agents })?.id;
    assert.equal(choose({ exclude: ["best"] }), "second@1.0.0");
    assert.equal(choose({ version: "^2" }), undefined);
  });

  it("finds and counts what walks over the mirror find and count, through a long life", async () => {
    const { world, mirror, discovery } = await openPage(chaotic);
    const chance = createChance(seed + 1);
    const live = createLife(chance);
    let found = 0;
    for (let step = 0; step < Math.max(300, roundsOf(1_200)); step++) {
      await world.advance(live(world));
      const agents = [...mirror.store.getState().agents.values()];
      const capability = chance.pick(["a", "b", "c", "a.b"]);
      const capable = agents.filter((one) =>
        one.capabilities.some((own) => capability.split(".").includes(own) && capability.startsWith(own)),
      );
      const seen = discovery.findAgentsByCapabilities([capability]).map(({ agent }) => agent);
      assert.deepEqual(idsOf(seen).sort(), idsOf(capable).sort());
      for (const one of seen) assert.equal(one, mirror.store.getState().agents.get(one.id), "the present one");
      found += seen.length;
      const { total, idle, busy, offline, error, capabilities, running, capacity } = discovery.getStats();
      const having = (status: string): number => agents.filter((one) => one.status === status).length;
      assert.deepEqual(
        [total, idle, busy, offline, error],
        [agents.length, ...["idle", "busy", "offline", "error"].map(having)],
      );
      assert.equal(capabilities.get("a") ?? 0, agents.filter((one) => one.capabilities.includes("a")).length);
      const active = agents.filter(({ status }) => status === "idle" || status === "busy");
      assert.equal(
        running,
        active.reduce((sum, one) => sum + one.running, 0),
      );
      assert.equal(
        capacity,
        active.reduce((sum, one) => sum + one.capacity, 0),
      );
    }
    assert.ok(found > roundsOf(500));
  });

  it("tells watchers what joins, changes and leaves, until they stop", async () => {
    const { world, discovery } = await openPage();
    const heard: string[] = [];
    const stop = discovery.watchAgents({ capabilities: ["work"], status: "idle" }, ({ kind, agent }: AgentChange) => {
      heard.push(`${agent.id} ${kind}`);
    });
    await world.submit(registerAgent("a", { slots: 2 }), registerAgent("b", { capabilities: ["rest"] }));
    await world.submit(join("a-1", "a"));
    await world.submit(createTask("t1"));
    await world.submit(createTask("t2"));
    await world.submit(complete("t1", 1));
    stop();
    await world.submit({ type: "agent.unregister", data: { id: "a", mode: "kill" } });
    assert.deepEqual(heard, ["a@1.0.0 joined", "a@1.0.0 changed", "a@1.0.0 left", "a@1.0.0 joined"]);
  });

  it("says of every resource limit that was asked for whether it is enforced", async () => {
    const { world, discovery } = await openPage();
    await world.submit(registerAgent("a", { resourceLimits: { maxMemoryMB: 512 } }), registerAgent("b"));
    const [a, b] = discovery.find();
    assert.deepEqual(b?.enforcement, {});
    assert.deepEqual(Object.keys(a?.enforcement ?? {}), ["maxMemoryMB"]);
    assert.equal(a?.enforcement.maxMemoryMB?.state, "not enforceable here");
  });

  it("follows a mirror that begins anew", async () => {
    const [one, other] = [await openPage(), await openPage()];
    await one.world.submit(registerAgent("old"));
    assert.deepEqual(idsOf(one.discovery.find()), ["old@1.0.0"]);
    await other.world.submit(registerAgent("new"));
    const { text, seq } = other.world.engine.show();
    one.mirror.reset(text, seq, 2);
    assert.deepEqual(idsOf(one.discovery.find({ capabilities: ["work"] })), ["new@1.0.0"]);
  });
});
