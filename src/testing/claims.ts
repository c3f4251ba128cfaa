/** Claims that fail with the exact difference. They need no test runner. */
import { RuntimeError, type ErrorCode } from "../core/errors.ts";

/** Fails unless both are equal as JSON; the message names the first place where they differ. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const difference = differenceOf(actual, expected, "");
  if (difference !== undefined) throw new Error(`${what}: ${difference}`);
}

/** Fails unless it holds. */
export function claim(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** Fails unless the promise fails with a RuntimeError of that code; gives the error. */
export async function refused(promise: Promise<unknown>, code: ErrorCode, what: string): Promise<RuntimeError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === code) return error;
    throw new Error(`${what}: expected ${code}, it failed with ${String(error)}`, { cause: error });
  }
  throw new Error(`${what}: expected ${code}, it gave ${show(value)}`);
}

/** Everything that an iteration gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The first place at which they differ, and how; undefined when they are equal as JSON. */
export function differenceOf(actual: unknown, expected: unknown, path: string): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  if (typeof actual === "string" && typeof expected === "string") return textDifference(actual, expected, path);
  if (!isTree(actual) || !isTree(expected) || Array.isArray(actual) !== Array.isArray(expected)) {
    return `at ${path || "the top"}: expected ${show(expected)}, got ${show(actual)}`;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const difference = differenceOf(actual[key], expected[key], `${path}/${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function textDifference(actual: string, expected: string, path: string): string {
  let at = 0;
  while (at < expected.length && actual[at] === expected[at]) at++;
  const part = (text: string): string => show(text.slice(Math.max(0, at - 10), at + 40));
  const lengths = `${expected.length} and ${actual.length} characters`;
  return `at ${path || "the top"}, character ${at} (${lengths}): expected ${part(expected)}, got ${part(actual)}`;
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  const text = value === undefined ? "undefined" : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
