/** E1 to E5 of engine.ts, each attacked. E6 and E7 are in purity.test.ts and determinism.test.ts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RuntimeError } from "../../../src/core/errors.ts";
import { saveState, type CoreEvent } from "../../../src/core/runtime.ts";
import { createChance } from "./chance.ts";
import { createTime, frozenKit, never, openHost, openWorld, type Host, type HostOptions } from "./kit.ts";
import { createDisk, eventsOf, readState, type Disk, type Gate } from "./disk.ts";
import { cancelTask, complete, createTask, fail, join, leave, registerAgent, serve } from "./things.ts";

interface Held {
  /** Lets the write through. */
  let(): void;
  /** Lets the write fail, after it was carried out or instead. */
  break(committed: boolean): void;
}

/** A gate that holds every write until it is let through, or broken. */
function createHeldGate(): { readonly gate: Gate; readonly held: Held[] } {
  const held: Held[] = [];
  const gate: Gate = () =>
    new Promise((resolve) => {
      held.push({
        let: () => {
          resolve(undefined);
        },
        break: (committed) => {
          resolve(committed ? "fail-after" : "refuse");
        },
      });
    });
  return { gate, held };
}

async function turn(times = 20): Promise<void> {
  for (let at = 0; at < times; at++) await Promise.resolve();
}

/** A host whose first append, that of `host.start`, went through, and whose next ones are held. */
async function openHeld(
  options: Partial<HostOptions> = {},
): Promise<Host & { readonly disk: Disk; readonly held: Held[] }> {
  const { gate, held } = createHeldGate();
  const disk = createDisk();
  const host = await openHost({
    disk,
    time: createTime(),
    chance: createChance(1),
    behaviour: never,
    gate,
    ...options,
  });
  await turn();
  held.shift()?.let();
  await turn();
  return Object.assign(host, { disk, held });
}

const typesOf = (events: readonly CoreEvent[]): string[] => events.map(({ type }) => type);

describe("E1: commands never interleave", () => {
  it("gives the same history whether commands come one by one, or out of commits and answers", async () => {
    const commands = [
      ...serve("a", { slots: 2 }),
      ...["t1", "t2", "t3", "t4"].map((id) => createTask(id)),
      complete("t1", 1),
      fail("t2", 1),
      cancelTask("t3"),
      leave("a-1", "page-gone"),
      join("a-2", "a"),
      complete("t4", 2),
    ];
    const plain = await openWorld(3, { behaviour: never });
    for (const command of commands) await plain.submit(command);

    const rest = [...commands];
    const open: Host[] = [];
    const pushNext = (): void => {
      for (const host of open) host.push(...rest.splice(0, 1));
    };
    const disk = createDisk();
    const tangled = await openWorld(3, {
      disk,
      behaviour: never,
      onCommitted() {
        pushNext();
        for (const host of open) host.engine.whenDurable(pushNext);
      },
      gate: async () => {
        pushNext(); // in the middle of an append
        await Promise.resolve();
        pushNext();
        return undefined;
      },
    });
    await tangled.settle();
    open.push(tangled);
    pushNext();
    await tangled.settle();

    assert.deepEqual(rest, []);
    assert.ok(disk.history.length < plain.disk.history.length, "commands were grouped");
    assert.deepEqual(eventsOf(disk), eventsOf(plain.disk));
    assert.equal(saveState(tangled.engine.state), saveState(plain.engine.state));
  });

  it("puts all that follows from a command right behind it", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t1"), createTask("t2"));
    const before = world.committed.length;
    await world.submit(leave("a-1", "page-gone"), join("a-2", "a"), complete("t1", 2), createTask("t3"));
    assert.deepEqual(typesOf(world.committed.slice(before)), [
      ...["link.left", "task.interrupted"],
      ...["link.joined", "task.assigned"],
      ...["task.completed", "task.assigned"],
      "task.created",
    ]);
  });
});

