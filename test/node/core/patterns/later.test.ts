/** Patterns that need messages, or graphs that are made while they run: see docs/workflow-patterns.md. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreCommand } from "../../../../src/core/runtime.ts";
import { work } from "../runs.ts";
import { begin, ended, flow, historyOf, join, paced, parallel, type Node } from "./kit.ts";

const publish = (payload: number): CoreCommand => ({
  type: "message.publish",
  data: { name: "go", payload: String(payload) },
});
const event = (more: object = {}): Node => ({ id: "x", type: "event", name: "go", ...more });

describe("workflow patterns: triggers", () => {
  it("24 Persistent trigger: a message that comes before the node begins is kept for it", async () => {
    const world = await begin(flow(["a", event()], ["a>x"]), {}, paced({ a: 100 }));
    await world.submit(publish(5));
    await world.finish();
    const [status, output] = ended(world);
    assert.deepEqual([status, (output as { payload: number }).payload], ["completed", 5]);
  });

  it("23 Transient trigger: one that comes before is lost, where the node doesn't look back", async () => {
    const world = await begin(flow(["a", event({ lookBack: 0 })], ["a>x"]), {}, paced({ a: 100 }));
    await world.submit(publish(5));
    await world.advance(500);
    assert.deepEqual(historyOf(world.disk, "started"), ["started a", "started x"]);
    await world.submit(publish(6));
    await world.finish();
    assert.equal((ended(world)[1] as { payload: number }).payload, 6);
  });
});

describe("workflow patterns: instances", () => {
  it("34 Static partial join for multiple instances: what follows begins when some have ended, and the rest goes on", async () => {
    const plan: Node = { id: "d", type: "dynamic", ...work, allow: { capabilities: ["work"] } };
    const names = ["i1", "i2", "i3", "i4"];
    const graph = flow(
      [parallel("p"), ...names, join("j", 2), "next"],
      [...names.flatMap((name) => [`p>${name}`, `${name}>j`]), "j>next"],
    );
    const { id: _, ...appended } = graph;
    const world = await begin(flow([plan], []), appended, paced({ i1: 50, i2: 10, i3: 40, i4: 20 }));
    await world.finish();
    assert.equal(ended(world)[0], "completed");
    const order = historyOf(world.disk, "started", "completed").filter((text) => / (i\d|next)$/u.test(text));
    assert.deepEqual(order.slice(4), [
      "completed i2",
      "completed i4",
      "started next",
      "completed next",
      "completed i3",
      "completed i1",
    ]);
  });
});
