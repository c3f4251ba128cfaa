/** How much a worker may send in a second, on virtual timers: who waits for answers is held back, who doesn't is ended. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { createTask, registerAgent } from "../core/things.ts";
import { openYard, pass, type Yard } from "./yard.ts";

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_700_000_000_000 });
});
afterEach(() => {
  mock.timers.reset();
});

async function openBusy(): Promise<Yard> {
  const yard = await openYard();
  await yard.world.submit(registerAgent("a"));
  await yard.open("l1", "a@1.0.0");
  await yard.world.submit(createTask("t"));
  return yard;
}

function streamOne({ links }: Yard, at: number): void {
  links.receive("l1", [{ kind: "stream", call: at, task: "t", attempt: 1, at, items: [String(at)] }]);
}

/** Calls that were answered since the last look. */
const answers = ({ posted }: Yard): number =>
  (posted.get("l1")?.splice(0) ?? []).filter(({ kind }) => kind === "answer").length;

describe("what a worker sends in a second", () => {
  it("holds an agent back that awaits each of its items, however quick it is, and never ends it", async () => {
    const yard = await openBusy();
    answers(yard);
    const begun = Date.now();
    for (let at = 0; at < 30_000; at++) {
      streamOne(yard, at);
      await Promise.resolve();
      for (let waits = 0; answers(yard) === 0; waits++) {
        assert.ok(waits < 2, `item ${String(at)} was answered`);
        await pass(yard, 1_000);
      }
    }
    assert.deepEqual(yard.killed, []);
    assert.equal((Date.now() - begun) / 1_000, 3); // 8,000 of each second, and the rest of the last one
  });

  it("answers every call that was held back, in the next second", async () => {
    const yard = await openBusy();
    answers(yard);
    for (let at = 0; at < 9_500; at++) streamOne(yard, at);
    await Promise.resolve();
    assert.equal(answers(yard), 8_001); // one frame more, for the task that it was given
    await pass(yard, 1_000);
    assert.equal(answers(yard), 1_499);
    assert.deepEqual(yard.killed, []);
  });

  it("ends who sends on without waiting", async () => {
    const yard = await openBusy();
    for (let at = 0; at < 10_002; at++) streamOne(yard, at);
    assert.deepEqual(yard.killed, ["l1"]);
    await pass(yard, 1_000); // what was held back for it finds nobody
    assert.deepEqual(yard.world.engine.state.agents.links.has("l1"), false);
  });
});