describe("E2: nothing leaves before the journal has it", () => {
  it("gives no reply, no event and no refusal before the append resolves", async () => {
    const seen: string[] = [];
    const host = await openHeld({ onCommitted: (events) => seen.push(...typesOf(events)) });
    seen.length = 0;
    const refusals = host.push(createTask("t1"), createTask("t1"));
    host.engine.whenDurable(() => seen.push("reply"));
    await turn();
    assert.equal(refusals[0]?.[1].code, "task/duplicate");
    assert.deepEqual(seen, []);
    assert.equal(host.engine.head, 1);
    host.held.shift()?.let();
    await turn();
    assert.deepEqual(seen, ["task.created", "reply"]);
    assert.equal(host.engine.head, 2);
  });

  it("holds back a refusal that decided nothing itself but rests on what is still being written", async () => {
    const host = await openHeld();
    let told = false;
    host.push(createTask("t1"));
    await turn();
    host.push(createTask("t1")); // refused because of a fact that is in flight
    host.engine.whenDurable(() => (told = true));
    await turn();
    assert.equal(told, false);
    host.held.shift()?.let();
    await turn();
    assert.equal(told, true);
    assert.equal(host.held.length, 0, "a refusal alone writes nothing");
  });

  it("never lets out a refusal whose ground was lost with the append", async () => {
    const host = await openHeld();
    const told: unknown[] = [];
    host.push(createTask("t1"));
    await turn();
    host.push(createTask("t1"));
    host.engine.whenDurable((stopped) => told.push(stopped?.code));
    host.held.shift()?.break(false);
    await turn();
    assert.deepEqual(told, ["host/stopped"]);
    const again = await openHost({ disk: host.disk, time: createTime(), chance: createChance(1) });
    assert.deepEqual(await again.submit(createTask("t1")), []);
  });

  it("makes what is decided within a commit wait for the next one", async () => {
    const order: string[] = [];
    let once = true;
    const host: Host & { readonly held: Held[] } = await openHeld({
      onCommitted(events) {
        order.push(...typesOf(events));
        if (!events.some(({ type }) => type === "task.created") || !once) return;
        once = false;
        host.push(cancelTask("t1"));
        host.engine.whenDurable(() => order.push("told of the cancellation"));
      },
    });
    order.length = 0;
    host.push(createTask("t1"));
    host.engine.whenDurable(() => order.push("told of the task"));
    await turn();
    host.held.shift()?.let();
    await turn();
    assert.deepEqual(order, ["task.created", "told of the task"]);
    host.held.shift()?.let();
    await turn();
    assert.deepEqual(order.slice(2), ["task.cancelled", "told of the cancellation"]);
  });

  it("tells those who wait as soon as the append is durable, however long a snapshot takes after it", async () => {
    const host = await openHeld({ snapshotEvery: 2 });
    let told = false;
    host.push(createTask("t1"), createTask("t2"));
    host.engine.whenDurable(() => (told = true));
    await turn();
    host.held.shift()?.let();
    await turn();
    assert.equal(host.held.length, 1, "the snapshot is being kept");
    assert.equal(told, true);
  });

  it("tells everybody who waits, though one of them throws", async () => {
    const host = await openHeld();
    const told: string[] = [];
    host.push(createTask("t1"));
    host.engine.whenDurable(() => told.push("first"));
    host.engine.whenDurable(() => {
      throw new Error("a listener broke");
    });
    host.engine.whenDurable(() => told.push("third"));
    await turn();
    host.held.shift()?.let();
    await turn();
    assert.deepEqual(told, ["first", "third"]);
  });
});

describe("E3: appends go one at a time, in order", () => {
  it("never writes twice at once, and joins each batch to the one before, whatever the journal's delays", async () => {
    const chance = createChance(5);
    let writing = 0;
    const gate: Gate = async () => {
      writing++;
      assert.equal(writing, 1);
      await turn(chance.below(60));
      writing--;
      return undefined;
    };
    const world = await openWorld(5, { behaviour: never, gate, snapshotEvery: 20 });
    for (let at = 0; at < 400; at++) {
      world.push(createTask(`t${String(at)}`));
      if (chance.once(2)) await turn(chance.below(40));
    }
    await world.settle();
    let head = 0;
    for (const { from, to } of world.disk.history) {
      assert.equal(from, head + 1);
      head = to;
    }
    assert.equal(head, 401);
    world.kill();
    assert.equal(saveState(await readState(world.disk, frozenKit([]))), saveState(world.engine.state));
  });

  it("writes all commands of a turn as one record", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.durable();
    const before = world.disk.history.length;
    for (let at = 0; at < 1_000; at++) world.push(createTask(`t${String(at)}`));
    await world.durable();
    assert.equal(world.disk.history.length, before + 1);
  });

  it("writes nothing while nothing happens", async () => {
    const world = await openWorld(1, { behaviour: never });
    await world.submit(...serve("a"), createTask("t1", { timeout: 100_000 }));
    const before = world.disk.history.length;
    await world.advance(60_000);
    for (let at = 0; at < 10; at++) {
      world.engine.wake();
      await world.durable();
    }
    assert.equal(world.disk.history.length, before);
  });
});

