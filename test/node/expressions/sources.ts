/** Makes sources and scopes from a seed: well-formed, nearly so, and hostile. */

/** A number in [0, 1), the same ones for the same seed (mulberry32). */
export type Chance = () => number;

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(chance: Chance, items: readonly [T, ...T[]]): T {
  return items[Math.floor(chance() * items.length)] ?? items[0];
}

export const upTo = (chance: Chance, limit: number): number => Math.floor(chance() * limit);

const NAMES = ["a", "b", "n", "s", "l", "m", "o", "z", "f", "g", "evil", "deep", "big", "missing"] as const;
const FIELDS = ["a", "b", "n", "k"] as const;
const HOSTILE = ["length", "toString", "size", "constructor", "__proto__", "prototype", "valueOf", "x y"] as const;
const LITERALS = [
  "0",
  "1",
  "2.5",
  "-1",
  "1e308",
  "0x10",
  "''",
  "'a'",
  '"b"',
  "r'\\'",
  "'''c'''",
  "'constructor'",
  "'__pro'",
  "'to__'",
  "true",
  "false",
  "null",
  "[]",
  "{}",
  "'\\u0041'",
  "'😀'",
] as const;
const OPERATORS = ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "in", "&&", "||"] as const;
const FUNCTIONS = ["size", "string", "int", "double"] as const;
const METHODS = ["startsWith", "endsWith", "contains"] as const;
const MACROS = ["all", "exists", "exists_one", "filter", "map"] as const;
const NOISE = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ".",
  "?",
  ":",
  "!",
  "'",
  '"',
  "\\",
  "`",
  "${",
  "=>",
  ";",
  "=",
  "&",
  "|",
  "#",
  "//",
  "\n",
  " ",
  "\u0000",
  "\ud800",
  "😀",
  "this",
  "new ",
  "eval(",
  "Function(",
  "import(",
  "matches(",
  ".map(",
  ".all(",
  "has(",
  "'''",
  "r'",
  "b'",
  "1u",
  "0x",
  "1e",
  "\\u",
  "in",
  "null",
] as const;

/** A well-formed expression, which may well fail. */
export function createSource(chance: Chance, depth = 4): string {
  const inner = (): string => createSource(chance, depth - 1);
  const field = (): string => pick(chance, chance() < 0.95 ? FIELDS : HOSTILE).replace(" ", "_");
  if (depth <= 0) return chance() < 0.6 ? pick(chance, NAMES) : pick(chance, LITERALS);
  switch (upTo(chance, 15)) {
    case 14: {
      const name = pick(chance, ["x", "n", ...NAMES]);
      return `(${pick(chance, ["l", "list", "m", "a.b", inner()])}).${pick(chance, MACROS)}(${name}, ${inner()})`;
    }
    case 0:
    case 1:
      return `${inner()} ${pick(chance, OPERATORS)} ${inner()}`;
    case 2:
      return `(${inner()}) ${pick(chance, ["==", "!=", "||", "&&"])} (${inner()})`;
    case 3:
      return `(${inner()})`;
    case 4:
      return `(${pick(chance, ["b", inner()])}) ? (${inner()}) : ${inner()}`;
    case 5:
      return `[${inner()}, ${inner()}]`;
    case 6:
      return `{${pick(chance, ["s", "'j'", inner()])}: ${inner()}, 'k': ${inner()}}`;
    case 7:
    case 8:
      return `${pick(chance, ["a", "m", "o", "cycle", "a.a", pick(chance, NAMES)])}.${field()}`;
    case 9:
      return `${pick(chance, ["l", "list", pick(chance, NAMES)])}[${pick(chance, ["0", "1", "4", inner()])}]`;
    case 10:
      return `${pick(chance, FUNCTIONS)}(${pick(chance, ["s", "l", inner()])})`;
    case 11:
      return `(${pick(chance, ["s", inner()])}).${pick(chance, METHODS)}(${pick(chance, ["'t'", "s", inner()])})`;
    case 12:
      return `has(${pick(chance, ["a", "m", "o", "z", "cycle"])}.${field()})`;
    default:
      return pick(chance, ["!b", "-n", `!(${inner()})`, `-(${inner()})`]);
  }
}

/** Anything: well-formed, bent, a heap of tokens, or characters. */
export function createHostileSource(chance: Chance): string {
  switch (upTo(chance, 8)) {
    case 0:
    case 1:
    case 2:
      return createSource(chance, upTo(chance, 5));
    case 3:
    case 4:
      return bend(chance, createSource(chance, 3));
    case 5:
      return heap(chance, 1 + upTo(chance, 40));
    case 6:
      return pick(chance, NOISE).repeat(upTo(chance, 3_000));
    default:
      return String.fromCharCode(
        ...Array.from({ length: upTo(chance, 60) }, () => upTo(chance, chance() < 0.8 ? 128 : 65_536)),
      );
  }
}

function bend(chance: Chance, source: string): string {
  let bent = source;
  for (let count = 1 + upTo(chance, 4); count > 0; count--) {
    const at = upTo(chance, bent.length + 1);
    const until = at + upTo(chance, 4);
    const middle = pick(chance, [pick(chance, NOISE), "", bent.slice(at, until).repeat(3), pick(chance, HOSTILE)]);
    bent = bent.slice(0, at) + middle + bent.slice(until);
  }
  return bent;
}

function heap(chance: Chance, length: number): string {
  const token = (): string =>
    pick(chance, [
      pick(chance, NAMES),
      pick(chance, LITERALS),
      pick(chance, OPERATORS),
      pick(chance, NOISE),
      pick(chance, FIELDS),
    ]);
  return Array.from({ length }, token).join(chance() < 0.5 ? " " : "");
}

/** Data as an attacker would like it: functions, hostile keys and methods, cycles, depth, size. */
export function createHostileScope(onCall: () => void): Record<string, unknown> {
  const f = (): never => {
    onCall();
    throw new Error("called");
  };
  const cycle: Record<string, unknown> = { n: 1 };
  cycle["a"] = cycle;
  const list: unknown[] = Object.assign([1, "a", null, cycle], { map: f, some: f, concat: f });
  list.push(list);
  return {
    a: { a: { a: 1, b: "x" }, b: [1, 2, 3], n: 2.5, "x y": null },
    b: true,
    n: 3,
    s: "text",
    l: [0, 1, 2, "a", [1], {}, null],
    m: JSON.parse('{"__proto__": {"a": 1}, "constructor": {"prototype": {"b": 2}}, "a": 1}') as unknown,
    o: { n: NaN, a: undefined, b: Infinity, x: 1n },
    z: null,
    f,
    g: { a: f, b: Date, toString: f, n: Symbol("n") },
    evil: { toString: f, valueOf: f, toJSON: f, length: 1, size: f, [Symbol.toPrimitive]: f, [Symbol.iterator]: f },
    deep: JSON.parse(`${'{"a":['.repeat(2_000)}${"]}".repeat(2_000)}`) as unknown,
    big: "a".repeat(600_000),
    list,
    cycle,
  };
}
