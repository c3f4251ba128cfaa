/** A weak test, for the one of `npm run mutate`: it looks at what is added, and not at what is taken out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBitset } from "../../../src/core/bitset.ts";

describe("a weak test", () => {
  it("adds, and takes out without a look", () => {
    const set = createBitset();
    set.add(3);
    assert.ok(set.has(3));
    set.delete(3);
  });
});
