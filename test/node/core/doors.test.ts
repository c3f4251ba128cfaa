/** What comes from outside, however hostile, is refused or made harmless; the engine goes on. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import { given, never, openWorld } from "./kit.ts";
import { createTask, serve } from "./things.ts";

const retry = { maxAttempts: 3, base: 100, factor: 2, cap: 1_000, jitter: "none" } as const;

describe("what comes from outside", () => {
  it("can't take the id of a workflow's task", async () => {
    await given().when(createTask("run/node")).gives("refused: command/invalid");
  });

  it("is refused when its input is too large or too deep, and the engine goes on", async () => {
    const deep = "[".repeat(65) + "]".repeat(65);
    const large = JSON.stringify("x".repeat(9_000_000));
    await given()
      .when(createTask("t", { input: deep }))
      .gives("refused: json/too-deep");
    await given()
      .when(createTask("t", { input: large }))
      .gives("refused: json/too-large");
    await given()
      .when({ type: "task.dream", data: {} } as unknown as CoreCommand)
      .gives("refused: command/unknown");
    await given()
      .when({ type: "constructor", data: {} } as unknown as CoreCommand)
      .gives("refused: command/unknown");
  });

  it("can't break the engine with an error that is no JSON, or hides in its own depth", async () => {
    let deep: unknown = 1;
    for (let at = 0; at < 100_000; at++) deep = { deep };
    for (const detail of [{ big: 1n }, { deep }, { date: new Date(0) }, { map: new Map([[1, 2]]) }, "text", null]) {
      const error = { name: "Error", message: "m", code: "c", detail } as never;
      const world = await openWorld(1, { behaviour: never });
      await world.submit(...serve("a", { slots: 3 }), createTask("t", { retry }), createTask("u", { retry }));
      assert.equal(world.engine.submit([{ type: "task.fail", data: { id: "t", attempt: 1, error } }]).length, 0);
      world.engine.submit([{ type: "link.leave", data: { link: "a-1", cause: "crashed", error } }]);
      world.engine.submit([{ type: "agent.fault", data: { id: "a", error } }]);
      assert.equal(await world.durable(), undefined);
      assert.equal(world.mirror.tasks.tasks.get("t")?.status, "retrying");
      assert.equal(world.mirror.tasks.tasks.get("u")?.status, "retrying");
      assert.equal(saveState(world.mirror), saveState(world.engine.state));
    }
  });
});
