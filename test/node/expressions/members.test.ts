import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { evaluateExpression, parseExpression } from "../../../src/core/expressions/index.ts";
import { evaluate } from "./support.ts";
import { fails, refuses, says, scope } from "./tables.ts";

describe("selection", () => {
  says("reads fields and indexes", [
    ["input", scope.input],
    ["nodes.a.output.files", ["x", "y"]],
    ["nodes['a'].output['files'][1]", "y"],
    ["nodes.a.output.files[input.n - 3]", "y"],
    ["input.list[1.0]", 2],
    ["input['content-type']", "json"],
    ["input[input.flag ? 'name' : 'n']", "Ada"],
    ["input.nothing", null],
    ["[[1, 2], [3]][0][1]", 2],
    ["{'a': {'b': 1}}.a.b", 1],
    ["(input).name", "Ada"],
    ["nodes . a\n.output // comment\n.n", 2.5],
    ["{'for': 1, 'package': 2}.for", 1],
  ]);
  fails("fails on what is missing", "missing", [
    "missing",
    "input.missing",
    "input.list[3]",
    "input.list[-1]",
    "input.list[0.5]",
    "input.list[1e300]",
    "input['']",
    "input.toString",
    "input.hasOwnProperty",
  ]);
  fails("fails on what has no such members", "type", [
    "input.nothing.a",
    "input.name.length",
    "input.name[0]",
    "input.n.toFixed",
    "input.flag.a",
    "input.list.length",
    "input.list['0']",
    "input[0]",
    "input[null]",
    "input[true]",
    "input[input.list]",
    "null.a",
  ]);
  it("names the path that is missing", () => {
    for (const [source, path] of [
      ["nodes.b.output.files", "nodes.b"],
      ["nodes.a.output.sum + 1", "nodes.a.output.sum"],
      ["1 + nodes.a.output.files[7].name", "nodes.a.output.files[7]"],
      ["vars['x y']", "vars['x y']"],
      ["missing", "missing"],
    ] as const) {
      assert.throws(() => evaluate(source, scope), {
        detail: { source, at: source.indexOf(path), path, reason: "missing" },
      });
    }
  });
  says("asks with has() whether a field is there, null or not", [
    ["has(input.name)", true],
    ["has(input.nothing)", true],
    ["has(input.missing)", false],
    ["has(input.empty.a)", false],
    ["has(input.toString)", false],
    ["has({'a': 1}.a)", true],
    ["has(nodes['a'].output)", true],
    ["has(input.missing) && input.missing > 1", false],
    ["!has(input.missing)", true],
  ]);
  fails("fails in has() when the holder is missing", "missing", ["has(missing.a)", "has(input.missing.a)"]);
  fails("fails in has() when the holder is no map", "type", [
    "has(input.nothing.a)",
    "has(input.list.a)",
    "has(input.name.a)",
  ]);
  refuses("takes nothing but a selection in has()", [
    "has(a)",
    "has()",
    "has(a.b, a.c)",
    "has(a['b'])",
    "has(1)",
    "has('a.b')",
    "has(a.b + 1)",
    "a.has()",
    "a.b.has()",
    "a.has(b.c)",
    "has(a.size())",
  ]);
});

