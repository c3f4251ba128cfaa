import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeError, RuntimeError } from "../../../src/core/errors.ts";
import { parseExpression } from "../../../src/core/expressions/index.ts";
import { assertInvalid, assertRefused, cpuTime, errorOf, evaluate } from "./support.ts";

const MIB = 1_048_576;

function assertOutOfFuel(source: string, scope: Record<string, unknown>): void {
  assertRefused("expression/fuel", () => evaluate(source, scope));
  assert.ok(cpuTime(() => errorOf(() => evaluate(source, scope))) < 50, source);
}

describe("the limits of a source", () => {
  it("takes 4,096 characters and no more", () => {
    assert.equal(evaluate("1".padEnd(4_096)), 1);
    assertInvalid("1".padEnd(4_097), /longer than 4096/);
    assertInvalid("(".repeat(5_000_000), /longer than 4096/);
  });
  it("takes 32 levels of brackets and branches, and no more", () => {
    for (const [open, core, close] of [
      ["(", "1", ")"],
      ["[", "1", "]"],
      ["{'a':", "1", "}"],
      ["size([", "1", "])"],
      ["1 + (", "1", ")"],
      ["true ? 1 : ", "1", ""],
      ["l[", "0", "]"],
    ] as const) {
      const nested = (depth: number): string => open.repeat(depth) + core + close.repeat(depth);
      const depth = open.endsWith("([") ? 16 : 32;
      parseExpression(nested(depth));
      assertInvalid(nested(depth + 1), /nested deeper than 32/);
    }
  });
  it("takes 249 links in a row, and no more", () => {
    for (const link of [" + 1", " || a", " && a", " == a", ".b", "[0]", ".size()", ".contains(b)"]) {
      parseExpression("a" + link.repeat(249));
      assertInvalid("a" + link.repeat(250), /in a row/);
    }
    parseExpression("!".repeat(249) + "a");
    assertInvalid("!".repeat(250) + "a", /in a row/);
    assertInvalid("-".repeat(4_000) + "1", /in a row/);
  });
  it("evaluates the longest row there is", () => {
    assert.equal(evaluate("1" + "+1".repeat(249)), 250);
    assert.equal(evaluate("f" + "||f".repeat(249), { f: false }), false);
    assert.deepEqual(evaluate(`[${"0,".repeat(2_000)}]`), Array<number>(2_000).fill(0));
  });
  it("reads any hostile source in a moment", () => {
    const sources = [
      "(",
      "[",
      "{",
      "!",
      "-",
      "'",
      '"',
      "'''",
      "r'",
      "\\",
      "a.",
      "a[",
      "1+",
      "//",
      "/*",
      "a?",
      "'\\",
      "'''\\'",
      "0x",
      "1e",
      "\u0000",
      "😀",
      "\ud800",
      "'' ''",
      '""" """',
      "f(",
    ];
    for (const source of sources) {
      const text = source.repeat(Math.floor(4_096 / source.length));
      assert.ok(cpuTime(() => assertInvalidOrFine(text)) < 50, source);
    }
  });
});

function assertInvalidOrFine(source: string): void {
  try {
    parseExpression(source);
  } catch (thrown) {
    assert.equal(encodeError(thrown).code, "expression/invalid");
  }
}

