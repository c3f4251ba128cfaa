/** What nodes of a definition can say: each type with all its fields, and the bounds of each. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { NodeSchema } from "../../../src/core/workflows/definition.ts";
import { checkShape, DAY, list, long, named, shape, within, YEAR, type Shape } from "./shapes.ts";

const common = { id: "n", title: "t", set: { total: "1" } };
const expression = (path: string): Pick<Required<Shape>, "good" | "bad"> => named(path, 4_096);
const node = (more: object, optional: readonly string[], bounds: readonly Pick<Shape, "good" | "bad">[]): Shape =>
  shape({ ...common, ...more }, ["title", "set", ...optional], bounds, ["set"]);

const NODES: readonly Shape[] = [
  node(
    { type: "subworkflow", workflow: "w", version: "v1", input: "1", priority: "low" },
    ["version", "input", "priority"],
    [
      expression("input"),
      named("title", 200, 0),
      expression("set.total"),
      {
        good: [
          ["id", "_", "A1_b", `a${long(63)}`],
          ["version", long(64), "a_1"],
          ["workflow", "1a-b.c_d", `A${long(63)}`],
          ["set", {}, { _a: "1" }],
        ],
        bad: [
          ["id", "", "1a", "a-b", `a${long(64)}`, "constructor", "prototype", "a b", " a", "a "],
          ["version", "", long(65), "a-b", "#", "a b"],
          ["workflow", "", "-a", `a${long(64)}`, "a/b", " a", "a "],
          ["priority", "none"],
          ["set", { "1a": "1" }, { a: "" }, Object.fromEntries(list(101).map((_none, at) => [`v${String(at)}`, "1"]))],
        ],
      },
    ],
  ),
  node({ type: "decision", mode: "all" }, ["mode"], [{ good: [["mode", "first"]], bad: [["mode", "", "any"]] }]),
  node(
    { type: "parallel", onFailure: { needed: 2 } },
    ["onFailure"],
    [
      {
        good: [["onFailure", "fail-fast", "collect", { needed: 1 }]],
        bad: [["onFailure", "", "fail", { needed: 0 }, { needed: 1.5 }, {}]],
      },
    ],
  ),
  node(
    { type: "join", mode: { when: "true" } },
    ["mode"],
    [{ good: [["mode", "all", "any", 1, 9]], bad: [["mode", "", "none", 0, 1.5, {}, { when: "" }]] }],
  ),
  node(
    { type: "timer", for: 1, until: "1", timeZone: "UTC", late: "skip", tolerance: 1, onPause: "hold" },
    ["for", "until", "timeZone", "late", "tolerance", "onPause"],
    [
      within("for", 0, YEAR),
      within("tolerance", 0, YEAR),
      expression("until"),
      named("timeZone", 100),
      {
        good: [
          ["for", "input", long(4_096)],
          ["late", "fire", "expire"],
          ["onPause", "run"],
        ],
        bad: [
          ["for", "", long(4_097)],
          ["late", "", "wait"],
          ["onPause", "", "stop"],
        ],
      },
    ],
  ),
  node(
    { type: "event", name: "e", key: "1", lookBack: 1, timeout: 5, onTimeout: "fail", consume: "one" },
    ["key", "lookBack", "timeout", "onTimeout", "consume"],
    [
      named("name", 200),
      expression("key"),
      within("lookBack", 0, 30 * DAY),
      within("timeout", 1, YEAR),
      {
        good: [
          ["onTimeout", "continue"],
          ["consume", "broadcast"],
        ],
        bad: [
          ["onTimeout", "", "skip"],
          ["consume", "", "all"],
        ],
      },
    ],
  ),
  node(
    { type: "monitor", capability: "c", window: 60_000, when: "true", every: 1_000, timeout: 1, onTimeout: "continue" },
    ["window", "every", "timeout", "onTimeout"],
    [
      named("capability", 128),
      within("window", 1_000, 3_600_000),
      within("every", 100, 3_600_000),
      within("timeout", 1, YEAR),
      expression("when"),
      {
        good: [["onTimeout", "fail"]],
        bad: [
          ["onTimeout", ""],
          ["capability", "c@1", "@"],
        ],
      },
    ],
  ),
  node(
    { type: "errorHandler", scope: ["a"], codes: ["x"], action: "retry", times: 1, delay: 1, backoff: 2, output: "1" },
    ["scope", "codes", "action", "times", "delay", "backoff", "output"],
    [
      within("times", 1, 100),
      within("delay", 1, YEAR),
      expression("output"),
      {
        good: [
          ["scope", list(10_000)],
          ["codes", list(100), [long(200)]],
          ["action", "route", "replace", "rethrow"],
          ["backoff", 1, 1.5, 100],
        ],
        bad: [
          ["scope", [], list(10_001), ["1a"]],
          ["codes", [], list(101), [long(201)], [""]],
          ["action", "", "stop"],
          ["backoff", 0.9, 101],
        ],
      },
    ],
  ),
  node(
    { type: "map", items: "input", concurrency: 2, onError: "collect", key: "item" },
    ["concurrency", "onError", "key"],
    [
      expression("items"),
      expression("key"),
      within("concurrency", 1, 1_000),
      { good: [["onError", "fail"]], bad: [["onError", "", "skip"]] },
    ],
  ),
  node(
    { type: "loop", while: "true", until: "true", max: 5 },
    ["while", "until", "max"],
    [expression("while"), expression("until"), within("max", 1, 100_000)],
  ),
];

describe("a node", () => {
  for (const one of NODES) {
    const { type } = one.whole as { readonly type: string };
    it(`of the type ${type} has its fields and bounds`, () => checkShape(NodeSchema, one));
  }

  it("gets what it leaves out", () => {
    const defaults: readonly (readonly [given: object, made: object])[] = [
      [{ type: "subworkflow", workflow: "w" }, { input: "input" }],
      [{ type: "decision" }, { mode: "first" }],
      [{ type: "parallel" }, { onFailure: "fail-fast" }],
      [{ type: "join" }, { mode: "all" }],
      [
        { type: "timer", for: 1 },
        { late: "fire", onPause: "run" },
      ],
      [{ type: "event", name: "e" }, { consume: "one" }],
      [
        { type: "monitor", capability: "c", when: "true" },
        { window: 60_000, every: 1_000 },
      ],
      [{ type: "errorHandler" }, { action: "route" }],
      [
        { type: "map", items: "input" },
        { concurrency: 8, onError: "fail" },
      ],
      [{ type: "loop", until: "true" }, { max: 1_000 }],
      [{ type: "task", capabilities: ["c"] }, { input: "input" }],
    ];
    for (const [given, made] of defaults) {
      const whole = { id: "n", ...given };
      assert.deepEqual(v.parse(NodeSchema, whole), { ...whole, ...made });
    }
  });
});
