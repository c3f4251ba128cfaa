/** E7: the same commands, clock, ids and random give the same bytes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState } from "../../../src/core/runtime.ts";
import { NodeSchema } from "../../../src/core/workflows/definition.ts";
import { createChance, seedOf } from "./chance.ts";
import { DETERMINISM_DIGEST, DETERMINISM_SEED, digestOfLife, live } from "./determinism.ts";
import { createDisk, eventsOf } from "./disk.ts";
import { createTime, never, openHost } from "./kit.ts";

const seed = seedOf(99);

describe("E7: the same inputs give the same bytes", () => {
  it("writes the same journal, archive and state in two runs with restarts", async () => {
    for (let run = 0; run < 2; run++) {
      const first = await live(seed + run, 300);
      const second = await live(seed + run, 300);
      assert.ok(first.disk.history.length > 100);
      assert.deepEqual(second.disk.history, first.disk.history);
      assert.equal(second.state, first.state);
    }
  });

  it("writes the bytes that it wrote yesterday, and that every runtime writes", async (context) => {
    const lived = await live(DETERMINISM_SEED);
    const begun = new Set(eventsOf(lived.disk).map((event) => event.type === "node.started" && event.data.kind));
    for (const { entries } of NodeSchema.options)
      if (entries.type.literal !== "human_approval") assert.ok(begun.has(entries.type.literal), entries.type.literal);
    const digest = digestOfLife(lived);
    context.diagnostic(`digest ${digest}`);
    assert.equal(digest, DETERMINISM_DIGEST, "if a change of what is written was meant, write the new digest down");
  });

  it("follows from the commands alone, whoever sends them and however they are grouped", async () => {
    const { told } = await live(seed, 300);
    const grouping = createChance(0);
    const first = await tellAgain();
    assert.equal(await tellAgain(), first);
    assert.equal(await tellAgain(), first);

    async function tellAgain(): Promise<string> {
      const [disk, time] = [createDisk(), createTime()];
      const chance = createChance(seed);
      const host = await openHost({ disk, time, chance, behaviour: never });
      for (const { at, commands } of told) {
        time.set(at);
        host.engine.wake();
        for (const command of commands) {
          host.push(command);
          if (grouping.once(3)) await host.durable();
        }
      }
      await host.settle();
      const events = eventsOf(disk);
      assert.ok(events.length > 200 && disk.history.length > 50);
      return saveState(host.engine.state) + JSON.stringify(events);
    }
  });
});