describe("the fuel of an evaluation", () => {
  it("is 100,000 steps unless the caller says otherwise", () => {
    const scope = { list: Array.from({ length: 99_990 }, () => 0) };
    assert.equal(evaluate("1 in list", scope), false);
    scope.list.push(...Array<number>(20).fill(0));
    assertOutOfFuel("1 in list", scope);
    assert.equal(evaluate("1 in list", scope, { fuel: 200_000 }), false);
    assertRefused("expression/fuel", () => evaluate("1 + 1", {}, { fuel: 2 }), /at most 2 steps/);
    assert.equal(evaluate("1 + 1", {}, { fuel: 3 }), 2);
    for (const fuel of [0, -1, NaN]) assertRefused("expression/fuel", () => evaluate("1", {}, { fuel }));
  });
  it("is spent by the data that an expression looks at", () => {
    const list = Array.from({ length: 60_000 }, (_, index) => index);
    const map = Object.fromEntries(list.slice(0, 13_000).map((key) => [`k${key}`, key]));
    const text = "a".repeat(8 * MIB);
    const deep = JSON.parse("[".repeat(5_000) + "]".repeat(5_000)) as unknown;
    const scope = {
      list,
      copy: [...list],
      map,
      other: { ...map },
      text,
      longer: `${text}b`,
      same: `${text.slice(1)}a`,
      deep,
    };
    assert.equal(evaluate("deep == deep", scope), true);
    assertOutOfFuel("list == copy", scope);
    assertOutOfFuel("map == other", scope);
    assertOutOfFuel("size(map) + size(map)", scope);
    assertOutOfFuel("size(text)", scope);
    assertOutOfFuel("text == same", scope);
    assertOutOfFuel("text < longer", scope);
    assertOutOfFuel("longer.endsWith(text)", scope);
    assertOutOfFuel("text.contains('a')", scope);
    assertOutOfFuel("double(text)", scope);
    assertOutOfFuel("text in [same, same]", scope);
  });
  it("does not let a cycle in the data run on", () => {
    const [a, b]: unknown[][] = [[], []];
    a?.push(a);
    b?.push(b);
    assertOutOfFuel("a == b", { a, b });
  });
  it("is not absorbed by && and ||", () => {
    const list = Array.from({ length: 100_000 }, () => 0);
    for (const source of ["1 in list || true", "1 in list && false", "(1 in list ? 1 : 2) == 1 || true"]) {
      assertOutOfFuel(source, { list });
    }
    assertRefused("expression/fuel", () => evaluate("t + t == t || true", { t: "a".repeat(MIB) }));
  });
  it("bounds the time of a hostile search", () => {
    for (const [length, part] of [
      [MIB, "a".repeat(3) + "b"],
      [MIB, "a".repeat(4) + "b" + "a".repeat(4)],
      [100_000, "a".repeat(5_000) + "b" + "a".repeat(4_999)],
      [1_000, "a".repeat(500) + "b" + "a".repeat(499)],
    ] as const) {
      const scope = { text: "a".repeat(length), part };
      const source = Array(100).fill("text.contains(part)").join(" || ");
      const time = cpuTime(() => {
        try {
          evaluate(source, scope);
        } catch (thrown) {
          assert.equal(encodeError(thrown).code, "expression/fuel");
        }
      });
      assert.ok(time < 50, `${length} × ${part.length}: ${time} ms`);
    }
  });
  it("bounds the time of the costliest things that can be repeated", () => {
    const text = "ab".repeat(32);
    const digits = "12345678".repeat(8_000);
    const emoji = "😀".repeat(32_000);
    const scope = {
      a: text,
      b: `${text.slice(1)}c`,
      emoji,
      other: `${emoji}!`,
      digits,
      wide: Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`k${index}`, index])),
      m: { x: 1 },
      l: [1, 2, 3],
      miss: {},
    };
    for (const part of [
      "(a == b)",
      "(a < b)",
      "(emoji < other)",
      "size(emoji) == 1",
      "double(digits) == 1",
      "int(digits) == 1",
      "size(wide) == 1",
      "(m == {'x': 1})",
      "(l + l == l)",
      "miss.y",
      "{'a': {'b': [1]}} == 1",
    ]) {
      const row = Array(100).fill(part).join(" || ");
      const source = row.length > 4_000 ? row.slice(0, row.lastIndexOf(" || ", 4_000)) : row;
      const time = cpuTime(() => {
        try {
          evaluate(source, scope);
        } catch (thrown) {
          assert.match(encodeError(thrown).code, /^expression\/(?:fuel|failed)$/);
        }
      });
      assert.ok(time < 50, `${part}: ${time} ms`);
    }
  });
});

describe("the size of what is built", () => {
  it("holds strings of 1 MiB and no more", () => {
    const scope = { half: "a".repeat(MIB / 2) };
    assert.equal((evaluate("half + half", scope) as string).length, MIB);
    assertRefused("expression/fuel", () => evaluate("half + half + 'a'", scope), /at most 1048576 characters/);
    assertRefused("expression/fuel", () => evaluate("t + t + t".replaceAll("t", "(half + half)"), scope));
  });
  it("holds lists of 100,000 and no more", () => {
    const scope = { half: Array<number>(50_000).fill(1) };
    assert.equal((evaluate("half + half", scope) as unknown[]).length, 100_000);
    assertRefused("expression/fuel", () => evaluate("half + half + [1]", scope), /at most 100000 items/);
    assertOutOfFuel(Array(10).fill("size(half + half)").join(" + "), scope);
  });
});

