/** What is asked of each item of a list: it ends, it is paid for, and its variable is nobody else's. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { costOf, evaluateExpression, parseExpression } from "../../../src/core/expressions/index.ts";
import { createChance, createSource } from "./sources.ts";
import { assertFails, assertInvalid, assertRefused, cpuTime, evaluate, SEED } from "./support.ts";

const list = [
  { n: 1, ok: true },
  { n: 2, ok: false },
  { n: 3, ok: true },
];

describe("a macro", () => {
  it("asks all, some, or exactly one", () => {
    assert.equal(evaluate("l.all(x, x.n > 0)", { l: list }), true);
    assert.equal(evaluate("l.all(x, x.ok)", { l: list }), false);
    assert.equal(evaluate("l.exists(x, x.n == 2)", { l: list }), true);
    assert.equal(evaluate("l.exists_one(x, x.ok)", { l: list }), false);
    assert.equal(evaluate("l.exists_one(x, !x.ok)", { l: list }), true);
    assert.deepEqual(evaluate("[[].all(x, false), [].exists(x, true), [].exists_one(x, true)]"), [true, false, false]);
  });

  it("keeps some, and makes others of them", () => {
    assert.deepEqual(evaluate("l.filter(x, x.ok)", { l: list }), [list[0], list[2]]);
    assert.deepEqual(evaluate("l.map(x, x.n * 2)", { l: list }), [2, 4, 6]);
    assert.deepEqual(evaluate("l.map(x, x.ok, {'n': x.n})", { l: list }), [{ n: 1 }, { n: 3 }]);
    assert.deepEqual(evaluate("{'a': 1, 'b': 2}.filter(k, k != 'a')"), ["b"]);
  });

  it("nests, and its variable hides what has its name only within", () => {
    assert.deepEqual(evaluate("[1, 2].map(x, [10, 20].map(y, x + y))"), [[11, 21], [12, 22]]); // prettier-ignore
    assert.deepEqual(evaluate("[1, 2].map(x, [x].map(x, x + 1)[0] + x)"), [3, 5]);
    assert.deepEqual(evaluate("[1].map(x, x) + [x]", { x: 9 }), [1, 9]);
    assert.deepEqual(evaluate("[[1].exists(x, x / 0 > 1) || true, x]", { x: 9 }), [true, 9]);
  });

  it("has a variable that is no root and no forbidden name", () => {
    assert.deepEqual(parseExpression("a.all(x, x > y)").roots, ["a", "y"]);
    for (const name of ["input", "nodes"])
      assertRefused("expression/invalid", () =>
        parseExpression(`[1].all(${name}, true)`, { roots: ["input", "nodes"] }),
      );
    for (const name of ["__proto__", "constructor", "prototype"]) assertInvalid(`[1].all(${name}, true)`);
    assertRefused("expression/invalid", () => parseExpression("[1].all(x, true) && x", { roots: ["input"] }));
  });

  it("goes by what decides, though an item fails, and fails when none decides", () => {
    assert.equal(evaluate("[1, 'a', 3].exists(x, x > 2)"), true);
    assert.equal(evaluate("[1, 'a', 3].all(x, x > 2)"), false);
    assertFails("[1, 'a', 3].exists(x, x > 9)", "type");
    assertFails("[3, 'a', 4].all(x, x > 2)", "type");
    for (const macro of ["exists_one", "filter", "map"]) assertFails(`['a', 1].${macro}(x, x > 0)`, "type");
    for (const over of ["1", "'a'", "null", "true"]) assertFails(`(${over}).all(x, true)`, "type");
    assertFails("[1].filter(x, x)", "type");
  });

  it("ends at its budget, however deep it is nested and however long the lists are", () => {
    const long = Array.from({ length: 100_000 }, (_none, at) => at);
    const deep = (depth: number, inner: string): string =>
      depth === 0 ? inner : `l.all(x${String(depth)}, ${deep(depth - 1, inner)})`;
    for (const source of ["l.all(x, l.all(y, x + y >= 0))", "l.map(x, l)", "l.map(x, l.map(y, y))", deep(30, "true")]) {
      const cost = cpuTime(() => {
        assertRefused("expression/fuel", () => evaluate(source, { l: long }));
      });
      assert.ok(cost < 200, `${source}: ${String(cost)} ms`);
    }
    assertInvalid(deep(40, "true"), /nested deeper/u);
    assertRefused(
      "expression/fuel",
      () => evaluate("l.map(x, l.map(y, s))", { l: long.slice(0, 150), s: "a".repeat(9_000) }),
      /characters of a result/u,
    );
  });

  it("costs no more than was reckoned before", () => {
    const chance = createChance(SEED);
    const items = [1, 2, "a", null, true];
    const scope = {
      a: { a: 1, b: items },
      b: true,
      n: 3,
      s: "text",
      l: items,
      m: { a: 1, b: 2 },
      o: {},
      z: null,
      list: items,
    };
    let told = 0;
    for (let run = 0; run < 20_000; run++) {
      const expression = parseOrNot(createSource(chance, 4));
      if (!expression) continue;
      const fuel = costOf(expression, 5);
      try {
        evaluateExpression(expression, scope, { fuel });
        told++;
      } catch (error) {
        assert.notEqual(
          (error as { code: string }).code,
          "expression/fuel",
          `${expression.source} with ${String(fuel)}`,
        );
      }
    }
    assert.ok(told > 2_000);
  });
});

function parseOrNot(source: string): ReturnType<typeof parseExpression> | undefined {
  try {
    return parseExpression(source);
  } catch {
    return undefined;
  }
}