describe("E4: a failed append stops the engine, and recovery is replay", () => {
  for (const committed of [false, true])
    it(`stops for good when an append fails ${committed ? "though it was carried out" : "and nothing was written"}`, async () => {
      const host = await openHeld();
      const told: unknown[] = [];
      host.push(createTask("t1"));
      host.engine.whenDurable((stopped) => told.push(stopped?.code));
      await turn();
      host.push(createTask("t2"));
      host.engine.whenDurable((stopped) => told.push(stopped?.code));
      host.held.shift()?.break(committed);
      await turn();
      assert.deepEqual(told, ["host/stopped", "host/stopped"]);
      assert.equal(host.stopped()?.code, "host/stopped");
      assert.equal((host.stopped()?.cause as RuntimeError).code, "journal/unavailable");
      assert.deepEqual(typesOf(host.committed), ["host.started"], "nothing left");
      assert.throws(() => host.push(createTask("t3")), { code: "host/stopped" });
      assert.equal((await host.durable())?.code, "host/stopped");
      assert.equal(host.held.length, 0, "nothing is written any more");

      const again = await openHost({ disk: host.disk, time: createTime(), chance: createChance(1) });
      await again.settle();
      assert.deepEqual(
        [...again.engine.state.tasks.tasks.values()].map(({ id }) => id),
        committed ? ["t1"] : [],
      );
    });

  it("lets nothing out while an append never settles, and ends when it is stopped", async () => {
    const host = await openHeld();
    const told: unknown[] = [];
    host.push(createTask("t1"));
    host.engine.whenDurable((stopped) => told.push(stopped?.code));
    await turn(1_000);
    assert.deepEqual(told, []);
    host.engine.stop();
    assert.deepEqual(told, ["host/closed"]);
    host.held.shift()?.let(); // and then it does settle
    await turn();
    assert.deepEqual(told, ["host/closed"]);
    assert.deepEqual(typesOf(host.committed), ["host.started"]);
    assert.equal(host.stopped(), undefined, "it didn't stop by itself");
  });

  it("writes nothing of a step that broke in the middle", async () => {
    let broken = false;
    const chance = createChance(1);
    const world = await openWorld(1, {
      behaviour: never,
      chance: { ...chance, next: () => (broken ? assert.fail("no chance left") : chance.next()) },
    });
    await world.submit(...serve("a"), createTask("t1"));
    const before = world.disk.head;
    broken = true;
    assert.throws(() => world.push(createTask("t2"), leave("a-1", "crashed")), { code: "host/stopped" });
    await turn();
    assert.equal(world.disk.head, before);
    assert.equal(world.stopped()?.code, "host/stopped");
    const again = await openHost({ disk: world.disk, time: world.time, chance: createChance(2) });
    await again.settle();
    assert.equal(again.mirror.tasks.tasks.get("t1")?.status, "queued");
    assert.equal(again.mirror.tasks.tasks.size, 1);
  });

  it("stops when one who is told of a commit breaks", async () => {
    const world = await openWorld(1, {
      behaviour: never,
      onCommitted: (events) => assert.ok(!events.some(({ type }) => type === "task.created")),
    });
    await world.durable();
    world.push(createTask("t1"));
    assert.equal((await world.durable())?.code, "host/stopped");
    assert.equal(world.disk.head, 2, "it is durable all the same");
  });
});

describe("E5: two hosts can't both append", () => {
  it("stops the older of two engines on one disk before it tells anything", async () => {
    const disk = createDisk();
    const time = createTime();
    const older = await openHost({ disk, time, chance: createChance(1), behaviour: never });
    await older.submit(registerAgent("a"));
    older.push(createTask("old")); // decided, not yet written
    const newer = await openHost({ disk, time, chance: createChance(2), behaviour: never });
    assert.equal((await older.durable())?.code, "host/stopped");
    assert.equal((older.stopped()?.cause as RuntimeError).code, "journal/fenced");
    assert.deepEqual(typesOf(older.committed), ["host.started", "agent.registered"]);
    assert.deepEqual(await newer.submit(createTask("new")), []);
    assert.deepEqual(
      [...newer.engine.state.tasks.tasks.values()].map(({ id }) => id),
      ["new"],
    );
    assert.throws(() => older.push(createTask("old")), { code: "host/stopped" });
  });

  it("gives one history when hosts take over from one another again and again", async () => {
    const disk = createDisk();
    const time = createTime();
    const chance = createChance(9);
    const hosts: Host[] = [];
    const told = new Set<string>();
    for (let at = 0; at < 60; at++) {
      const host = await openHost({ disk, time, chance, behaviour: never, snapshotEvery: 15 });
      hosts.push(host);
      for (const one of hosts.slice(-3)) {
        const id = `t${String(at)}-${String(hosts.indexOf(one))}`;
        if (one.stopped()) continue;
        one.push(createTask(id));
        one.engine.whenDurable((stopped) => {
          if (!stopped) told.add(id);
        });
      }
      await turn(chance.below(20));
    }
    await hosts.at(-1)?.settle();
    const kept = eventsOf(disk).flatMap(({ type, data }) => (type === "task.created" ? [data.id] : []));
    assert.equal(new Set(kept).size, kept.length);
    assert.ok(
      [...told].every((id) => kept.includes(id)),
      "who was told, was told the truth",
    );
    const epochs = eventsOf(disk).flatMap(({ type, data }) => (type === "host.started" ? [data.epoch] : []));
    assert.deepEqual(
      epochs,
      [...epochs].sort((a, b) => a - b),
    );
    for (const host of hosts.slice(0, -1)) if (host.stopped()) assert.throws(() => host.push(createTask("late")));
  });
});
