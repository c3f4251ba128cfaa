/** The values of an expression: JSON, and nothing else. */
import { MAX_PAYLOAD } from "../json.ts";
import { exceeded, spend, type Run } from "./fuel.ts";

/** A value's kind, for messages: `null`, `list`, `map`, or what `typeof` says. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (isList(value)) return "list";
  return isMap(value) ? "map" : typeof value;
}

/** True for what JSON holds; of a list or a map only the outside is looked at. */
export function isJson(value: unknown): boolean {
  if (typeof value === "object") return value === null || isList(value) || isMap(value);
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** True for a list. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** True for a map: an object literal of any realm or an object without a prototype, never an instance of a class. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || isList(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** True for the names that nothing may be read or written by, harmless as they are as own properties. */
export function isForbidden(key: unknown): boolean {
  return key === "__proto__" || key === "constructor" || key === "prototype";
}

/** The own property of a list or a map; undefined when there is none. The prototype is never looked at (R1). */
export function ownValue(holder: object, key: string | number): unknown {
  return Object.hasOwn(holder, key) ? (holder as Readonly<Record<string | number, unknown>>)[key] : undefined;
}

/** Deep equality; values of different kinds are unequal. Pairs wait in a list, so no depth overflows the stack. */
export function isEqual(run: Run, left: unknown, right: unknown): boolean {
  const pairs: unknown[] = [left, right];
  while (pairs.length > 0) {
    const b = pairs.pop();
    const a = pairs.pop();
    spend(run, typeof a === "string" ? 1 + (a.length >>> 5) : 1);
    if (a !== b && !pushMembers(run, a, b, pairs)) return false;
  }
  return true;
}

/** Lets the members of two lists or two maps wait; false when they can't be equal. */
function pushMembers(run: Run, a: unknown, b: unknown, pairs: unknown[]): boolean {
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false;
    spend(run, a.length);
    for (let index = 0; index < a.length; index++) pairs.push(a[index], b[index]);
    return true;
  }
  if (!isMap(a) || !isMap(b) || sizeOf(run, a) !== sizeOf(run, b)) return false;
  for (const key of Object.keys(a)) {
    if (!Object.hasOwn(b, key)) return false;
    pairs.push(a[key], b[key]);
  }
  return true;
}

/** The number of entries. They are counted before they are paid for: engines list all keys or none. */
export function sizeOf(run: Run, map: object): number {
  const size = Object.keys(map).length;
  spend(run, 4 * size);
  return size;
}

/** Pays for reading a text once. */
export function spendText(run: Run, length: number): void {
  spend(run, length >>> 5);
}

/**
 * Refuses a result that no payload could carry: a literal may hold the same data many times over. A member counts as
 * 2 characters, a list or a map as 16 more, so that the walk is short, too.
 */
export function boundResult(run: Run, result: unknown): void {
  const pending: object[] = [];
  let size = 0;
  const count = (value: unknown, key: number): void => {
    size += 2 + key;
    if (typeof value === "string") size += value.length;
    if (typeof value === "object" && value !== null) {
      size += 16;
      pending.push(value);
    }
    if (size > MAX_PAYLOAD) throw exceeded(run, "characters of a result", MAX_PAYLOAD);
  };
  count(result, 0);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (isList(next)) for (let index = 0; index < next.length; index++) count(next[index], 0);
    else if (isMap(next)) for (const key of Object.keys(next)) count(next[key], key.length);
  }
}

/** The number of code points. */
export function countCodePoints(run: Run, text: string): number {
  spendText(run, text.length);
  let count = text.length;
  for (let at = 1; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

/** Less than 0, 0 or more than 0: the order by code points. */
export function compareText(run: Run, left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  spendText(run, shorter);
  let at = 0;
  while (at < shorter && left.charCodeAt(at) === right.charCodeAt(at)) at++;
  return at < shorter ? rankAt(left, at) - rankAt(right, at) : left.length - right.length;
}

/** Surrogates stand for code points above U+FFFF, so they rank behind every other unit. */
function rankAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return (unit & 0xf800) === 0xd800 ? unit + 0x10000 : unit;
}
