/** What pages are shown: whoever came when, every page sees what a page sees that has just come. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMirror, type Mirror } from "../../../src/client/mirror.ts";
import type { MirrorState } from "../../../src/client/runtime.ts";
import { viewExecution, viewTask } from "../../../src/client/views.ts";
import type { EncodedPart } from "../../../src/core/picture.ts";
import { saveState } from "../../../src/core/runtime.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import { createChance, roundsOf, seedOf } from "./chance.ts";
import { never, openWorld, type Host } from "./kit.ts";
import { chaotic, createLife } from "./life.ts";
import { complete, createTask, serve } from "./things.ts";

const seed = seedOf(911);

interface Page {
  readonly mirror: Mirror;
  readonly finished: (Task | Execution)[];
  readonly unregistered: string[];
}

/** The number that was shown leads; the part of a host that pages talk to, without a host. */
function openPage({ engine }: Host): Page {
  const [finished, unregistered]: [(Task | Execution)[], string[]] = [[], []];
  const mirror = createMirror({
    finished: (record) => finished.push(record),
    unregistered: (agent) => unregistered.push(agent),
  });
  const { text, seq } = engine.show();
  mirror.reset(text, seq, 1);
  return { mirror, finished, unregistered };
}

const TABLES = ["tasks", "executions", "approvals", "agents", "limits"] as const;

/** All that lives, as text: views are made for it, and getters read. */
const liveIn = (state: MirrorState, isLive: (id: string) => boolean): string =>
  JSON.stringify(
    TABLES.map((name) =>
      [...(state[name] as ReadonlyMap<string, object>)]
        .filter(([id]) => (name === "tasks" || name === "executions" ? isLive(id) : true))
        .map(([id, view]) => [id, Object.entries(view).sort(([a], [b]) => (a < b ? -1 : 1))] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  );

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe(`what pages are shown (seed ${String(seed)})`, () => {
  it("is the same for whoever came when, in a random life", async () => {
    const chance = createChance(seed);
    const pages: Page[] = [];
    let shown = 0;
    const world: Awaited<ReturnType<typeof openWorld>> = await openWorld(seed, {
      behaviour: chaotic,
      chance,
      onCommitted(_events, { to }) {
        const parts = world.engine.changes(to);
        for (const [at] of parts) assert.ok(at <= world.engine.head, "nothing is told before the journal has it");
        for (const { mirror } of pages) mirror.advance(parts, to);
        shown += parts.length;
      },
    });
    const live = createLife(chance, "", world.time.now);
    for (let step = 0; step < roundsOf(3_000); step++) {
      const ms = live(world);
      if (chance.once(60) && pages.length < 6) pages.push(openPage(world)); // with what is decided and not yet durable
      await world.advance(ms);
      if (!chance.once(20) || pages.length === 0) continue;
      const newcomer = openPage(world).mirror;
      const expected = liveIn(newcomer.store.getState(), newcomer.isLive);
      for (const { mirror } of pages) assert.equal(liveIn(mirror.store.getState(), newcomer.isLive), expected);
      for (const { mirror } of pages) assert.equal(mirror.store.getState().seq, world.engine.head);
      if (chance.once(100)) {
        pages.length = 0;
        world.engine.hide();
      }
    }
    assert.equal(world.stopped(), undefined);
    assert.ok(shown > roundsOf(1_000), String(shown));
  });

  it("tells of every end as the archive has it", async () => {
    const chance = createChance(seed + 1);
    const pages: Page[] = [];
    const world: Awaited<ReturnType<typeof openWorld>> = await openWorld(seed + 1, {
      behaviour: chaotic,
      chance,
      onCommitted(_events, { to }) {
        for (const { mirror } of pages) mirror.advance(world.engine.changes(to), to);
      },
    });
    const page = openPage(world);
    pages.push(page);
    const live = createLife(chance, "", world.time.now);
    for (let step = 0; step < Math.max(300, roundsOf(1_500)); step++) await world.advance(live(world));
    const archived = new Map(world.disk.archived.map(({ id, text }) => [id, text]));
    assert.ok(
      page.finished.length > roundsOf(200) && page.finished.length === archived.size,
      String(page.finished.length),
    );
    for (const record of page.finished) {
      const text = archived.get(record.id);
      assert.ok(text !== undefined, record.id);
      const row = JSON.parse(text) as Task | Execution;
      if ("workflow" in row) {
        const view = viewExecution(row, () => []);
        const { executions } = page.mirror.store.getState();
        assert.deepEqual(plain(executions.get(row.id) ?? view), plain(view));
      } else {
        const { effects: _, ...known } = row; // pages aren't shown what effects gave
        assert.deepEqual(plain(viewTask(record as Task)), plain(viewTask(known as Task)));
      }
    }
  });

  it("is a small part of a large record: a task's payload is told once", async () => {
    const parts: EncodedPart[] = [];
    const world = await openWorld(seed, {
      behaviour: never,
      onCommitted(_events, { to }) {
        parts.push(...world.engine.changes(to));
      },
    });
    world.engine.show();
    await world.submit(...serve("a", { slots: 8 }));
    await world.submit(createTask("t", { input: JSON.stringify("x".repeat(100_000)) }));
    const before = parts.length;
    await world.submit({
      type: "task.checkpoint",
      data: { id: "t", attempt: 1, value: JSON.stringify("y".repeat(90_000)) },
    });
    await world.submit(complete("t", 1, '"done"'));
    const sizes = parts.slice(before).map(([, { length }]) => length);
    assert.ok(Math.max(...sizes) < 1_000, sizes.join());
    assert.ok(parts.some(([, { length }]) => length > 100_000));
  });

  it("costs nothing when nobody looks, and changes nothing of what is decided", async () => {
    const run = async (looks: boolean): Promise<string> => {
      const chance = createChance(seed + 2);
      const world = await openWorld(seed + 2, { behaviour: chaotic, chance });
      const live = createLife(chance, "", world.time.now);
      if (looks) world.engine.show();
      for (let step = 0; step < 300; step++) await world.advance(live(world));
      assert.equal(world.engine.changes(Infinity).length > 0, looks);
      return saveState(world.engine.state);
    };
    assert.ok((await run(true)) === (await run(false)));
  });
});