describe("the size of a result", () => {
  const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, text: `row number ${id}` }));

  it("is what a payload holds, however often the same data stands in it", () => {
    const scope = {
      rows,
      empty: Array.from({ length: 90_000 }, () => ({})),
      zeros: Array<number>(99_000).fill(0),
      t: "a".repeat(MIB),
      nested: { a: { a: { a: { a: rows } } } },
    };
    for (const item of ["rows", "empty", "zeros", "t", "{'k': [rows]}", "nested"]) {
      const source = `[${Array(120).fill(item).join(", ")}]`;
      assertOutOfFuel(source, scope);
      assertOutOfFuel(`true ? ${source} : 1`, scope);
      assertOutOfFuel(`{'a': ${source}}.a`, scope);
      assertOutOfFuel(`${source} + [1]`, scope);
    }
    assert.deepEqual(evaluate("[rows, rows]", scope), [rows, rows]);
    assert.equal(evaluate("size([t, t, t, t, t, t, t, t, t])", scope), 9);
  });
  it("is not bound where nothing is built, but what the scope holds passed on", () => {
    const input = { all: Array<string>(20).fill("a".repeat(MIB)) };
    for (const source of ["input.all", "input[k]", "true ? input.all : 1"]) {
      assert.equal(evaluate(source, { input, k: "all" }), input.all, source);
    }
    assertRefused(
      "expression/fuel",
      () => evaluate("[input.all]", { input }),
      /at most 8388608 characters of a result/,
    );
  });
  it("does not let a cycle in the data run on", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    cycle.push(cycle, { cycle });
    assertOutOfFuel("[cycle]", { cycle });
    assert.equal(evaluate("cycle[0]", { cycle }), cycle);
  });
});

describe("an error", () => {
  it("says where the source is wrong", () => {
    const error = errorOf(() => parseExpression("input.a &&\n  (b +* c)"));
    assert.equal(error.message, "unexpected * (line 2, column 7)");
    assert.deepEqual(error.detail, { source: "input.a &&\n  (b +* c)", at: 17, line: 2, column: 7 });
    assert.equal(errorOf(() => parseExpression("#")).message, "# can't be read (line 1, column 1)");
    assert.equal(errorOf(() => parseExpression("1 +")).message, "the expression ends too early (line 1, column 4)");
    assert.equal(errorOf(() => parseExpression("\n\nx.matches(y)")).detail["line"], 3);
    assert.equal(
      errorOf(() => parseExpression("a.b", { roots: ["input", "nodes"] })).message,
      "there is no a, only input, nodes (line 1, column 1)",
    );
  });
  it("says what failed", () => {
    const scope = { input: { n: "3", none: null } };
    const messageOf = (source: string): string => errorOf(() => evaluate(source, scope)).message;
    assert.equal(messageOf("1 + input.m.k"), "input.m: missing");
    assert.equal(messageOf("true && (input.n + 1 > 3)"), `input.n + 1: "+" doesn't take string and number`);
    assert.equal(messageOf("input.none.x"), `input.none.x: "." doesn't take null and string`);
    assert.equal(messageOf("!input.n"), `!input.n: "!" doesn't take string`);
    assert.equal(messageOf("1 / 0"), "1 / 0: no finite number");
  });
  it("stays small enough to cross workers with its detail", () => {
    const long = `'${"\u0001".repeat(4_000)}'`;
    for (const action of [
      () => parseExpression(`${long} +`),
      () => parseExpression(long.repeat(9)),
      () => evaluate(`-${long}`),
      () => evaluate(`{}[${long}]`),
      () => evaluate(`'' + ${long}`, {}, { fuel: 3 }),
    ]) {
      const { detail, message } = encodeError(errorOf(action));
      assert.ok(detail);
      assert.ok(message.length < 1_000, message);
    }
  });
  it("keeps what a getter of the scope threw", () => {
    const cause = new RuntimeError("journal/corrupt");
    const scope = {
      get nodes(): unknown {
        throw cause;
      },
    };
    for (const source of ["nodes.a", "nodes || true"]) {
      const error = errorOf(() => evaluate(source, scope));
      assert.equal(error.code, "expression/failed");
      assert.equal(error.detail["reason"], "scope");
      assert.equal(error.cause, cause);
    }
  });
});
