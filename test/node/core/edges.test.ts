/** What rules say just at their edges: what mutants of them have shown to be untested. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_MAIL_TYPES } from "../../../src/core/mail/mail.ts";
import type { CoreCommand } from "../../../src/core/runtime.ts";
import { never, openWorld, type Host } from "./kit.ts";
import { registerAgent } from "./things.ts";

/** What came of the commands: the codes of refusals, and the types of new facts. */
async function outcome(world: Host, ...commands: CoreCommand[]): Promise<string[]> {
  const before = world.engine.head;
  const refused = await world.submit(...commands);
  return [...refused, ...(world.engine.head > before ? ["recorded"] : [])];
}

const setLimit = (name: string, concurrency: number): CoreCommand => ({
  type: "limit.set",
  data: { name, concurrency },
});
const define = (name: string, schema = "{}"): CoreCommand => ({ type: "mail.define", data: { name, schema } });
const delegate = (from: string, to: string): CoreCommand => ({
  type: "approval.delegate",
  data: { from, to, for: 1_000 },
});

describe("at its edge a rule", () => {
  it("records a limit that is set anew only where it differs", async () => {
    const world = await openWorld(1, { behaviour: never });
    assert.deepEqual(await outcome(world, setLimit("a", 2)), ["recorded"]);
    assert.deepEqual(await outcome(world, setLimit("a", 2)), []);
    assert.deepEqual(await outcome(world, setLimit("b", 2)), ["recorded"], "another name is another limit");
    assert.deepEqual(await outcome(world, setLimit("a", 3)), ["recorded"]);
  });

  it("takes an agent whose least workers are its most", async () => {
    const world = await openWorld(1, { behaviour: never });
    assert.deepEqual(await world.submit(registerAgent("a", { workers: 2, minWorkers: 2 })), []);
    const { workers, minWorkers } = world.engine.state.agents.agents.get("a@1.0.0") ?? {};
    assert.deepEqual([workers, minWorkers], [2, 2]);
  });

  it("lets nobody answer for themselves, and others for them", async () => {
    const world = await openWorld(1, { behaviour: never });
    assert.deepEqual(await world.submit(delegate("ann", "ann")), ["command/invalid"]);
    assert.deepEqual(await world.submit(delegate("ann", "bob")), []);
  });

  it("takes as many own types of messages as there is room for, and then those that are known", async () => {
    const world = await openWorld(1, { behaviour: never });
    const all = Array.from({ length: MAX_MAIL_TYPES }, (_none, at) => define(`type${String(at)}`));
    assert.deepEqual(await world.submit(...all), []);
    assert.deepEqual(await outcome(world, define("more")), ["message/overflow"]);
    assert.deepEqual(await outcome(world, define("type0")), [], "the same again");
    assert.deepEqual(await outcome(world, define("type0", '{"type":"number"}')), ["recorded"]);
    assert.equal(world.engine.state.mail.types.size, MAX_MAIL_TYPES);
  });
});
