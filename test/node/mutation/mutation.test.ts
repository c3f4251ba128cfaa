/** `npm run mutate`: what it draws, what it concludes, and that it tells a mutant that is seen from one that isn't. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { resolve } from "node:path";
import { bundle } from "../../mutation/bundle.ts";
import { instrument, keyOf, type Mutant } from "../../mutation/mutants.ts";
import { draw, interval } from "../../mutation/sample.ts";
import { doubtful, runBaseline, tryMutant } from "../../mutation/trial.ts";

const BITSET = "src/core/bitset.ts";

describe("a sample of mutants", () => {
  it("is drawn without putting back, by its seed", () => {
    const all = Array.from({ length: 100 }, (_none, at) => ({ at }));
    const drawn = draw(all, 30, 7);
    assert.deepEqual([drawn.length, new Set(drawn).size], [30, 30]);
    assert.deepEqual(draw(all, 30, 7), drawn);
    assert.notDeepEqual(draw(all, 30, 8), drawn);
    assert.deepEqual(draw(all, 10, 7), drawn.slice(0, 10), "the first of a larger sample are a sample");
    assert.deepEqual(new Set(draw(all, 200, 7)), new Set(all));
  });

  it("says of the whole what Wilson's interval says", () => {
    const rounded = interval(85, 100, 19_303).map((share) => share.toFixed(1));
    assert.deepEqual(rounded, ["76.7", "90.7"]);
    assert.deepEqual(interval(17, 20, 20), [85, 85], "a whole needs none");
    assert.deepEqual(interval(0, 0, 5), [0, 100]);
  });
});

describe("a mutant", () => {
  it("dies by a test that looks at it, survives one that doesn't, and is found unreached", async () => {
    const [folder, test] = [resolve(".cache/mutate/test"), "test/node/mutation/weak.ts"];
    const { mutants } = await instrument([BITSET]);
    const lines = readFileSync(BITSET, "utf8").split("\n");
    const emptied = (head: string): Mutant => {
      const line = lines.findIndex((text) => text.trim().startsWith(head));
      const found = mutants.find((one) => one.mutator === "BlockStatement" && one.location.start.line === line);
      assert.ok(found, head);
      return found;
    };
    const chosen = [emptied("add(member) {"), emptied("delete(member) {"), emptied("next(from) {")];
    const places = await instrument([BITSET], chosen);
    const switches = chosen.flatMap((one) => places.mutants.find((other) => keyOf(one) === keyOf(other)) ?? []);
    await bundle(folder, [test], places.sources);
    const baseline = await runBaseline(folder, [test]);
    const fates = await Promise.all(switches.map((one) => tryMutant(folder, one, baseline)));
    assert.deepEqual(fates.map(({ fate }) => fate), ["killed", "survived", "unreached"]); // prettier-ignore
    assert.match(fates[0]?.killer ?? "", /^test\/node\/mutation\/weak\.ts > a weak test > adds/u);
    assert.deepEqual(await doubtful(folder, new Set([fates[0]?.killer ?? ""]), baseline), []);
  });
});
