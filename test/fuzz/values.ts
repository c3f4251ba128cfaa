/** Values that nobody would send: what a post can bring, what only a program can hand over, and hostile texts. */
import type { Tape } from "./tape.ts";

/** Texts that have broken programs before. */
export const TEXTS: readonly string[] = [
  "",
  "a",
  " ",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "0",
  "-1",
  "NaN",
  "null",
  "undefined",
  "[object Object]",
  "\u0000",
  "\u001a",
  '\u001a{"blob":"a:b","size":1}\u001a',
  '\u001a{"blob":"t1:x","size":5}\u001a',
  "\ud800",
  "\udc00a",
  "\u202eabc",
  "\u2028\u2029",
  "\ufeff",
  "😀",
  "é",
  "e\u0301",
  "İ",
  "../..",
  "/",
  "a/b",
  "a#1",
  "a@1.0.0",
  "a b",
  "a:b",
  "${a}",
  "{{input}}",
  "<b>",
  "'",
  '"',
  "\\",
  "%00",
  "\n",
  "{}",
  "[]",
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  "[1,2,3]",
  "1e400",
  "-0",
  '"\\ud800"',
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(200),
  "x".repeat(201),
  "x".repeat(451),
  "x".repeat(4_097),
];

export const NUMBERS: readonly number[] = [
  0,
  1,
  -1,
  -0,
  0.5,
  1.5,
  2,
  3,
  100,
  1_000,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  8.64e15,
  8.64e15 + 1,
  1e21,
  1e308,
  -1e308,
  5e-324,
  NaN,
  Infinity,
  -Infinity,
];

const KEYS = [
  "a",
  "b",
  "id",
  "type",
  "data",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "toJSON",
  "then",
  "0",
];

/** Gives an object the key as its own, also `__proto__`; what can't be changed stays as it is. */
export function withKey(holder: object, key: string, value: unknown): void {
  Reflect.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

/** A text: one of those, one that is cut of them, or characters. */
export function drawText(tape: Tape): string {
  switch (tape.below(6)) {
    case 0:
    case 1:
    case 2:
      return tape.pick(TEXTS);
    case 3:
      return tape.pick(TEXTS) + tape.pick(TEXTS);
    case 4:
      return String.fromCharCode(
        ...Array.from({ length: tape.below(12) }, () => tape.below(tape.once(4) ? 65_536 : 128)),
      );
    default:
      return tape.pick(["a", "[", "{", '"', "\\", "\ud800", "ab ", "1.", "x@"]).repeat(tape.below(5_000));
  }
}

export function drawNumber(tape: Tape): number {
  return tape.once(2) ? tape.below(1_000) : tape.pick(NUMBERS);
}

/** A value that JSON can hold, with hostile keys. */
export function drawJson(tape: Tape, depth = 3): unknown {
  const kind = tape.below(depth > 0 ? 7 : 5);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return tape.once(2);
    case 2: {
      const number = drawNumber(tape);
      return Number.isFinite(number) ? number + 0 : 7;
    }
    case 3:
    case 4:
      return tape.pick(TEXTS);
    case 5:
      return Array.from({ length: tape.below(4) }, () => drawJson(tape, depth - 1));
    default: {
      const holder = {};
      for (let left = tape.below(4); left > 0; left--) withKey(holder, tape.pick(KEYS), drawJson(tape, depth - 1));
      return holder;
    }
  }
}

/** JSON text; now and then none, or one that is cut or bent. */
export function drawJsonText(tape: Tape): string {
  const text = JSON.stringify(drawJson(tape));
  switch (tape.below(8)) {
    case 7:
      return drawText(tape);
    case 6:
      return text.slice(0, tape.below(text.length + 1));
    case 5: {
      const at = tape.below(text.length + 1);
      return text.slice(0, at) + tape.pick(["\u001a", ",", "]", "}", "\\", '"', "1", "\ud800"]) + text.slice(at);
    }
    case 4: {
      const depth = 1 + tape.below(70);
      return "[".repeat(depth) + text + "]".repeat(depth);
    }
    default:
      return text;
  }
}

