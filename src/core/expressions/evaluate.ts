/**
 * Walks a tree over the values of a scope. No code is generated, and no value is ever called.
 * R1 Only own properties are read. R2 What is read is JSON. R3 Each step is paid for. R4 `&&` and `||` absorb failures,
 * but never an empty tank. R5 Forbidden names are refused when computed, too.
 */
import { RuntimeError } from "../errors.ts";
import type { Ast } from "./ast.ts";
import { failed } from "./faults.ts";
import { spend, type Run } from "./fuel.ts";
import { found, operations } from "./operations.ts";
import { isForbidden, kindOf, ownValue } from "./values.ts";

/** The value of a tree. */
export function evaluate(run: Run, ast: Ast): unknown {
  spend(run, 1); // R3
  const { op, args, value } = ast;
  switch (op) {
    case "literal":
      return value;
    case "name":
      return found(run, ast, ownValue(run.scope, String(value)));
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
      return evaluateOperation(run, ast);
  }
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
  let failure: RuntimeError | undefined;
  for (const index of ast.args.keys()) {
    try {
      if (evaluateTruth(run, ast, index) === decisive) return decisive;
    } catch (thrown) {
      if (!(thrown instanceof RuntimeError) || thrown.code !== "expression/failed") throw thrown; // R4
      failure ??= thrown;
    }
  }
  if (failure) throw failure;
  return !decisive;
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
