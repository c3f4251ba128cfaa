/**
 * Walks a tree over the values of a scope. No code is generated, and no value is ever called.
 * R1 Only own properties are read. R2 What is read is JSON. R3 Each step is paid for. R4 `&&` and `||` absorb failures,
 * but never an empty tank. R5 Forbidden names are refused when computed, too.
 */
import { RuntimeError } from "../errors.ts";
import type { Ast } from "./ast.ts";
import { isMacro } from "./check.ts";
import { failed } from "./faults.ts";
import { spend, type Bound, type Run } from "./fuel.ts";
import { found, operations } from "./operations.ts";
import { isForbidden, isList, isMap, kindOf, ownValue, sizeOf } from "./values.ts";

/** The value of a tree. */
export function evaluate(run: Run, ast: Ast): unknown {
  spend(run, 1); // R3
  const { op, args, value } = ast;
  switch (op) {
    case "literal":
      return value;
    case "name":
      return evaluateName(run, ast, String(value));
    case "list":
      run.built = true;
      return args.map((arg) => evaluate(run, arg));
    case "map":
      return evaluateMap(run, ast);
    case "&&":
    case "||":
      return evaluateLogic(run, ast, op === "||");
    case "?":
      return evaluateArg(run, ast, evaluateTruth(run, ast, 0) ? 1 : 2);
    default:
      return isMacro(op) ? evaluateMacro(run, ast) : evaluateOperation(run, ast);
  }
}

function evaluateName(run: Run, ast: Ast, name: string): unknown {
  for (let { bound } = run; bound; bound = bound.outer) if (bound.name === name) return bound.value;
  return found(run, ast, ownValue(run.scope, name));
}

/** The value of a part; undefined when there is no such part. */
function evaluateArg(run: Run, { args }: Ast, index: number): unknown {
  const arg = args[index];
  return arg && evaluate(run, arg);
}

function evaluateTruth(run: Run, ast: Ast, index: number): boolean {
  const value = evaluateArg(run, ast, index);
  if (typeof value === "boolean") return value;
  throw unfit(run, ast, value);
}

function evaluateMap(run: Run, ast: Ast): object {
  run.built = true;
  const map = new Map<string, unknown>();
  for (let index = 0; index < ast.args.length; index += 2) {
    const key = evaluateArg(run, ast, index);
    if (typeof key !== "string") throw unfit(run, ast, key);
    if (isForbidden(key) || map.has(key)) throw failed(run, ast, "name", "a forbidden key, or one key twice"); // R5
    map.set(key, evaluateArg(run, ast, index + 1));
  }
  return Object.fromEntries(map); // defines each, so that no setter of a prototype is met
}

function evaluateLogic(run: Run, ast: Ast, decisive: boolean): boolean {
  return decide(ast.args.keys(), decisive, (index) => evaluateTruth(run, ast, index));
}

/** Whether some answer is the decisive one, though others fail. */
function decide<T>(places: Iterable<T>, decisive: boolean, ask: (place: T) => boolean): boolean {
  let failure: RuntimeError | undefined;
  for (const place of places) {
    try {
      if (ask(place) === decisive) return decisive;
    } catch (thrown) {
      if (!(thrown instanceof RuntimeError) || thrown.code !== "expression/failed") throw thrown; // R4
      failure ??= thrown;
    }
  }
  if (failure) throw failure;
  return !decisive;
}

/** The items of a list or the keys of a map are asked one after the other, each paid for by the steps it takes (R3). */
function evaluateMacro(run: Run, ast: Ast): unknown {
  const over = evaluateArg(run, ast, 0);
  if (!isList(over) && !isMap(over)) throw unfit(run, ast, over);
  spend(run, isList(over) ? over.length >>> 2 : sizeOf(run, over));
  const items = isList(over) ? over : Object.keys(over);
  const bound: Bound = { name: String(ast.args[1]?.value), outer: run.bound, value: undefined };
  const within = <T>(place: number, ask: () => T): T => {
    spend(run, 1);
    bound.value = found(run, ast, ownValue(items, place)); // R1, R2
    run.bound = bound;
    try {
      return ask();
    } finally {
      run.bound = bound.outer;
    }
  };
  const holds = (place: number): boolean => within(place, () => evaluateTruth(run, ast, 2));
  const places = Array.from({ length: items.length }, (_none, place) => place);
  switch (ast.op) {
    case "each.all":
      return decide(places, false, holds);
    case "each.exists":
      return decide(places, true, holds);
    case "each.exists_one":
      return places.filter(holds).length === 1;
  }
  run.built = true;
  const last = ast.args.length - 1;
  const kept = ast.op === "each.map" && last === 2 ? places : places.filter(holds);
  return kept.map((place) => within(place, () => (ast.op === "each.map" ? evaluateArg(run, ast, last) : bound.value)));
}

function evaluateOperation(run: Run, ast: Ast): unknown {
  const a = evaluateArg(run, ast, 0);
  const b = evaluateArg(run, ast, 1);
  const value = operations.get(ast.op)?.(run, ast, a, b);
  if (value === undefined) throw unfit(run, ast, a, b);
  if (typeof value !== "number") return value;
  if (!Number.isFinite(value)) throw failed(run, ast, "range", "no finite number");
  return value + 0; // JSON knows no −0
}

function unfit(run: Run, ast: Ast, ...values: unknown[]): RuntimeError {
  const kinds = values.filter((value) => value !== undefined).map(kindOf);
  return failed(run, ast, "type", `"${ast.op}" doesn't take ${kinds.join(" and ")}`);
}
