/** What selections, operators and functions do to values, under the rules of evaluate.ts. */
import { failed, type Span } from "./faults.ts";
import { exceeded, MAX_LIST, MAX_STRING, spend, type Run } from "./fuel.ts";
import {
  compareText,
  countCodePoints,
  isEqual,
  isForbidden,
  isJson,
  isList,
  isMap,
  ownValue,
  sizeOf,
  spendText,
} from "./values.ts";

/** Takes one or two values to another; undefined says that it doesn't take values of these kinds. */
export type Operation = (run: Run, span: Span, a: unknown, b: unknown) => unknown;

const minus = calculation((a, b) => a - b);

/** Every operation by its symbol or name. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  [".", select],
  ["[", select],
  ["has", (_run, _span, a, b) => (isMap(a) ? ownValue(a, String(b)) !== undefined : undefined)],
  ["!", (_run, _span, a) => (typeof a === "boolean" ? !a : undefined)],
  ["+", add],
  ["-", (run, span, a, b) => (b === undefined ? minus(run, span, 0, a) : minus(run, span, a, b))],
  ["*", calculation((a, b) => a * b)],
  ["/", calculation((a, b) => a / b)],
  ["%", calculation((a, b) => (Number.isInteger(a) && Number.isInteger(b) ? a % b : NaN))],
  ["<", comparison((order) => order < 0)],
  ["<=", comparison((order) => order <= 0)],
  [">", comparison((order) => order > 0)],
  [">=", comparison((order) => order >= 0)],
  ["==", (run, _span, a, b) => isEqual(run, a, b)],
  ["!=", (run, _span, a, b) => !isEqual(run, a, b)],
  ["in", isIn],
  ["size", measure],
  ["startsWith", textTest((text, part) => text.startsWith(part))],
  ["endsWith", textTest((text, part) => text.endsWith(part))],
  ["contains", contains],
  ["string", toText],
  ["int", toInt],
  ["double", toDouble],
]);

function select(run: Run, span: Span, holder: unknown, key: unknown): unknown {
  if (isForbidden(key)) throw failed(run, span, "name", "a forbidden name"); // R5
  if (typeof key === "number" && isList(holder)) return found(run, span, ownValue(holder, key));
  if (typeof key === "string" && isMap(holder)) return found(run, span, ownValue(holder, key));
  return undefined;
}

/** What was read, once it is known to be there and to be JSON. */
export function found(run: Run, span: Span, value: unknown): unknown {
  if (value === undefined) throw failed(run, span, "missing", "missing");
  if (!isJson(value)) throw failed(run, span, "type", "not JSON"); // R2
  return value;
}

function add(run: Run, _span: Span, a: unknown, b: unknown): unknown {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (typeof a === "string" && typeof b === "string") {
    const length = a.length + b.length;
    if (length > MAX_STRING) throw exceeded(run, "characters of a string", MAX_STRING);
    spendText(run, length);
    return a + b;
  }
  if (!isList(a) || !isList(b)) return undefined;
  const length = a.length + b.length;
  if (length > MAX_LIST) throw exceeded(run, "items of a list", MAX_LIST);
  spend(run, length >>> 2);
  run.built = true;
  const joined: unknown[] = [];
  for (let index = 0; index < length; index++) joined.push(index < a.length ? a[index] : b[index - a.length]);
  return joined; // no method or iterator of the lists is used: they might be their own
}

function calculation(calculate: (a: number, b: number) => number): Operation {
  return (_run, _span, a, b) => (typeof a === "number" && typeof b === "number" ? calculate(a, b) : undefined);
}

function comparison(test: (order: number) => boolean): Operation {
  return (run, _span, a, b) => {
    if (typeof a !== typeof b) return undefined;
    if (typeof a === "string") return test(compareText(run, a, String(b)));
    return typeof a === "number" || typeof a === "boolean" ? test(Number(a) - Number(b)) : undefined;
  };
}

function isIn(run: Run, _span: Span, a: unknown, b: unknown): boolean | undefined {
  if (isMap(b)) return typeof a === "string" && !isForbidden(a) && ownValue(b, a) !== undefined;
  if (!isList(b)) return undefined;
  for (let index = 0; index < b.length; index++) if (isEqual(run, a, b[index])) return true;
  return false;
}

function measure(run: Run, _span: Span, a: unknown): number | undefined {
  if (isList(a)) return a.length;
  if (typeof a === "string") return countCodePoints(run, a);
  return isMap(a) ? sizeOf(run, a) : undefined;
}

function textTest(test: (text: string, part: string) => boolean): Operation {
  return (run, _span, a, b) => {
    if (typeof a !== "string" || typeof b !== "string") return undefined;
    spendText(run, b.length);
    return test(a, b);
  };
}

/** Pays for the worst case beforehand: engines are quadratic on hostile texts. */
function contains(run: Run, _span: Span, a: unknown, b: unknown): boolean | undefined {
  if (typeof a !== "string" || typeof b !== "string") return undefined;
  spend(run, (a.length >>> 5) + Math.floor((a.length * b.length) / 256));
  return a.includes(b);
}

function toText(_run: Run, _span: Span, a: unknown): string | undefined {
  return typeof a === "string" || typeof a === "number" || typeof a === "boolean" ? String(a) : undefined;
}

/** A number as it is, a decimal text as its number; NaN when it has none. */
function toDouble(run: Run, _span: Span, a: unknown): number | undefined {
  if (typeof a !== "string") return typeof a === "number" ? a : undefined;
  spendText(run, a.length);
  return /^[-+.\deE]+$/.test(a) ? Number(a) : NaN;
}

/** Towards zero, and only what a double counts exactly; a text must be whole. */
function toInt(run: Run, span: Span, a: unknown): number | undefined {
  const value = toDouble(run, span, a);
  if (value === undefined) return undefined;
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) && (typeof a === "number" || /^[+-]?\d+$/.test(String(a))) ? whole : NaN;
}
