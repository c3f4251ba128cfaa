/** Payloads as text: what can be written, where the bounds are, and what is said of what is beyond them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkJson, copyJson, decodeJson, digestOf, encodeJson, MAX_DEPTH, writeJson } from "../../../src/core/json.ts";

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("a payload", () => {
  it("is written as JSON; nothing is null", () => {
    assert.equal(writeJson({ a: [1, "x", null, undefined], b: undefined }, "input"), '{"a":[1,"x",null,null]}');
    assert.equal(writeJson(undefined, "input"), "null");
    assert.equal(encodeJson("x"), '"x"');
  });

  it("can't be what JSON has not, and the error says what and where", () => {
    const foreign: readonly (readonly [value: unknown, what: string, found: string])[] = [
      [{ a: new Uint8Array(2) }, "a", "bytes"],
      [{ a: { b: new ArrayBuffer(2) } }, "b", "bytes"],
      [[() => 1], "0", "function"],
      [{ s: Symbol("s") }, "s", "symbol"],
    ];
    for (const [value, what, found] of foreign)
      assert.throws(() => writeJson(value, "input"), { code: "json/invalid", detail: { what, found } });
    const ring: Record<string, unknown> = {};
    ring["self"] = ring;
    for (const value of [ring, { big: 1n }])
      assert.throws(
        () => writeJson(value, "input"),
        (error: { code?: string; detail?: Record<string, unknown>; cause?: unknown }) =>
          error.code === "json/invalid" &&
          error.detail?.["what"] === "input" &&
          String(error.detail["reason"]).startsWith("TypeError") &&
          error.cause instanceof TypeError,
      );
    let deep: unknown = 1;
    for (let at = 0; at < 100_000; at++) deep = [deep];
    assert.throws(() => writeJson(deep, "input"), { code: "json/too-deep" });
  });

  it("has as many characters as are given, and no more", () => {
    assert.equal(checkJson("12345", "input", 5), "12345");
    const detail = { what: "input", size: 6, limit: 5 };
    assert.throws(() => checkJson("123456", "input", 5), { code: "json/too-large", detail });
    assert.throws(() => encodeJson("1234", "input", 5), { code: "json/too-large", detail });
  });

  it("is so deep and no deeper, wherever in it, and brackets within texts are none", () => {
    assert.equal(checkJson(nested(MAX_DEPTH)), nested(MAX_DEPTH));
    const deepest = { code: "json/too-deep", detail: { what: "value", depth: MAX_DEPTH + 1, limit: MAX_DEPTH } };
    assert.throws(() => checkJson(nested(MAX_DEPTH + 1)), deepest);
    assert.throws(() => checkJson(`[1,${nested(10)},${nested(MAX_DEPTH)},2]`), deepest);
    const maps = `${'{"a":'.repeat(MAX_DEPTH + 1)}1${"}".repeat(MAX_DEPTH + 1)}`;
    assert.throws(() => checkJson(maps), deepest);
    for (const text of [nested(90), `\\"${nested(90)}`, `\\\\\\"${nested(90)}\\\\`, "[".repeat(90)]) {
      const written = `["${text}",1]`;
      JSON.parse(written);
      assert.equal(checkJson(written), written);
    }
    assert.throws(() => checkJson(`["\\\\",${nested(MAX_DEPTH)}]`), deepest, "a backslash that is none of the quote's");
    const side = `[${Array.from({ length: 40 }, () => "[{}]").join()}]`;
    assert.equal(checkJson(side), side, "what is side by side is not deep");
    assert.equal(checkJson(`"${nested(90)}`), `"${nested(90)}`, "a text without an end");
  });

  it("is read again, or the error has its beginning", () => {
    assert.deepEqual(decodeJson('{"a":1}'), { a: 1 });
    const text = `{${"x".repeat(100)}`;
    assert.throws(() => decodeJson(text, "output"), { code: "json/invalid", detail: { what: "output", text: text.slice(0, 80) } }); // prettier-ignore
  });

  it("is copied so that nothing is shared", () => {
    const value = { a: [1, { b: null }], c: "x", d: { e: [] } };
    const copy = copyJson(value);
    assert.deepEqual(copy, value);
    assert.ok(copy !== value && copy.a !== value.a && copy.a[1] !== value.a[1] && copy.d.e !== value.d.e);
    for (const plain of [null, 1, "x", true]) assert.equal(copyJson(plain), plain);
  });
});

describe("a digest", () => {
  it("is what journals of before have it to be", () => {
    const known: readonly (readonly [text: string, seed: number, digest: string])[] = [
      ["", 0, "6c85483a4a216c31db6e264e0c66c024"],
      ["a", 0, "c554510afbde262a88e9a2cc0a9f1c31"],
      ["Troupe", 0, "66ed36cd9e4c882383b611f5c1342c63"],
      ["Troupe", 7, "53cd7c03f077ed104316622046d2799d"],
      ['{"a":[1,"é\u{1f600}"]}', 0, "9088acaaeb0a2dbe0b89af84be1dcecd"],
      ["x".repeat(1_000), 0, "9a30592d9aa79757b9837375c5017347"],
    ];
    for (const [text, seed, digest] of known) assert.equal(digestOf(text, seed), digest);
    assert.equal(digestOf("a"), digestOf("a", 0));
  });
});
