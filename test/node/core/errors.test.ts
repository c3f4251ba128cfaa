/** Errors as data: what crosses workers, and what the journal keeps of whatever was thrown. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeError, encodeError, encodeRefusal, plainError, RuntimeError } from "../../../src/core/errors.ts";

const ring: Record<string, unknown> = {};
ring["self"] = ring;

describe("an error's text", () => {
  it("is its code with its detail, each value in brief", () => {
    assert.equal(new RuntimeError("task/unknown").message, "task/unknown");
    const detail = { id: "t1", at: 3, none: undefined, list: [1], ring, big: 1n };
    const text = "task/unknown (id: t1, at: 3, none: undefined, list: [1], ring: object, big: bigint)";
    assert.equal(new RuntimeError("task/unknown", detail).message, text);
    const long = new RuntimeError("task/unknown", { id: "x".repeat(201), fit: "y".repeat(200) });
    assert.equal(long.message, `task/unknown (id: ${"x".repeat(200)}…, fit: ${"y".repeat(200)})`);
  });

  it("may be given, and a cause is kept", () => {
    const cause = new Error("below");
    const error = new RuntimeError("task/failed" as never, { a: 1 }, { message: "so it is", cause });
    assert.deepEqual([error.message, error.cause, error.detail, error.name], ["so it is", cause, { a: 1 }, "RuntimeError"]); // prettier-ignore
    assert.ok(!("cause" in new RuntimeError("task/unknown")));
  });
});

describe("what was thrown", () => {
  it("becomes data with its causes, of which four are kept", () => {
    let error = new Error("0");
    for (let depth = 1; depth < 7; depth++) error = new Error(String(depth), { cause: error });
    const texts: string[] = [];
    for (let data = encodeError(error).cause; data; data = data.cause) texts.push(data.message);
    assert.deepEqual(texts, ["5", "4", "3", "2"]);
  });

  it("is bounded, and no getter or prototype gets through", () => {
    const data = encodeError(Object.assign(new Error("m".repeat(5_000)), { code: "c".repeat(300) }));
    assert.deepEqual([data.message.length, data.message.at(-1), data.code.length], [4_097, "…", 200]);
    const hostile = {
      get message(): string {
        throw new Error("read");
      },
    };
    assert.deepEqual(encodeError(hostile, "agent/failed"), { name: "Error", message: "unreadable", code: "agent/failed" }); // prettier-ignore
    const polluting: unknown = JSON.parse('{"message":"m","detail":{"a":{"__proto__":{"x":1}}}}');
    assert.ok(!("detail" in encodeError(polluting)));
    assert.ok(!("detail" in encodeError({ message: "m", detail: [1] })));
    assert.ok(!("detail" in encodeError({ message: "m", detail: { long: "x".repeat(20_000) } })));
    assert.deepEqual(encodeError({ message: "m", detail: { a: 1 } }).detail, { a: 1 });
  });

  it("need not be an error", () => {
    const of = (thrown: unknown): unknown[] => Object.values(encodeError(thrown, "agent/failed"));
    assert.deepEqual(of("text"), ["Error", "text", "agent/failed"]);
    assert.deepEqual(of(undefined), ["Error", "undefined", "agent/failed"]);
    assert.deepEqual(of(7), ["Error", "7", "agent/failed"]);
    assert.deepEqual(of({ a: 1 }), ["Error", '{"a":1}', "agent/failed"]);
    assert.deepEqual(of({ name: 1, message: 2, code: 3, stack: 4 }), ["Error", "", "agent/failed", ""]); // prettier-ignore
  });

  it("says whether another attempt can help, if it can't", () => {
    assert.equal(encodeError({ message: "m", retryable: false }).retryable, false);
    assert.ok(!("retryable" in encodeError({ message: "m", retryable: true })));
  });

  it("is without stack and cause where a rule raised it, because these differ from runtime to runtime", () => {
    const cause = new Error("below");
    const refusal = encodeRefusal(new RuntimeError("task/unknown", { id: "t" }, { cause }));
    const message = "task/unknown (id: t)";
    assert.deepEqual(refusal, { name: "RuntimeError", message, code: "task/unknown", detail: { id: "t" } });
    const foreign = encodeRefusal(cause, "agent/failed");
    assert.deepEqual([foreign.code, foreign.stack, "cause" in foreign], ["agent/failed", cause.stack, false]);
    assert.ok(!("stack" in encodeRefusal("text")));
  });
});

describe("an error from another worker", () => {
  it("is made plain, whatever it was", () => {
    const plain = plainError({ name: "E", message: "m", code: "c", detail: { at: new Date(0) }, more: 1 });
    assert.deepEqual(plain, { name: "E", message: "m", code: "c", detail: { at: "1970-01-01T00:00:00.000Z" } });
    assert.deepEqual(plainError({ message: "m", code: "c", detail: ring }), { name: "Error", message: "m", code: "c" });
    assert.deepEqual(plainError({ message: 1, ring }), { name: "Error", message: "unreadable", code: "unknown" });
  });

  it("of very many parts ends", () => {
    let wide: unknown = 1;
    for (let depth = 0; depth < 40; depth++) wide = [wide, wide];
    assert.equal(plainError({ message: "m", detail: { wide } }).message, "m");
  });

  it("is an error again on this side, with cause and stack", () => {
    const data = { name: "E", message: "m", code: "task/unknown", detail: { id: "t" }, stack: "at far" };
    const error = decodeError({ ...data, cause: { name: "F", message: "below", code: "unknown" } });
    const { name, message, code, detail, stack, cause } = error;
    assert.deepEqual({ name, message, code, detail, stack }, data);
    assert.ok(error instanceof RuntimeError && cause instanceof RuntimeError);
    assert.deepEqual([cause.name, cause.message], ["F", "below"]);
    assert.notEqual(decodeError({ name: "E", message: "m", code: "c" }).stack, undefined);
  });
});
