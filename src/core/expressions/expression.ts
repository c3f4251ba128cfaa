/**
 * Conditions and mappings in a subset of CEL, safe to run on the engine's own thread.
 *
 * Values are JSON, and numbers are doubles: `7 / 2` is 3.5, `%` takes whole numbers and keeps the sign of its left
 * side, and a result that is not finite fails. Values of different kinds are unequal, never an error; everything
 * else that mixes kinds fails. `null` is a value: it equals only itself, a field that holds it is there, and it has
 * no fields. What is missing fails by its path; ask with `has(a.b)` or `'b' in a` first. `&&` and `||` take the
 * answer from whichever side decides, though the other fails, and so do `all` and `exists`, which ask each item of a
 * list or each key of a map, as `exists_one`, `filter` and `map` do; what they do for each item is paid for. Strings are counted and ordered by code points.
 */
import { RuntimeError } from "../errors.ts";
import type { Ast } from "./ast.ts";
import { checkNames, pathOf } from "./check.ts";
import { evaluate } from "./evaluate.ts";
import { failed, invalid } from "./faults.ts";
import { DEFAULT_FUEL } from "./fuel.ts";
import { parse } from "./parser.ts";
import { boundResult } from "./values.ts";

/** An expression that has been read and checked. */
export interface Expression {
  readonly source: string;
  readonly ast: Ast;
  /** The names it reads from the scope, in the order of their first use. */
  readonly roots: readonly string[];
  /** The segments when the whole expression is a plain selection such as `nodes.a['b']`. */
  readonly path: readonly string[] | undefined;
}

/** What a parser may be told. */
export interface ParseOptions {
  /** The names that a scope will have. Any other is refused. Default: every name is accepted. */
  readonly roots?: readonly string[];
}

/** What an evaluation may be told. */
export interface EvaluateOptions {
  /** The budget in steps. Default: 100,000, which last about 20 ms at most. */
  readonly fuel?: number;
}

/**
 * Reads an expression.
 * @throws RuntimeError `expression/invalid` with `{ source, at, line, column }`.
 */
export function parseExpression(source: string, { roots }: ParseOptions = {}): Expression {
  if (typeof source !== "string") throw invalid({ source: "" }, 0, "an expression is a text");
  const ast = parse(source);
  return { source, ast, roots: checkNames(source, ast, roots), path: pathOf(ast) };
}

/**
 * Evaluates an expression over the own properties of a scope. Same expression, same scope: same value.
 * The value may share objects with the scope: don't edit it.
 * @throws RuntimeError `expression/failed` with the place, the path and a `reason`, or `expression/fuel`.
 */
export function evaluateExpression(
  expression: Expression,
  scope: Readonly<Record<string, unknown>>,
  { fuel = DEFAULT_FUEL }: EvaluateOptions = {},
): unknown {
  const { source, ast } = expression;
  try {
    const run = { source, scope, limit: fuel, fuel, built: false, bound: undefined };
    const value = evaluate(run, ast);
    if (run.built) boundResult(run, value);
    return value;
  } catch (thrown) {
    if (thrown instanceof RuntimeError && thrown.code.startsWith("expression/")) throw thrown;
    const whole = { at: 0, end: source.length };
    throw failed({ source }, whole, "scope", "the scope threw", thrown);
  }
}
