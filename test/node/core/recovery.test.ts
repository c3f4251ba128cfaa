/** Recovery is snapshot, tail, and one command; what is finished lies in the archive, once. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openEngine } from "../../../src/core/engine.ts";
import { applyEvent, createState, restoreState, saveState } from "../../../src/core/runtime.ts";
import { decodeEvents } from "../../../src/core/events.ts";
import { createChance, roundsOf, seedOf } from "./chance.ts";
import { FINAL_STATUSES } from "../../../src/core/tasks/transitions.ts";
import { completes, frozenKit, never, openHost, openWorld, type Host } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { createDisk, readState, type Disk, type Gate } from "./disk.ts";
import { cancelTask, createTask, serve } from "./things.ts";

const RUNS = roundsOf(40);
const seed = seedOf(1_234);

/** Without space for a snapshot every other time. */
function tightGate({ memory }: Disk, refused: { count: number }): Gate {
  let turn = 0;
  return (verb) => {
    memory.capacity = Infinity;
    if (verb === "append" || turn++ % 2 === 1) return undefined;
    refused.count++;
    memory.capacity = memory.used;
    return undefined;
  };
}

describe(`recovery (seed ${String(seed)})`, () => {
  it("gives the live state again, byte by byte, at any point of any run, over many restarts", async () => {
    for (let run = 0; run < RUNS; run++) {
      const chance = createChance(seed + run);
      const refused = { count: 0 };
      const disk = createDisk();
      const snapshotEvery = 1 + chance.below(80);
      const options = { disk, behaviour: chaotic, chance, gate: tightGate(disk, refused), snapshotEvery };
      const world = await openWorld(seed + run, options);
      let host: typeof world = world;
      const live = createLife(chance, "", world.time.now, true);
      for (let restart = 0; restart < 4; restart++) {
        for (let step = 0; step < 60; step++) await host.advance(live(host));
        await host.settle();
        const now = saveState(host.engine.state);
        assert.equal(saveState(host.mirror), now);
        host.kill();
        assert.equal(saveState(await readState(disk, frozenKit([]))), now, `run ${String(run)}`);

        const before = world.disk.head;
        const next = await openHost({ ...world, ...options });
        await next.settle();
        // What recovery added is what the same command does to the state that was live.
        const state = createState(frozenKit([]));
        restoreState(state, now);
        const added = world.disk.history.filter(({ from }) => from > before);
        for (const { text } of added) for (const event of decodeEvents(text)) applyEvent(state, event);
        assert.equal(saveState(next.engine.state), saveState(state));
        assert.equal(next.engine.epoch, 2 * restart + 3, "each owner has an epoch of its own");
        host = Object.assign(next, { disk: world.disk, time: world.time, chance });
      }
      assert.ok(refused.count > 0);
    }
  });

  it("interrupts what ran, and only that", async () => {
    const world = await openWorld(seed, { behaviour: never });
    await world.submit(...serve("a", { slots: 2 }), createTask("t1"), createTask("t2"), createTask("t3"));
    world.kill();
    const next = await openHost({ ...world, behaviour: never });
    await next.settle();
    assert.deepEqual(
      next.committed.map(({ type, data }) => [type, "id" in data ? data.id : undefined]),
      [
        ["host.started", undefined],
        ["task.interrupted", "t1"],
        ["task.interrupted", "t2"],
      ],
    );
    assert.equal(next.engine.state.agents.links.size, 0);
    assert.equal(next.engine.state.agents.holdings.size, 0);
    assert.equal(next.engine.state.agents.agents.size, 1, "agents stay registered");
  });

  it("goes on from a snapshot that was kept while there was no space for most of them", async () => {
    const refused = { count: 0 };
    const disk = createDisk();
    const world = await openWorld(seed, { disk, gate: tightGate(disk, refused), snapshotEvery: 10 });
    await world.submit(...serve("a", { slots: 10 }));
    for (let at = 0; at < 100; at++) {
      await world.submit(createTask(`t${String(at)}`));
      await world.advance(1);
    }
    const appends = world.disk.history.length;
    assert.ok(refused.count > 5 && refused.count < appends / 5, "a refused snapshot is not tried again at once");
    const all = disk.history.reduce((sum, { text, archive }) => sum + text.length + archive.length * 1_000, 0);
    assert.ok(disk.memory.used < all, "batches were let go of");
    world.kill();
    const next = await openHost(world);
    assert.equal(next.engine.state.tasks.counts.completed, 100);
  });

  it("doesn't write out a large state for every few events", async () => {
    let snapshots = 0;
    const gate: Gate = (verb) => {
      if (verb === "compact") snapshots++;
      return undefined;
    };
    const world = await openWorld(seed, { gate, snapshotEvery: 50, plain: true });
    await world.submit(...Array.from({ length: 2_000 }, (_none, at) => createTask(`t${String(at)}`)));
    for (let at = 0; at < 400; at++) await world.submit(createTask(`u${String(at)}`), cancelTask(`u${String(at)}`));
    assert.equal(snapshots, 1, "the next one waits until as much was written");
    for (let at = 0; at < 3_000; at++) await world.submit(createTask(`v${String(at)}`));
    assert.equal(snapshots, 2);
  });

  it("stops when a snapshot fails for another reason than space", async () => {
    const gate: Gate = (verb) => (verb === "compact" ? "refuse" : undefined);
    const world = await openWorld(seed, { gate, snapshotEvery: 3 });
    assert.deepEqual(await world.submit(createTask("t1"), createTask("t2")), [], "the reply was durable before");
    await world.durable();
    assert.equal(world.stopped()?.code, "host/stopped");
  });

  it("refuses a journal whose tail doesn't reach its head", async () => {
    const world = await openWorld(seed);
    await world.submit(createTask("t1"));
    await world.submit(createTask("t2"));
    world.kill();
    world.disk.memory.corrupt("last-missing");
    await assert.rejects(openHost(world), { code: "journal/corrupt" });
  });

  it("refuses what a journal reads when that is less than it says it has", async () => {
    const disk = createDisk();
    const journal = createMemoryJournal({ disk: disk.memory });
    await journal.open();
    await journal.append(0, { from: 1, to: 1, at: 1, text: "[]", archive: [] });
    async function* read(): AsyncGenerator<never> {}
    const opened = openEngine({ journal: { ...journal, read }, clock: () => 1 } as never);
    await assert.rejects(opened, { code: "journal/corrupt", detail: { reached: 0, head: 1 } });
  });

  it("refuses a snapshot of a format that it doesn't know", async () => {
    const disk = createDisk();
    const journal = createMemoryJournal({ disk: disk.memory });
    await journal.open();
    await journal.append(0, { from: 1, to: 1, at: 1, text: "[]", archive: [] });
    await journal.compact({ seq: 1, text: JSON.stringify({ format: 99 }) });
    await assert.rejects(openWorld(seed, { disk }), { code: "host/incompatible" });
  });

  it("archives whatever is finished, wholly and once, in the batch that finished it", async () => {
    for (let run = 0; run < roundsOf(10); run++) {
      const chance = createChance(seed - run);
      const world = await openWorld(seed, { behaviour: chaotic, chance, snapshotEvery: 30 });
      const live = createLife(chance, "", world.time.now, true);
      let host: Host = world;
      for (let step = 0; step < 200; step++) {
        if (step % 50 === 49) {
          host.kill();
          host = await openHost({ ...world, behaviour: chaotic, snapshotEvery: 30 });
        }
        await host.advance(live(host));
      }
      await host.settle();
      const ends = world.disk.history.flatMap(({ text }, batch) =>
        decodeEvents(text).flatMap(({ type, data, at }) => {
          if (
            type === "task.completed" ||
            type === "task.cancelled" ||
            type === "task.skipped" ||
            type === "task.aliased"
          )
            return [{ kind: "task", id: data.id, at, batch }];
          if (type === "task.failed" && data.retryAt === undefined) return [{ kind: "task", id: data.id, at, batch }];
          if (type === "execution.completed" || type === "execution.failed" || type === "execution.cancelled")
            return [{ kind: "execution", id: data.id, at, batch }];
          return [];
        }),
      );
      const rows = world.disk.history.flatMap(({ archive }, batch) =>
        archive.map(({ kind, id, at }) => ({ kind, id, at, batch })),
      );
      assert.deepEqual(rows, ends);
      assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
      const live_ = host.engine.state;
      for (const { id } of rows) assert.ok(!live_.tasks.tasks.has(id) && !live_.workflows.executions.has(id));
      for (const { text } of world.disk.archived) {
        const row = JSON.parse(text) as Record<string, unknown>;
        const final: readonly unknown[] = [...FINAL_STATUSES, "compensated", "compensation-failed"];
        assert.ok(final.includes(row["status"]));
        assert.equal(typeof row["finishedAt"], "number");
        assert.ok(row["status"] !== "completed" || typeof row["output"] === "string");
        assert.ok(row["status"] !== "failed" || typeof row["error"] === "object");
        assert.ok(row["status"] !== "timed-out" || typeof row["error"] === "object");
      }
    }
  });

  it("keeps nothing of what is finished in the live state, but how the latest tasks ended", async () => {
    const weigh = ({ engine }: Host): number => {
      const { tasks, ...rest } = JSON.parse(saveState(engine.state)) as { tasks: { ends: object } };
      return JSON.stringify({ ...rest, tasks: { ...tasks, ends: null } }).length;
    };
    const world = await openWorld(seed, { behaviour: completes() });
    const empty = weigh(world);
    await world.submit(...serve("a", { slots: 50 }), createTask("first"));
    await world.finish();
    const before = weigh(world);
    for (let at = 0; at < 50; at++) {
      await world.submit(...Array.from({ length: 20 }, (_none, n) => createTask(`t${String(at * 20 + n)}`)));
      await world.submit(cancelTask(`t${String(at * 20)}`));
      await world.finish();
    }
    assert.ok(before > empty);
    assert.ok(weigh(world) - before < 20, "but for the digits of the counts");
    assert.equal(world.disk.archived.length, 1_001);
  });
});
