/** What agents have done, counted once more from the journal's events by somebody who knows nothing of the fold. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Agent, AgentStatistics, Former } from "../../../src/core/agents/agent.ts";
import { averageResponseTime, NO_STATISTICS, successRate } from "../../../src/core/agents/statistics.ts";
import { saveState, type CoreEvent } from "../../../src/core/runtime.ts";
import { createChance, seedOf } from "./chance.ts";
import { createDisk, eventsOf } from "./disk.ts";
import { completes, createTime, fails, inTurn, never, openHost, openWorld, type Host } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { createTask, leave, registerAgent, serve } from "./things.ts";

const seed = seedOf(2_718);

interface Tally {
  completed: number;
  failed: number;
  time: number;
  lastActiveAt?: number;
}

/** Follows each attempt from its start to its end. */
function recount(events: readonly CoreEvent[]): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  const open = new Map<string, { readonly agent: string; readonly link: string; readonly at: number }>();
  const tallyOf = (agent: string): Tally => {
    const tally = tallies.get(agent) ?? { completed: 0, failed: 0, time: 0 };
    tallies.set(agent, tally);
    return tally;
  };
  const close = (id: string, attempt: number, at: number, how?: "completed" | "failed"): void => {
    const key = `${id} ${String(attempt)}`;
    const one = open.get(key);
    open.delete(key);
    if (!one || !how) return;
    const tally = tallyOf(one.agent);
    tally[how]++;
    tally.time += at - one.at;
    tally.lastActiveAt = at;
  };
  for (const { type, data, at } of events)
    switch (type) {
      case "host.started":
        open.clear();
        break;
      case "agent.registered":
        tallyOf(`${data.name}@${data.version}`);
        break;
      case "agent.unregistered":
        for (const [key, { agent }] of open) if (agent === data.id) open.delete(key);
        break;
      case "link.left":
        if (data.cause !== "crashed") for (const [key, { link }] of open) if (link === data.link) open.delete(key);
        break;
      case "task.assigned":
        open.set(`${data.id} ${String(data.attempt)}`, { agent: data.agent, link: data.link, at });
        tallyOf(data.agent).lastActiveAt = at;
        break;
      case "task.completed":
        close(data.id, data.attempt, at, "completed");
        break;
      case "task.failed":
        close(data.id, data.attempt, at, "failed");
        break;
      case "task.cancelled":
      case "task.interrupted":
        close(data.id, data.attempt, at);
        break;
      default:
    }
  return tallies;
}

const known = ({ engine }: Host): (Agent | Former)[] => [
  ...engine.state.agents.agents.values(),
  ...engine.state.agents.former.values(),
];

const statisticsOf = ({ engine }: Host, id: string): AgentStatistics | undefined =>
  engine.state.agents.agents.get(id)?.statistics;

describe(`statistics (seed ${String(seed)})`, () => {
  it("are what the journal tells, through crashes, restarts and comings back", async () => {
    const chance = createChance(seed);
    const [disk, time] = [createDisk(), createTime()];
    const open = (): Promise<Host> => openHost({ disk, time, chance, behaviour: chaotic, snapshotEvery: 300 });
    let world = await open();
    const live = createLife(chance);
    for (let step = 1; step <= 2_400; step++) {
      await world.advance(live(world));
      if (step % 300 > 0) continue;
      await world.settle();
      const tallies = recount(eventsOf(disk));
      for (const { id, statistics } of known(world))
        assert.deepEqual({ ...NO_STATISTICS, ...statistics }, { ...NO_STATISTICS, ...tallies.get(id) }, id);
      assert.equal(saveState(world.mirror), saveState(world.engine.state));
      world.kill();
      world = await open();
    }
    const all = [...recount(eventsOf(disk)).values()];
    assert.ok(all.reduce((sum, { completed }) => sum + completed, 0) > 200);
    assert.ok(all.reduce((sum, { failed }) => sum + failed, 0) > 50);
  });

  it("count a worker's crash, and no interruption, cancellation or late answer", async () => {
    const world = await openWorld(seed, { behaviour: never });
    const retry = { maxAttempts: 1, base: 1, jitter: "none" } as const;
    await world.submit(...serve("a"), createTask("t1", { retry }), leave("a-1", "crashed"));
    assert.deepEqual(statisticsOf(world, "a@1.0.0")?.failed, 1);
    await world.submit(...serve("b", { capabilities: ["b"] }), createTask("t2", { capabilities: ["b"] }));
    await world.submit(leave("b-1", "page-gone"), { type: "task.cancel", data: { id: "t2" } });
    await world.submit({ type: "task.complete", data: { id: "t2", attempt: 1, output: "1" } });
    const { completed, failed } = statisticsOf(world, "b@1.0.0") ?? NO_STATISTICS;
    assert.deepEqual([completed, failed], [0, 0]);
  });

  it("give the mean time of attempts and the part that ended well, with the prior's part", async () => {
    const prior = { successRate: 0.5, averageResponseTime: 100, weight: 2 };
    const behaviour = inTurn(fails(40), completes(20));
    const world = await openWorld(seed, { behaviour });
    const retry = { maxAttempts: 2, base: 1, jitter: "none" } as const;
    await world.submit(...serve("a", { prior }), createTask("t", { retry }));
    await world.finish();
    const agent = world.mirror.agents.agents.get("a@1.0.0");
    assert.ok(agent);
    assert.deepEqual(agent.statistics, { completed: 1, failed: 1, time: 60, lastActiveAt: world.time.now() });
    assert.equal(successRate(agent), (0.5 * 2 + 1) / 4);
    assert.equal(averageResponseTime(agent), (100 * 2 + 60) / 4);
    assert.equal(averageResponseTime({ ...agent, prior: undefined }), 30);
    assert.equal(successRate({ ...agent, prior: { weight: 0 }, statistics: NO_STATISTICS }), 1);
  });

  it("wait for an agent that was unregistered, of the last thousand", async () => {
    const world = await openWorld(seed, { behaviour: completes() });
    await world.submit(...serve("old"), createTask("t"));
    await world.finish();
    const before = world.mirror.agents.agents.get("old@1.0.0");
    const unregister = (id: string): ReturnType<Host["submit"]> =>
      world.submit({ type: "agent.unregister", data: { id } });
    await unregister("old");
    world.time.set(world.time.now() + 1_000);
    await world.submit(registerAgent("old"));
    assert.deepEqual(world.mirror.agents.agents.get("old@1.0.0"), before);
    assert.equal(world.mirror.agents.former.size, 0);
    await unregister("old");
    for (let at = 0; at < 1_000; at++) {
      await world.submit(registerAgent(`n${String(at)}`));
      await unregister(`n${String(at)}`);
    }
    assert.equal(world.mirror.agents.former.size, 1_000);
    assert.ok(!world.mirror.agents.former.has("old@1.0.0"));
    await world.submit(registerAgent("old"));
    assert.equal(world.mirror.agents.agents.get("old@1.0.0")?.statistics.completed, 0);
  });
});
