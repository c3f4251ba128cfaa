import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RuntimeError } from "../../../src/core/errors.ts";
import { askBufbuild, askMarcbachmann, type Answer } from "./oracles.ts";
import { roundsOf } from "../core/chance.ts";
import { evaluate, SEED } from "./support.ts";

const RUNS = roundsOf(20_000);

type Source = fc.Arbitrary<string>;

/** The kinds of value that a source may have. */
type Kind = "num" | "str" | "bool" | "list" | "map" | "any";

const leaf = {
  num: fc.constantFrom(
    "0.0",
    "1.0",
    "2.5",
    "3.0",
    "10.0",
    "0.1",
    "1e3",
    ".5",
    "n",
    "m",
    "o.n",
    "o['n']",
    "l[0]",
    "l[1]",
    "k[0]",
  ),
  str: fc.constantFrom(
    "''",
    "'a'",
    '"ab"',
    "'ÿ'",
    "'\\U0001F600'",
    "'''a'''",
    "r'\\n'",
    "'\\x41'",
    "s",
    "t",
    "o.s",
    "k[1]",
  ),
  bool: fc.constantFrom("true", "false", "b", "c", "o.b", "has(o.n)", "has(o.q)", "'n' in o", "'q' in o"),
  list: fc.constantFrom("[]", "l", "o.l", "[1.0, 2.5]", "[n, m]", "[n,]"),
  map: fc.constantFrom("{}", "o", "{'x': n}", "{'n': 1.0, 's': 'a'}", "o.o"),
  any: fc.constantFrom("z", "null", "o.q", "l[9]", "k[2]", "q", "o.z", "[]", "'a'", "1.0", "true"),
};

const { condition, value } = fc.letrec<Record<Kind | "condition" | "value", string>>((tie) => {
  const kinds = {
    num: tie("num"),
    str: tie("str"),
    bool: tie("bool"),
    list: tie("list"),
    map: tie("map"),
    any: tie("any"),
  };
  const text = (...parts: (string | Source)[]): Source =>
    fc.tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part))).map((all) => all.join(""));
  const op = (...symbols: string[]): Source =>
    fc.constantFrom(...symbols.flatMap((symbol) => [symbol, ` ${symbol} `, `\n${symbol}\t`]));
  const choice = (kind: Source): Source => text(kinds.bool, " ? ", kind, " : ", kind);
  const forms = (kind: Kind, ...own: Source[]): Source =>
    fc.oneof(
      { maxDepth: 4, depthIdentifier: "source" },
      { weight: 6, arbitrary: leaf[kind] },
      ...own.map((arbitrary) => ({ weight: 3, arbitrary })),
      { weight: 2, arbitrary: text("(", kinds[kind], ")") },
      { weight: 1, arbitrary: text("(", choice(kinds[kind]), ")") },
      { weight: 1, arbitrary: kinds.any },
    );
  const { num, str, bool, list, map, any } = kinds;
  return {
    num: forms(
      "num",
      text(num, op("+", "-", "*", "/"), num),
      text("double(int(", num, ") % int(", num, "))"),
      text(
        "double(",
        fc.oneof(text("size(", fc.oneof(str, list, map), ")"), text("(", fc.oneof(str, list, map), ").size()")),
        ")",
      ),
      text("-", fc.oneof(leaf.num, text("(", num, op("+", "*"), num, ")"))), // two signs are none for others, whatever follows
      text("double(int(", num, "))"),
    ),
    str: forms("str", text(str, op("+"), str), text("string(", bool, ")"), text("string(", str, ")")),
    bool: forms(
      "bool",
      text(num, op("<", "<=", ">", ">=", "==", "!="), num),
      text(str, op("<", "<=", ">", ">=", "==", "!="), str),
      text(bool, op("&&", "||"), bool),
      text(bool, op("&&", "||"), bool, op("&&", "||"), bool),
      text("!", fc.oneof(leaf.bool, text("(", bool, op("&&", "||"), bool, ")"))),
      text("(", str, ").", fc.constantFrom("startsWith", "endsWith", "contains"), "(", str, ")"),
      text(num, " in ", list),
      text("(", list, ").", fc.constantFrom("all", "exists", "exists_one"), "(n, ", bool, ")"),
      text("(", map, ").", fc.constantFrom("all", "exists", "exists_one"), "(s, ", bool, ")"),
      text("(", fc.oneof(list, map, any), ")", op("==", "!="), "(", fc.oneof(list, map, any), ")"),
    ),
    list: forms(
      "list",
      text(list, op("+"), list),
      text("[", num, ", ", num, "]"),
      text("(", list, ").filter(n, ", bool, ")"),
      text("(", list, ").map(n, ", num, ")"),
      text("(", list, ").map(m, ", bool, ", ", num, ")"),
    ),
    map: forms("map", text("{'a': ", num, ", 'b': ", num, "}")),
    any: leaf.any,
    condition: kinds.bool,
    value: fc.oneof(num, str, bool, list, map, choice(num), choice(str)),
  };
});

