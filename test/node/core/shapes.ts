/** Tries a schema around one whole value: what may be missing, what may not be there, and where the bounds are. */
import assert from "node:assert/strict";
import * as v from "valibot";

type Path = readonly (string | number)[];
type Row = readonly [path: string, ...values: readonly unknown[]];

/** What is said of a value and its bounds; a path is written `data.retry.base`. */
export interface Shape {
  /** With every field that there can be. */
  readonly whole: unknown;
  /** Fields that may be missing; all others are needed. */
  readonly optional?: readonly string[];
  /** Objects whose keys are free. */
  readonly free?: readonly string[];
  /** Values that may stand there, at the bounds. */
  readonly good?: readonly Row[];
  /** Values just beyond them. */
  readonly bad?: readonly Row[];
}

/** A text of so many characters. */
export const long = (length: number): string => "x".repeat(length);

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (isMap(value) || Array.isArray(value))
    for (const [key, part] of Object.entries(value).slice(0, Array.isArray(value) ? 1 : undefined))
      yield* pathsOf(part, [...path, Array.isArray(value) ? Number(key) : key]);
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((part, key) => (part as Record<string | number, unknown>)[key], value);

/** A copy in which this part is another, or none when nothing is given. */
function put(whole: unknown, path: Path, ...[value]: readonly unknown[]): unknown {
  const copy = structuredClone(whole);
  const holder = at(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  const key = path.at(-1) ?? "";
  if (value === undefined) Reflect.deleteProperty(holder, key);
  else holder[key] = value;
  return copy;
}

/** Holds a schema against what is said of it. */
export function checkShape(
  schema: v.GenericSchema,
  { whole, optional = [], free = [], good = [], bad = [] }: Shape,
): void {
  const takes = (value: unknown): boolean => v.safeParse(schema, value).success;
  assert.deepEqual(v.parse(schema, whole), whole);
  const parse = (text: string): Path => text.split(".").map((key) => (/^\d+$/u.test(key) ? Number(key) : key));
  for (const path of pathsOf(whole)) {
    const [name, part] = [path.join("."), at(whole, path)];
    const isFree = free.includes(path.slice(0, -1).join("."));
    const isElement = typeof path.at(-1) === "number";
    if (!isElement && !isFree)
      assert.equal(takes(put(whole, path)), optional.includes(name), `${name} is missing: ${JSON.stringify(whole)}`);
    assert.ok(
      !takes(put(whole, path, isMap(part) || Array.isArray(part) ? 1.5 : [{ other: 1 }])),
      `${name} is another`,
    );
    if (isMap(part) && !free.includes(name)) assert.ok(!takes(put(whole, [...path, "more"], 1)), `${name} has more`);
  }
  assert.ok(!takes({ ...(whole as object), more: 1 }), "more");
  for (const [name, ...values] of good)
    for (const value of values) assert.ok(takes(put(whole, parse(name), value)), `${name}: ${brief(value)} is good`);
  for (const [name, ...values] of bad)
    for (const value of values) assert.ok(!takes(put(whole, parse(name), value)), `${name}: ${brief(value)} is bad`);
}

const brief = (value: unknown): string => JSON.stringify(value).slice(0, 80);

export const YEAR = 365 * 86_400_000;
export const DAY = 86_400_000;
export const LATEST = 8.64e15;
export const list = (length: number, one: unknown = "a"): unknown[] => Array.from({ length }, () => one);

export const within = (path: string, least: number, most: number): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, least, most]],
  bad: [[path, least - 1, most + 1, least + 0.5]],
});
export const named = (path: string, most: number, least = 1): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, long(least), long(most)]],
  bad: [[path, long(most + 1), ...(least > 0 ? [""] : [])]],
});
/** One shape of several bounds. */
export function shape(
  whole: object,
  optional: readonly string[],
  bounds: readonly Pick<Shape, "good" | "bad">[],
  free: readonly string[] = [],
): Shape {
  return {
    whole,
    optional,
    free,
    good: bounds.flatMap(({ good = [] }) => good),
    bad: bounds.flatMap(({ bad = [] }) => bad),
  };
}

export const share = (path: string): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, 0, 1, 0.25]],
  bad: [[path, -0.1, 1.1]],
});
export const count = (path: string): Pick<Required<Shape>, "good" | "bad"> => ({
  good: [[path, 0]],
  bad: [[path, -1, 0.5, 2 ** 53]],
});

export const nameOf = ({ whole }: Shape): string => {
  const { type, kind } = whole as { readonly type?: string; readonly kind?: string };
  return type ?? kind ?? "";
};
