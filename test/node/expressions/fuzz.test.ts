import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RuntimeError } from "../../../src/core/errors.ts";
import { evaluateExpression, parseExpression } from "../../../src/core/expressions/index.ts";
import { roundsOf } from "../core/chance.ts";
import { createChance, createHostileScope, createHostileSource } from "./sources.ts";
import { cpuTime, SEED } from "./support.ts";

const RUNS = roundsOf(220_000);
const PROTOTYPES: readonly unknown[] = [Object, Array, Function, String, Number, Boolean, Symbol, Error].map(
  ({ prototype }) => prototype as unknown,
);
const CODES = ["expression/invalid", "expression/failed", "expression/fuel"];

const shapeOfPrototypes = (): unknown => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype as object));

describe("any source over any data", () => {
  it(`gives a value or our error, quickly, and touches nothing (${RUNS} cases)`, (t) => {
    t.diagnostic(`SEED=${SEED}`);
    const chance = createChance(SEED);
    const before = shapeOfPrototypes();
    const counts = new Map<string, number>();
    let calls = 0;
    const scope = createHostileScope(() => calls++);
    for (let run = 0; run < RUNS; run++) {
      const source = createHostileSource(chance);
      const attempt = (): string => outcomeOf(source, scope);
      const start = performance.now();
      const outcome = attempt();
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (performance.now() - start > 25) assert.ok(cpuTime(attempt) < 50, `too slow: ${JSON.stringify(source)}`);
    }
    t.diagnostic(JSON.stringify(Object.fromEntries(counts)));
    assert.equal(calls, 0);
    assert.deepEqual(shapeOfPrototypes(), before);
    for (const outcome of ["value", ...CODES.slice(0, 2)]) {
      assert.ok((counts.get(outcome) ?? 0) > RUNS / 50, `hardly any ${outcome}: the cases say nothing`);
    }
  });
});

function outcomeOf(source: string, scope: Record<string, unknown>): string {
  try {
    const value = evaluateExpression(parseExpression(source), scope);
    assert.ok(!["function", "symbol", "bigint", "undefined"].includes(typeof value), source);
    assert.ok(typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0)), source);
    assert.ok(!PROTOTYPES.includes(value), source);
    return "value";
  } catch (thrown) {
    if (!(thrown instanceof RuntimeError))
      throw new Error(`foreign error for ${JSON.stringify(source)}`, { cause: thrown });
    assert.ok(CODES.includes(thrown.code), source);
    assert.notEqual(thrown.detail["reason"], "scope", source); // nothing in us throws anything else
    return thrown.code;
  }
}
