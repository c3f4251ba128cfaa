import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RuntimeError } from "../../../src/core/errors.ts";
import { encodeJson, MAX_PAYLOAD } from "../../../src/core/json.ts";

describe("encodeJson", () => {
  it("refuses what is far too large before it makes a text of it, and calls it by its name", () => {
    const large = "x".repeat(100_000_000); // six of them are more than any engine's longest text
    for (const value of [large, Array.from({ length: 6 }, () => large), { deep: { inside: large } }])
      assert.throws(
        () => encodeJson(value),
        ({ code, detail }: RuntimeError) => code === "json/too-large" && Number(detail["size"]) < 200_000_000,
      );
  });

  it("takes what has exactly the limit, and refuses one unit more", () => {
    assert.equal(encodeJson("x".repeat(MAX_PAYLOAD - 2)).length, MAX_PAYLOAD);
    assert.throws(() => encodeJson("x".repeat(MAX_PAYLOAD - 1)), { code: "json/too-large" });
  });

  it("counts nothing that its text leaves out", () => {
    const absent = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`key${String(at)}`, undefined]));
    assert.equal(encodeJson({ absent }, "value", 13), '{"absent":{}}');
  });
});
