/** What the tests of expressions share. */
import assert from "node:assert/strict";
import { RuntimeError, type ErrorCode } from "../../../src/core/errors.ts";
import {
  evaluateExpression,
  parseExpression,
  type EvaluateOptions,
  type ExpressionFailureReason,
} from "../../../src/core/expressions/index.ts";

/** The seed of the generated tests; SEED=… tries another. */
export const SEED = Number(process.env["SEED"] ?? 20_261_122);

export function evaluate(source: string, scope: Record<string, unknown> = {}, options?: EvaluateOptions): unknown {
  return evaluateExpression(parseExpression(source), scope, options);
}

/** The error that a function throws; it must be ours. */
export function errorOf(action: () => unknown): RuntimeError {
  try {
    const value = action();
    assert.fail(`nothing was thrown; the value is ${String(value)}`);
  } catch (thrown) {
    if (thrown instanceof RuntimeError) return thrown;
    throw thrown;
  }
}

export function assertRefused(code: ErrorCode, action: () => unknown, text?: RegExp): void {
  const error = errorOf(action);
  assert.equal(error.code, code, error.message);
  if (text) assert.match(error.message, text);
}

export function assertInvalid(source: string, text?: RegExp): void {
  assertRefused("expression/invalid", () => parseExpression(source), text);
}

export function assertFails(
  source: string,
  reason: ExpressionFailureReason,
  scope: Record<string, unknown> = {},
): void {
  const error = errorOf(() => evaluate(source, scope));
  assert.equal(error.code, "expression/failed", error.message);
  assert.equal(error.detail["reason"], reason, `${source}: ${error.message}`);
}

/** Milliseconds of processor time of the cheapest of some runs: neither waiting nor warming up counts. */
export function cpuTime(action: () => void): number {
  const times = Array.from({ length: 4 }, () => {
    const before = process.cpuUsage();
    action();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}