function deep(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

const SELF_KEYS = ["self", "a", "data", "error"] as const;

/**
 * Something that a port can bring, however odd. Unless it is `tame`, also objects that hold each other twice over a
 * hundred levels: whoever writes these as JSON never comes to an end.
 */
export function drawPosted(tape: Tape, tame = false): unknown {
  switch (tape.below(18)) {
    case 0:
      return undefined;
    case 1:
      return null;
    case 2:
      return tape.pick(NUMBERS);
    case 3:
    case 4:
      return drawText(tape);
    case 5:
    case 6:
      return drawJson(tape);
    case 7:
      return tape.pick([0n, 1n, 2n ** 64n, -1n]);
    case 8:
      return new Date(tape.pick([0, 1e12, NaN]));
    case 9:
      return tape.pick([
        new Map<unknown, unknown>([["id", 1]]),
        new Set(["a"]),
        /a+/u,
        new Error("a"),
        new ArrayBuffer(3),
      ]);
    case 10:
      return new Uint8Array(tape.below(20)).fill(tape.below(256));
    case 11:
      return deep(1 + tape.below(tape.once(8) ? 3_000 : 100), (inner) => [inner]);
    case 12:
      return deep(1 + tape.below(tame ? 8 : tape.once(8) ? 3_000 : 100), (inner) => ({ a: inner, cause: inner }));
    case 13: {
      const cycle: Record<string, unknown> = {};
      cycle[tape.pick(SELF_KEYS)] = cycle;
      return cycle;
    }
    case 14:
      return new Array(tape.pick([0, 3, 10_001])); // with nothing in it
    case 15:
      return Object.assign([1, 2], { extra: 1, id: "a" });
    case 16:
      return "x".repeat(tape.pick([4_096, 70_000, 300_000]));
    default:
      return tape.pick([
        true,
        false,
        NaN,
        Object.create(null) as object,
        Object("boxed") as object,
        Object(1) as object,
      ]);
  }
}

/** Something that only a program can hand over, which no port would bring. */
export function drawForeign(tape: Tape, tame = false): unknown {
  const boom = (): never => {
    throw new Error("trap");
  };
  switch (tape.below(12)) {
    case 0:
      return () => 1;
    case 1:
      return Symbol("s");
    case 2:
      return Object.defineProperty({}, "a", { enumerable: true, get: boom });
    case 3:
      return new Proxy(
        {},
        { get: boom, has: boom, ownKeys: boom, getPrototypeOf: boom, getOwnPropertyDescriptor: boom },
      );
    case 4:
      return new Proxy([], { get: boom });
    case 5:
      return { toJSON: tape.pick([boom, () => undefined, () => () => 1, () => 1n, () => ({ __proto__: null })]) };
    case 6:
      return { toString: boom, valueOf: boom, [Symbol.toPrimitive]: boom, [Symbol.iterator]: boom };
    case 7:
      return Object.assign(new Error("a"), { message: boom, name: Symbol("n"), code: 1n, cause: {} });
    case 8: {
      const error = new Error("cycle");
      error.cause = error;
      return Object.assign(error, { code: "a/b", detail: { error }, stack: drawPosted(tape, tame) });
    }
    case 9:
      return Object.fromEntries(["name", "message", "code", "detail"].map((key) => [key, drawPosted(tape, tame)]));
    case 10:
      return RegExp;
    default:
      return drawPosted(tape, tame);
  }
}

/** JSON of whatever it is, as far as it has some that isn't too long. */
export function textOf(value: unknown): string {
  let parts = 0;
  const plain = (_key: string, part: unknown): unknown => {
    parts += typeof part === "string" ? 1 + (part.length >> 6) : 1;
    if (parts > 20_000) throw new RangeError("too many");
    return typeof part === "bigint" ? Number(part) : part;
  };
  try {
    return JSON.stringify(value, plain) || "undefined";
  } catch {
    return "{}";
  }
}
