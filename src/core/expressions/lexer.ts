/** Cuts the source of an expression into tokens. */
import type { Literal } from "./ast.ts";
import { clip, invalid, type Sourced, type Span } from "./faults.ts";

/** One word of the source. A symbol has its `text` only; at the end that is empty. */
export interface Token extends Span {
  readonly text: string;
  /** What it means, when it is a literal. */
  readonly literal: Literal | undefined;
  /** The name, when it is one. */
  readonly name: string | undefined;
}

// Fixed and linear: users give no patterns.
const BLANK = /(?:[\t\n\f\r ]|\/\/[^\n]*)*/y;
const TOKEN = new RegExp(
  [
    /(?<number>(?:0[xX][\da-fA-F]+|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)(?!\w))/,
    /[rR](?<edge>"""|'''|"|')(?<raw>[^]*?)\k<edge>/,
    /(?<quote>"""|'''|"|')(?<body>(?:\\[^]|(?!\k<quote>)[^\\])*)\k<quote>/,
    /(?<word>[A-Za-z_]\w*)/,
    /\|\||&&|[<>=!]=|[-!*/%+<>?:.,()[\]{}]|$/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "y",
);
const ESCAPE = /\\(?:[xX][\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-3][0-7]{2}|[^])/g;

const WORDS: ReadonlyMap<string, Literal | undefined> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
  ["in", undefined],
]);

/**
 * Reads the token that begins at or behind a place.
 * @throws RuntimeError `expression/invalid`.
 */
export function readToken(cursor: Sourced, from: number): Token {
  const at = from + (match(BLANK, cursor, from)?.[0].length ?? 0);
  const found = match(TOKEN, cursor, at);
  if (!found) throw invalid(cursor, at, `${clip(cursor.source.slice(at, at + 20))} can't be read`);
  const [text] = found;
  const { number, edge, raw, quote, body, word } = found.groups ?? {};
  if ((edge ?? quote)?.length === 1 && /[\r\n]/.test(text))
    throw invalid(cursor, at, "a string can't hold a line break");
  const token = { text, at, end: at + text.length, literal: undefined, name: undefined };
  if (number !== undefined) return { ...token, literal: toNumber(cursor, at, number) };
  if (body !== undefined) return { ...token, literal: decode(cursor, at, body) };
  if (word !== undefined && !WORDS.has(word)) return { ...token, name: word };
  return { ...token, literal: raw ?? WORDS.get(text) };
}

function toNumber(cursor: Sourced, at: number, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) || (/[.eE]/.test(text) && Number.isFinite(value))) return value;
  throw invalid(cursor, at, `${clip(text)} is more than a number can hold`);
}

function decode(cursor: Sourced, at: number, body: string): string {
  return body.replace(ESCAPE, (text) => {
    const sign = "abfnrtv\\?\"'`".indexOf(text.slice(1));
    if (sign >= 0) return "\x07\b\f\n\r\t\v\\?\"'`".charAt(sign);
    const code = /\d/.test(text.charAt(1)) ? parseInt(text.slice(1), 8) : parseInt(text.slice(2), 16);
    if (text.length > 2 && code <= 0x10ffff && (code & 0x1ff800) !== 0xd800) return String.fromCodePoint(code);
    throw invalid(cursor, at, `${text} is no escape sequence`);
  });
}

function match(pattern: RegExp, { source }: Sourced, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}