const number = fc.constantFrom(0, 1, 2, -1, 0.5, 2.5, 7, -3.25, 1e6);
const string = fc.constantFrom("", "a", "ab", "ba", "ÿ", "😀", "a😀", "10");
const inner = {
  n: number,
  s: string,
  b: fc.boolean(),
  l: fc.array(number, { maxLength: 3 }),
  o: fc.dictionary(fc.constantFrom("a", "b"), number, { noNullPrototype: true }),
  z: fc.constant(null),
};
const scopes = fc.record({
  n: number,
  m: number,
  s: string,
  t: string,
  b: fc.boolean(),
  c: fc.boolean(),
  l: fc.array(number, { minLength: 1, maxLength: 4 }),
  k: fc.tuple(number, string, fc.constant(null)),
  z: fc.constant(null),
  o: fc.record(inner, { noNullPrototype: true }),
});

/** Integers only, as the oracles have a type of their own for them; no division, which rounds there. */
const integers = fc.letrec<{ sum: string; test: string }>((tie) => {
  const join = (left: Source, symbols: string[], right: Source): Source =>
    fc.tuple(left, fc.constantFrom(...symbols), right).map((parts) => parts.join(" "));
  return {
    sum: fc.oneof(
      { maxDepth: 5, depthIdentifier: "sum" },
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          "0",
          "1",
          "2",
          "3",
          "7",
          "0x10",
          "-4",
          "i",
          "size(s)",
          "int('12')",
          "int(2.9)",
          "int(-2.9)",
        ),
      },
      { weight: 4, arbitrary: join(tie("sum"), ["+", "-", "*", "%"], tie("sum")) },
      { weight: 1, arbitrary: tie("sum").map((sum) => `-(${sum})`) },
      { weight: 1, arbitrary: tie("sum").map((sum) => `(${sum})`) },
      {
        weight: 1,
        arbitrary: join(tie("test"), ["?"], join(tie("sum"), [":"], tie("sum"))).map((choice) => `(${choice})`),
      },
    ),
    test: fc.oneof(
      join(tie("sum"), ["<", "<=", ">", ">=", "==", "!="], tie("sum")),
      tie("sum").map((sum) => `${sum} in [1, 2, 3]`),
    ),
  };
});

interface Tally {
  values: number;
  errors: number;
  notFinite: number;
}

function askUs(source: string, scope: Record<string, unknown>): Answer & { readonly reason?: unknown } {
  try {
    return { value: evaluate(source, scope) };
  } catch (thrown) {
    if (!(thrown instanceof RuntimeError)) throw thrown;
    return { error: thrown.message, reason: thrown.detail["reason"] };
  }
}

/** Two answers agree when both are errors, or the same value. */
function assertAgree(source: string, ours: Answer, theirs: Answer): void {
  const isSame = "value" in ours ? "value" in theirs && isDeepStrictEqual(ours.value, theirs.value) : "error" in theirs;
  assert.ok(isSame, `${source}\n  ours:   ${JSON.stringify(ours)}\n  theirs: ${JSON.stringify(theirs)}`);
}

function count(tally: Tally, { reason, ...answer }: Answer & { readonly reason?: unknown }): boolean {
  if (reason === "range") tally.notFinite++;
  else if ("value" in answer) tally.values++;
  else tally.errors++;
  return reason !== "range"; // they go on with NaN and infinities, which no JSON holds
}

describe("the subset of CEL that others have too", () => {
  it(`means what @bufbuild/cel says (${RUNS} cases)`, (t) => {
    const tally: Tally = { values: 0, errors: 0, notFinite: 0 };
    const property = fc.property(fc.oneof(condition, value), scopes, (source, scope) => {
      const ours = askUs(source, scope);
      if (count(tally, ours)) assertAgree(source, ours, askBufbuild(source, scope));
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
    t.diagnostic(`SEED=${SEED} ${JSON.stringify(tally)}`);
    assert.ok(tally.values > RUNS / 2 && tally.errors > RUNS / 20, "the cases say little");
  });

  it(`means what @marcbachmann/cel-js says, where that has a value (${RUNS} cases)`, (t) => {
    const tally: Tally = { values: 0, errors: 0, notFinite: 0 };
    const property = fc.property(fc.oneof(condition, value), scopes, (source, scope) => {
      const theirs = askMarcbachmann(source, scope);
      if ("error" in theirs) return; // it refuses more: null == 1.0, [1, 'a'], true || 1 + 'a'
      const ours = askUs(source, scope);
      if (count(tally, ours)) assertAgree(source, ours, theirs);
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
    t.diagnostic(`SEED=${SEED} ${JSON.stringify(tally)}`);
    assert.ok(tally.values > RUNS / 2, "the cases say little");
  });

  it(`calculates with whole numbers as both do (${RUNS} cases)`, (t) => {
    const tally: Tally = { values: 0, errors: 0, notFinite: 0 };
    const property = fc.property(
      fc.oneof(integers.sum, integers.test),
      fc.integer({ min: -9, max: 99 }),
      (source, i) => {
        const ours = askUs(source, { i, s: "abc" });
        count(tally, ours);
        const scope = { i: BigInt(i), s: "abc" };
        assertAgree(source, ours, askBufbuild(source, scope));
        assertAgree(source, ours, askMarcbachmann(source, scope));
      },
    );
    fc.assert(property, { seed: SEED, numRuns: RUNS });
    t.diagnostic(`SEED=${SEED} ${JSON.stringify(tally)}`);
    assert.ok(tally.values > RUNS / 2, "the cases say little");
  });
});
