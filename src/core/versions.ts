/**
 * Versions and ranges as in Semantic Versioning 2.0 and node-semver: `^1.2`, `~1.2.3`, `>=1 <3`, `1.x || 2`, `*`.
 * Hyphen ranges (`1 - 2`) are not read. The package `semver` would be a seventh of the host; the tests hold this
 * against it.
 */

export interface Version {
  readonly numbers: readonly [major: number, minor: number, patch: number];
  /** What follows the hyphen, by its dots; empty for a release. */
  readonly pre: readonly string[];
}

interface Comparator {
  readonly operator: "<" | "<=" | ">" | ">=" | "=";
  readonly version: Version;
}

/** Alternatives of comparators that must all hold. */
export type Range = readonly (readonly Comparator[])[];

const VERSION = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})(?:-([\w.-]+))?(?:\+[\w.+-]+)?$/;

/** @returns undefined for what isn't a version. */
export function parseVersion(text: string): Version | undefined {
  const [all, major, minor, patch, pre] = VERSION.exec(text) ?? [];
  if (all === undefined) return undefined;
  return { numbers: [Number(major), Number(minor), Number(patch)], pre: pre === undefined ? [] : pre.split(".") };
}

/** Below 0 when `a` comes before `b`, 0 when neither does. Build metadata doesn't count. */
export function compareVersions(a: Version, b: Version): number {
  for (const at of [0, 1, 2] as const) {
    const difference = a.numbers[at] - b.numbers[at];
    if (difference !== 0) return difference;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length; // a release comes after its previews
  for (let at = 0; ; at++) {
    const [one, other] = [a.pre[at], b.pre[at]];
    if (one === undefined || other === undefined) return a.pre.length - b.pre.length;
    const order = comparePart(one, other);
    if (order !== 0) return order;
  }
}

function comparePart(one: string, other: string): number {
  const [isNumber, isOther] = [NUMBER.test(one), NUMBER.test(other)];
  if (isNumber && isOther) return Number(one) - Number(other);
  if (isNumber !== isOther) return isNumber ? -1 : 1;
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

const NUMBER = /^\d+$/;

/** @returns undefined for what isn't a range. */
export function parseRange(text: string): Range | undefined {
  const known = parsed.get(text);
  if (known !== undefined || parsed.has(text)) return known;
  if (parsed.size >= MAX_PARSED) parsed.clear();
  const sets = text.split("||").map(parseSet);
  const range = sets.some((set) => !set) ? undefined : (sets as Range);
  parsed.set(text, range);
  return range;
}

/** Ranges that were read: the same few are asked for again and again. */
const parsed = new Map<string, Range | undefined>();
const MAX_PARSED = 1_000;

/** Whether the version is in the range. A preview is only in a range that names one of the same release. */
export function inRange(version: Version, range: Range): boolean {
  return range.some(
    (set) => set.every((one) => holds(version, one)) && (version.pre.length === 0 || named(version, set)),
  );
}

function holds(version: Version, { operator, version: bound }: Comparator): boolean {
  const order = compareVersions(version, bound);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "=":
      return order === 0;
  }
}

function named({ numbers }: Version, set: readonly Comparator[]): boolean {
  return set.some(
    ({ version: { pre, numbers: bound } }) => pre.length > 0 && bound.every((one, at) => one === numbers[at]),
  );
}

function parseSet(text: string): readonly Comparator[] | undefined {
  const words = text
    .replace(/([<>=~^])\s+/g, "$1")
    .split(/\s+/)
    .filter((word) => word !== "");
  const sets = words.map(parseWord);
  return sets.some((set) => !set) ? undefined : sets.flatMap((set) => set ?? []);
}

const PART = String.raw`(\d{1,15}|[xX*])`;
const WORD = new RegExp(String.raw`^(\^|~|[<>]?=?)${PART}(?:\.${PART}(?:\.${PART}(?:-([\w.-]+))?(?:\+[\w.+-]+)?)?)?$`);

/** One word as comparators; what it leaves out or has as `x` stands for every number. */
function parseWord(word: string): readonly Comparator[] | undefined {
  const [all, operator = "", ...parts] = WORD.exec(word) ?? [];
  if (all === undefined) return undefined;
  const given = parts.slice(0, 3).map((part) => (NUMBER.test(part) ? Number(part) : undefined));
  const open = given.indexOf(undefined);
  if (open !== -1 && given.slice(open).some((number) => number !== undefined)) return undefined; // `x.1`
  const depth = open === -1 ? 3 : open; // so many numbers are given
  const [major = 0, minor = 0, patch = 0] = given.slice(0, depth);
  const version: Version = { numbers: [major, minor, patch], pre: (depth === 3 && parts[3]?.split(".")) || [] };
  switch (operator) {
    case "^":
      return between(version, depth === 0 ? -1 : Math.min(depth - 1, firstAbove0(version)));
    case "~":
      return between(version, Math.min(depth - 1, 1));
    case "":
    case "=":
      return depth === 3 ? [{ operator: "=", version }] : between(version, depth - 1);
    default:
      return bounded(operator as Comparator["operator"], version, depth);
  }
}

/** The place of the first number that isn't 0, else the last. */
function firstAbove0({ numbers }: Version): number {
  const place = numbers.findIndex((number) => number > 0);
  return place === -1 ? 2 : place;
}

/** From the version to before the next one at the place; at place -1 without an end. */
function between(version: Version, place: number): readonly Comparator[] {
  const from: Comparator = { operator: ">=", version };
  return place < 0 ? [from] : [from, { operator: "<", version: before(after(version, place)) }];
}

function bounded(operator: Comparator["operator"], version: Version, depth: number): readonly Comparator[] {
  if (depth === 3) return [{ operator, version }];
  if (depth === 0)
    return [
      operator === "<" || operator === ">" ? { operator: "<", version: before(version) } : { operator: ">=", version },
    ];
  switch (operator) {
    case ">":
      return [{ operator: ">=", version: after(version, depth - 1) }];
    case "<=":
      return [{ operator: "<", version: before(after(version, depth - 1)) }];
    case "<":
      return [{ operator: "<", version: before(version) }];
    default:
      return [{ operator, version }];
  }
}

/** The next version at the place: 1.2.3 is followed by 2.0.0, 1.3.0 and 1.2.4. */
function after({ numbers: [major, minor, patch] }: Version, place: number): Version {
  if (place === 0) return { numbers: [major + 1, 0, 0], pre: [] };
  return { numbers: place === 1 ? [major, minor + 1, 0] : [major, minor, patch + 1], pre: [] };
}

/** The first of its previews. */
function before({ numbers }: Version): Version {
  return { numbers, pre: ["0"] };
}
