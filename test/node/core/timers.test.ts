/** Timers: absolute, fired once, and what they do when nobody was there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  createState,
  restoreState,
  saveState,
  type CoreCommand,
  type CoreCommands,
  type CoreEvent,
} from "../../../src/core/runtime.ts";
import { createDisk, eventsOf } from "./disk.ts";
import { createTime, frozenKit, openHost, openWorld, START } from "./kit.ts";
import { createChance, seedOf } from "./chance.ts";

const HOUR = 3_600_000;
const seed = seedOf(77);

function set(id: string, more: Partial<CoreCommands["timer.set"]> = {}): CoreCommand {
  return { type: "timer.set", data: { id, until: START + HOUR, late: "fire", tolerance: 60_000, ...more } };
}

const told = (events: readonly CoreEvent[]): unknown[] =>
  events.flatMap(({ type, data, at }) =>
    type === "timer.fired" || type === "timer.missed" ? [[type, data.id, data.by, at - START]] : [],
  );

describe(`timers (seed ${String(seed)})`, () => {
  it("fire once, at their moment, the earliest first", async () => {
    const world = await openWorld(1);
    await world.submit(set("b"), set("a", { until: START + 5 }), set("a", { until: START + 9 }));
    await world.finish();
    assert.deepEqual(told(world.committed), [
      ["timer.fired", "a", 0, 5],
      ["timer.fired", "b", 0, HOUR],
    ]);
    assert.equal(world.engine.nextDue(), undefined);
    assert.equal(world.engine.state.timers.timers.size, 0);
  });

  it("that nobody was there for fire late, are skipped or expire, as they say", async () => {
    const world = await openWorld(1);
    const within = { tolerance: 2 * HOUR };
    await world.submit(set("fire"), set("skip", { late: "skip" }), set("expire", { late: "expire" }));
    await world.submit(
      set("skip-near", { late: "skip", ...within }),
      set("expire-near", { late: "expire", ...within }),
    );
    world.kill();
    world.time.set(START + HOUR + 90_000);
    const next = await openHost(world);
    await next.finish();
    const outcomes = next.committed.flatMap(({ type, data }) =>
      type === "timer.fired" ? [`${data.id} fired`] : type === "timer.missed" ? [`${data.id} ${data.late}`] : [],
    );
    assert.deepEqual(outcomes.sort(), [
      "expire expire",
      "expire-near fired",
      "fire fired",
      "skip skip",
      "skip-near fired",
    ]);
    assert.ok(next.committed.every(({ type, data }) => type !== "timer.fired" || data.by === 90_000));
  });

  it("wait for their moment when the clock is set back, and are gone when they are cancelled", async () => {
    const world = await openWorld(1);
    await world.submit(set("a"), set("b"), { type: "timer.cancel", data: { id: "b", reason: "no" } });
    await world.submit({ type: "timer.cancel", data: { id: "b", reason: "again" } });
    world.time.set(START - HOUR);
    await world.advance(HOUR + HOUR - 1);
    assert.deepEqual(told(world.committed), []);
    await world.advance(1);
    assert.deepEqual(told(world.committed), [["timer.fired", "a", 0, HOUR]]);
    assert.equal(world.committed.filter(({ type }) => type === "timer.cancelled").length, 1);
  });

  it("aren't missed by a state that was saved before there were any", async () => {
    const world = await openWorld(1);
    const { text } = world.engine.capture();
    const { timers, messages, schedules, ...before } = JSON.parse(text) as Record<string, unknown>;
    assert.ok(timers && messages && schedules);
    const state = createState(frozenKit([]));
    restoreState(state, JSON.stringify(before));
    assert.equal(saveState(state), text);
  });

  it("fire once each, over any restarts", async () => {
    for (let run = 0; run < 30; run++) {
      const chance = createChance(seed + run);
      const [disk, time] = [createDisk(), createTime()];
      const expected: string[] = [];
      let host = await openHost({ disk, time, chance, snapshotEvery: 7 });
      for (let step = 0; step < 60; step++) {
        const id = `t${String(step)}`;
        expected.push(id);
        await host.submit(set(id, { until: time.now() + chance.below(90_000) }));
        if (chance.once(3)) await host.advance(chance.below(20_000));
        if (!chance.once(5)) continue;
        host.kill();
        time.set(time.now() + chance.below(100_000));
        host = await openHost({ disk, time, chance, snapshotEvery: 7 });
      }
      await host.finish();
      const fired = eventsOf(disk).flatMap(({ type, data }) => (type === "timer.fired" ? [data] : []));
      assert.deepEqual(fired.map(({ id }) => id).sort(), expected.sort());
      assert.ok(fired.every(({ by }) => by >= 0));
    }
  });
});