describe("functions", () => {
  says("measure, in code points", [
    ["size('')", 0],
    ["size('a😀b')", 3],
    ["'ÿ'.size()", 1],
    ["size([1, 2])", 2],
    ["input.list.size()", 3],
    ["size({'a': 1})", 1],
    ["{}.size()", 0],
    ["size(nodes.a.output.files) + 1", 3],
  ]);
  says("test strings", [
    ["'abc'.startsWith('ab')", true],
    ["'abc'.startsWith('bc')", false],
    ["'abc'.endsWith('bc')", true],
    ["'abc'.endsWith('abcd')", false],
    ["'abc'.contains('')", true],
    ["'abc'.contains('b')", true],
    ["'abc'.contains('a.c')", false],
    ["input.name.startsWith('A') && 'x😀'.endsWith('😀')", true],
  ]);
  says("convert", [
    ["string('a')", "a"],
    ["string(1.5)", "1.5"],
    ["string(-3)", "-3"],
    ["string(true)", "true"],
    ["int(3.9)", 3],
    ["int(-3.9)", -3],
    ["int('42')", 42],
    ["int('-007')", -7],
    ["int(double('1e3'))", 1_000],
    ["double(1)", 1],
    ["double('1.5')", 1.5],
    ["double('-.5e1')", -5],
    ["double('+1.')", 1],
  ]);
  fails("fail on numbers that are none", "range", [
    "int('')",
    "int('1.5')",
    "int('1e3')",
    "int(' 1')",
    "int('0x10')",
    "int('9007199254740992')",
    "int(1e300)",
    "double('')",
    "double('abc')",
    "double(' 1')",
    "double('1\\n')",
    "double('0x10')",
    "double('Infinity')",
    "double('NaN')",
    "double('1e999')",
    "double('1,5')",
    "double('--1')",
  ]);
  fails("fail on kinds that they don't take", "type", [
    "size(1)",
    "size(null)",
    "size(true)",
    "string(null)",
    "string([])",
    "string({})",
    "int(true)",
    "int(null)",
    "double([])",
    "input.n.startsWith('a')",
    "'a'.startsWith(1)",
    "'a'.contains(null)",
    "input.list.contains(1)",
  ]);
  refuses("are called in one way, with so many values", [
    "size()",
    "size(1, 2)",
    "'a'.size(1)",
    "startsWith('a', 'b')",
    "'a'.startsWith()",
    "'a'.startsWith('b', 'c')",
    "1.string()",
    "size('a',)",
    "f(1)",
    "a.f()",
    "a.b.f(1)",
    "toString()",
    "type(1)",
    "dyn(1)",
    "bool('true')",
    "uint(1)",
    "timestamp('2020-01-01T00:00:00Z')",
    "a.b{c: 1}",
  ]);
  refuses(
    "refuse regular expressions by their name",
    ["'a'.matches('a')", "matches('a', 'a')"],
    /^matches\(\) is not supported/,
  );
  refuses("refuse a macro without a receiver, without a variable, or with too few or too many parts", [
    "all([1], x, true)",
    "[1].all(x)",
    "[1].all(1, true)",
    "[1].map(x.y, 1)",
    "[1].filter(x, true, x)",
    "[1].exists('x', true)",
  ]);
});

describe("what is known before an expression runs", () => {
  it("lists the roots in the order of their first use", () => {
    const source =
      "nodes.a.output > input.n && vars[input.k].x in [item, {'k': index}] ? size(a) : 'input2'.contains(b)";
    assert.deepEqual(parseExpression(source).roots, ["nodes", "input", "vars", "item", "index", "a", "b"]);
    assert.deepEqual(parseExpression("1 + 1").roots, []);
    assert.deepEqual(parseExpression("has(input.x)").roots, ["input"]);
    assert.deepEqual(parseExpression("size(size)").roots, ["size"]);
  });
  it("refuses roots that a scope won't have", () => {
    const roots = ["input", "nodes"];
    assert.deepEqual(parseExpression("input.a == nodes.b", { roots }).roots, roots);
    for (const source of [
      "vars.n",
      "input.a == vars.n",
      "[inputs]",
      "{'a': node}",
      "a.size()",
      "input[i]",
      "has(a.b)",
    ]) {
      assert.throws(() => parseExpression(source, { roots }), { code: "expression/invalid" }, source);
    }
    assert.throws(() => parseExpression("input", { roots: [] }), { code: "expression/invalid" });
  });
  it("gives the path of a plain selection, and of nothing else", () => {
    for (const [source, path] of [
      ["input", ["input"]],
      ["nodes.a.output", ["nodes", "a", "output"]],
      ["nodes['a b'].output", ["nodes", "a b", "output"]],
      [" (nodes . a) ", ["nodes", "a"]],
      ["input.list[0]", undefined],
      ["input[k]", undefined],
      ["'a'", undefined],
      ["input.a + 1", undefined],
      ["{}.a", undefined],
      ["size(input)", undefined],
      ["has(input.a)", undefined],
      ["-input", undefined],
    ] as const) {
      assert.deepEqual(parseExpression(source).path, path, source);
    }
  });
  it("is plain data: a copy of an expression evaluates alike", () => {
    const expression = parseExpression("input.n > 1 ? [size(input.list)] : {'k': null}");
    const copy = structuredClone(expression);
    assert.deepEqual(copy, expression);
    assert.deepEqual(evaluateExpression(copy, scope), [3]);
  });
});
