/** What the compiler lets through at calls, when a program says what its capabilities take. The checks are the types'. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Runtime, TaskInput } from "../../../src/index.ts";

declare module "../../../src/index.ts" {
  interface Capabilities {
    "typed.translate": { input: { text: string; to: string } };
    "typed.ping": { output: string };
  }
}

const tasks: unknown[] = [];
const createTask: Runtime["createTask"] = (task) => String(tasks.push(task));

describe("typed capabilities", () => {
  it("check the input of the first capability where it is written", () => {
    createTask({ capabilities: ["typed.translate"], input: { text: "hello", to: "fr" } });
    createTask({ capabilities: ["typed.translate@^2", "other"], input: { text: "hello", to: "fr" }, priority: "high" });
    // @ts-expect-error -- `to` is missing
    createTask({ capabilities: ["typed.translate"], input: { text: "hello" } });
    // @ts-expect-error -- `to` is no number
    createTask({ capabilities: ["typed.translate@1.x"], input: { text: "hello", to: 1 } });
    // @ts-expect-error -- it needs an input
    createTask({ capabilities: ["typed.translate"] });
    assert.equal(tasks.length, 5);
  });

  it("leave all others open", () => {
    const given: TaskInput = { capabilities: ["typed.translate"], input: 1 };
    createTask(given);
    createTask({ capabilities: ["other", "typed.translate"], input: 1 });
    createTask({ capabilities: ["typed.ping"] });
    createTask({ capabilities: [String(1)], input: { any: "thing" } });
    assert.ok(tasks.length > 0);
  });
});
