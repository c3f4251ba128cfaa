/** The same commands, clock and chance write the same bytes and fold to the same state here as in Node. */
import { expect } from "chai";
import { DETERMINISM_DIGEST, DETERMINISM_SEED, digestOfLife, live } from "../../node/core/determinism.ts";

describe("the engine in this browser", () => {
  it("writes the journal and comes to the state that it does in Node, byte by byte", async () => {
    expect(digestOfLife(await live(DETERMINISM_SEED))).to.equal(DETERMINISM_DIGEST);
  }).timeout(60_000);
});
