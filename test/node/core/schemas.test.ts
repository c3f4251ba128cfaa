/** The subset of JSON Schema: what it accepts is what Ajv accepts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import fc from "fast-check";
import { checkSchema, findFlaw, type JsonSchema } from "../../../src/core/capabilities/schema.ts";
import { seedOf } from "./chance.ts";

describe("a check against a schema", () => {
  const seed = seedOf(77);
  const names = fc.constantFrom("a", "b", "constructor", "toString");
  const scalar = fc.oneof(fc.constant(null), fc.boolean(), fc.integer({ min: -3, max: 3 }), fc.double(), fc.string());
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("value"), { maxLength: 4 }), fields(tie("value"))),
  }));
  const small = fc.nat({ max: 4 });
  const types = fc.constantFrom("null", "boolean", "integer", "number", "string", "array", "object");
  const bound = fc.integer({ min: -3, max: 3 });
  const keywords = (part: fc.Arbitrary<unknown>): fc.Arbitrary<object> => {
    const all = {
      type: fc.oneof(types, fc.uniqueArray(types, { minLength: 1 })),
      enum: fc.uniqueArray(fc.oneof(fc.boolean(), bound, fc.string()), { minLength: 1, selector: String }),
      const: fc.oneof(fc.constant(null), fc.boolean(), bound),
      anyOf: fc.array(part, { minLength: 1, maxLength: 2 }),
      properties: fields(part),
      required: fc.uniqueArray(names, { maxLength: 2 }),
      additionalProperties: fc.oneof(fc.boolean(), part),
      items: part,
      minItems: small,
      maxItems: small,
      minLength: small,
      maxLength: small,
      minimum: bound,
      maximum: bound,
    };
    const each = Object.entries(all).map(([keyword, argument]) =>
      argument.map((value: unknown) => ({ [keyword]: value })),
    );
    return fc.array(fc.oneof(...each), { maxLength: 3 }).map((some) => Object.assign({}, ...some) as object);
  };
  const leaf = keywords(fc.constant({}));
  const schema = keywords(fc.oneof(leaf, keywords(leaf)));

  function fields(part: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
    return fc.array(fc.tuple(names, part), { maxLength: 3 }).map((entries) => {
      const object: object = {};
      for (const [name, field] of entries)
        Object.defineProperty(object, name, { value: field, enumerable: true, configurable: true, writable: true });
      return object;
    });
  }

  it("takes names of prototypes for names like others", () => {
    const rules = JSON.parse('{"properties":{"__proto__":{"const":1}},"additionalProperties":false}') as JsonSchema;
    checkSchema(rules, "input");
    assert.equal(findFlaw(rules, JSON.parse('{"__proto__":1}'), "input"), undefined);
    assert.equal(findFlaw(rules, JSON.parse('{"__proto__":2}'), "input")?.at, "input.__proto__");
    assert.equal(findFlaw(rules, { toString: 1 }, "input")?.at, "input.toString");
    assert.equal(findFlaw({ required: ["toString"] }, {}, "input")?.at, "input.toString");
  });

  it(`agrees with Ajv (seed ${String(seed)})`, () => {
    const ajv = new Ajv({ strict: false, ownProperties: true });
    let [good, bad] = [0, 0];
    fc.assert(
      fc.property(schema, fc.array(value, { minLength: 5, maxLength: 20 }), (rules, values) => {
        checkSchema(rules, "input");
        const holds = ajv.compile(rules);
        ajv.removeSchema(rules);
        for (const one of values) {
          const flaw = findFlaw(rules, one, "input");
          assert.equal(flaw === undefined, holds(one), JSON.stringify([rules, one, flaw]));
          if (flaw) bad++;
          else good++;
        }
      }),
      { seed, numRuns: 500 },
    );
    assert.ok(good > 1_000 && bad > 1_000, `${String(good)} good, ${String(bad)} bad`);
  });
});
