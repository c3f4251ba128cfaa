/** A small part of `npm run fuzz`: some hundred inputs at every door. SEED=… tries another. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DOORS } from "../../fuzz/doors/index.ts";
import { runDoor } from "../../fuzz/watch.ts";
import { seedOf } from "../core/chance.ts";

const SEED = seedOf(20_261_123);

/** What takes long for an input gets fewer. */
const inputsOf = (part: number): number => Math.max(60, Math.min(1_500, part * 5));

describe(`the doors (SEED=${String(SEED)})`, () => {
  for (const { door, part } of DOORS)
    it(`hold at ${door.name}`, async () => {
      const { reports, inputs, outcomes } = await runDoor({ door: door.name, seed: SEED, inputs: inputsOf(part) });
      for (const { kind, message, inputs: shown, tape = "" } of reports)
        assert.fail(`${kind}: ${message}\n${shown.join("\n")}\nnpm run fuzz -- --door ${door.name} --tape ${tape}`);
      assert.ok(inputs >= inputsOf(part));
      assert.ok(Object.keys(outcomes).length > 1, "all inputs come to the same: they say nothing");
    });
});
