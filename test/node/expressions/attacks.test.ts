import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { evaluateExpression, parseExpression } from "../../../src/core/expressions/index.ts";
import { assertFails, assertInvalid, assertRefused, errorOf, evaluate } from "./support.ts";

const BUILT_IN = [Object, Array, Function, String, Number, Boolean].map(({ prototype }) => prototype as object);
const keysBefore = BUILT_IN.map(Reflect.ownKeys);

afterEach(() => assert.deepEqual(BUILT_IN.map(Reflect.ownKeys), keysBefore));

/** Runs what an attacker wrote; returns its value, or undefined when it was refused in due form. */
function attack(source: string, scope: Record<string, unknown>): unknown {
  let value: unknown;
  try {
    value = evaluate(source, scope);
  } catch (thrown) {
    assert.match(
      errorOf(() => {
        throw thrown;
      }).code,
      /^expression\//,
    );
    return undefined;
  }
  assert.notEqual(typeof value, "function", source);
  assert.ok(!BUILT_IN.some((prototype) => prototype === value), source);
  return value;
}

describe("an attacker who writes an expression", () => {
  const scope = { a: {}, s: "x", l: [1], n: 1, b: true, nodes: { x: { output: {} } } };

  it("gets no code to run", () => {
    for (const source of [
      "constructor.constructor('return process')()",
      "a.constructor.constructor('return process')()",
      "''.constructor",
      "s['constructor']['constructor']",
      "[].constructor",
      "l.map.constructor",
      "(1).toString.constructor",
      "eval('1')",
      "Function('return 1')()",
      "new Function('x')",
      "import('node:fs')",
      "this",
      "this.constructor",
      "globalThis.process",
      "process.mainModule.require('child_process')",
      "a => a",
      "function(){ return process }()",
      "`${process}`",
      "${process.exit()}",
      "{{ process.exit() }}",
      "$f(18)",
      "($f := function($n) { $n < 2 ? 1 : $f($n - 1) + $f($n - 2) }; $f(18))",
      "a['cons' + 'tructor']['constructor']('x')",
      "l.constructor.from",
      "Object.assign(a, {})",
      "a.b = 1",
      "a; process",
      "with(a){}",
      "arguments[0]",
      "a.__defineGetter__('x', s)",
      "a.__lookupGetter__('__proto__')",
    ]) {
      assert.equal(attack(source, scope), undefined, source);
    }
  });

  it("reaches no prototype, however it writes the name", () => {
    for (const name of ["__proto__", "constructor", "prototype"]) {
      for (const source of [
        `a.${name}`,
        `a['${name}']`,
        `a["""${name}"""]`,
        name,
        `has(a.${name})`,
        `{'${name}': 1}`,
        `l.${name}`,
        `nodes.x.${name}.y`,
      ]) {
        assertInvalid(source, /is a forbidden name/);
      }
      const first = name.slice(0, 3);
      const rest = name.slice(3);
      const escaped = `\\x${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
      assertInvalid(`a['${escaped}']`, /is a forbidden name/);
      assertFails(`a['${first}' + '${rest}']`, "name", scope);
      assertFails(`{'${first}' + '${rest}': 1}`, "name", scope);
      assertFails("a[name]", "name", { a: {}, name });
      assertFails("{name: 1}", "name", { name });
      assert.equal(evaluate(`'${name}' in a`, scope), false);
    }
    for (const name of [
      "toString",
      "valueOf",
      "hasOwnProperty",
      "isPrototypeOf",
      "__defineGetter__",
      "__lookupGetter__",
    ]) {
      assertFails(`a.${name}`, "missing", scope);
      assertFails(`a['${name}']`, "missing", scope);
      assert.equal(evaluate(`has(a.${name}) || '${name}' in a`, scope), false);
      assertFails(name, "missing", scope);
    }
    for (const source of [
      "s.length",
      "s['length']",
      "l.length",
      "l['length']",
      "l.push",
      "n.toFixed",
      "b.valueOf",
      "s[0]",
      "l['0']",
    ]) {
      assertFails(source, "type", scope);
    }
  });

  it("stalls nothing: no pattern, no loop, no depth", () => {
    assertInvalid("s.matches('^(a+)+$')", /matches/);
    const many = Array.from({ length: 5_000 }, (_none, at) => at);
    assertRefused("expression/fuel", () => evaluate("l.map(x, l.map(y, l.map(z, x)))", { l: many }));
    assertInvalid("(".repeat(20_000) + ")".repeat(20_000));
    assertInvalid("(".repeat(2_000) + "1" + ")".repeat(2_000));
    assertInvalid("[".repeat(4_000));
    assertInvalid("a" + ".b".repeat(2_000));
    assertInvalid("a" + "[0]".repeat(1_300));
    assertInvalid("-".repeat(4_000) + "1");
    assertInvalid("true?1:".repeat(500) + "1");
    assertInvalid("''" + ".size()".repeat(500));
  });
});

describe("an attacker who writes the data", () => {
  it("never has a function called", () => {
    let calls = 0;
    const trap = (): never => {
      calls++;
      throw new Error("called");
    };
    const evil = { toString: trap, valueOf: trap, toJSON: trap, size: trap, [Symbol.toPrimitive]: trap, then: trap };
    const list = Object.assign([1, 2], {
      map: trap,
      some: trap,
      concat: trap,
      includes: trap,
      keys: trap,
      [Symbol.iterator]: trap,
    });
    Object.defineProperty(list, Symbol.isConcatSpreadable, { get: trap });
    const scope = { evil, list, other: [1, 2], f: trap };
    for (const source of [
      "evil + 1",
      "evil + ''",
      "evil == 'x'",
      "evil < 1",
      "string(evil)",
      "int(evil)",
      "size(evil)",
      "evil.size()",
      "'a'.contains(evil)",
      "{'a': 1}[evil]",
      "list[evil]",
      "{evil: 1}",
      "evil in list",
      "evil in {'a': 1}",
      "evil ? 1 : 2",
      "evil && true",
      "!evil",
      "-evil",
      "[evil] == [evil]",
      "evil == {'toString': 1}",
      "list + list",
      "list == other",
      "1 in list",
      "size(list)",
      "evil.toString",
      "f",
      "f == f",
      "[f]",
    ]) {
      attack(source, scope);
    }
    assert.equal(calls, 0);
    assert.deepEqual(evaluate("list + list", scope), [1, 2, 1, 2]);
  });

  it("hands out nothing that JSON does not know", () => {
    class Secret {
      readonly inner = 1;
    }
    const values = [
      () => 1,
      Secret,
      Symbol("s"),
      1n,
      NaN,
      Infinity,
      new Date(0),
      new Map([["a", 1]]),
      new Set([1]),
      /x/,
      new Secret(),
      new Error("x"),
      Promise.resolve(1),
      new Uint8Array(2),
      new Proxy(() => 1, {}),
    ];
    for (const x of values) {
      for (const source of ["x", "o.x", "l[0]", "[x]", "{'a': x}", "x.inner", "x == x", "o.x || true"]) {
        const scope = { x, o: { x }, l: [x] };
        if (source.endsWith("true")) assert.equal(evaluate(source, scope), true);
        else assertFails(source, "type", scope);
      }
    }
    assertFails("x", "missing", { x: undefined });
    assertFails("o.x", "missing", { o: { x: undefined } });
    assertFails("l[0]", "missing", { l: Array(1) });
    assert.equal(evaluate("has(o.x)", { o: { x: undefined } }), false);
  });

  it("changes no meaning with an own __proto__ key, which structuredClone and JSON.parse keep", () => {
    const text = '{"__proto__": {"admin": true, "polluted": 1}, "constructor": {"prototype": {"x": 1}}}';
    for (const o of [JSON.parse(text), structuredClone(JSON.parse(text))] as Record<string, unknown>[]) {
      assertFails("o.admin", "missing", { o });
      assertFails("o[k]", "name", { o, k: "__proto__" });
      assertFails("o[k].x", "name", { o, k: "constructor" });
      assert.equal(evaluate("'__proto__' in o", { o }), false);
      assert.equal(evaluate("o == {}", { o }), false);
      assert.equal(evaluate("o == p", { o, p: JSON.parse(text) as unknown }), true);
      assert.equal(evaluate("size(o)", { o }), 2);
    }
    assert.equal(evaluate("o == p", { o: JSON.parse('{"__proto__": {}}') as unknown, p: { a: 1 } }), false);
    assert.equal(evaluate("p == o", { o: JSON.parse('{"__proto__": {}}') as unknown, p: { a: 1 } }), false);
    assert.equal(({} as Record<string, unknown>)["admin"], undefined);
  });

  it("reads no scope but its own properties", () => {
    const scope = Object.create({ inherited: 1 }) as Record<string, unknown>;
    scope["own"] = 2;
    assertFails("inherited", "missing", scope);
    assert.equal(evaluate("own", scope), 2);
    assert.equal(
      evaluate(
        "own.a",
        Object.assign(Object.create(null) as object, { own: Object.assign(Object.create(null) as object, { a: 3 }) }),
      ),
      3,
    );
  });

  it("overflows no stack with deep values", () => {
    const deep = (): unknown => JSON.parse(`${'{"a":['.repeat(3_000)}1${"]}".repeat(3_000)}`) as unknown;
    assert.equal(evaluate("x == y", { x: deep(), y: deep() }), true);
    assert.equal(evaluate("x in [y]", { x: deep(), y: deep() }), true);
  });

  it("meets no setter or value that something else put on a prototype", () => {
    let calls = 0;
    Object.defineProperty(Object.prototype, "leak", {
      configurable: true,
      get: () => ++calls,
      set: () => calls++,
    });
    try {
      assert.deepEqual(Object.keys(evaluate("{'leak': 1}") as object), ["leak"]);
      assertFails("a.leak", "missing", { a: {} });
      assertFails("leak", "missing", {});
      assert.equal(evaluate("has(a.leak) || 'leak' in a", { a: {} }), false);
      assert.equal(evaluate("{} == a && size(a) == 0", { a: {} }), true);
    } finally {
      Reflect.deleteProperty(Object.prototype, "leak");
    }
    assert.equal(calls, 0);
  });

  it("gets into no expression that was made by hand", () => {
    const span = { at: 0, end: 1, height: 1 };
    const literal = { op: "literal", args: [], value: "constructor", ...span };
    const object = { op: "map", args: [], value: null, ...span };
    for (const ast of [
      { op: "[", args: [object, literal], value: null, ...span },
      { op: "constructor", args: [object], value: null, ...span },
      { op: "__proto__", args: [], value: null, ...span },
      { op: "map", args: [literal, literal], value: null, ...span },
      { op: "name", args: [], value: "constructor", ...span },
    ]) {
      const forged = { source: "x", ast, roots: [], path: undefined };
      assert.match(errorOf(() => evaluateExpression(forged, {})).code, /^expression\/failed$/);
    }
  });

  it("gets no answer for a source that is no text", () => {
    for (const source of [undefined, null, 1, {}, [], () => 1, { toString: () => "1" }]) {
      assert.throws(() => parseExpression(source as string), { code: "expression/invalid" });
    }
  });
});
