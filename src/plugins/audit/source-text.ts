/** A file's text with its lines: whatever encoding it came in, and without ever failing. */
import { utf16Of } from "./files.ts";
import { clip, MAX_EVIDENCE } from "./findings.ts";
import { platform } from "./platform.ts";

/** A range of the text, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A part of the text that must not be shown, and what is shown in its place. */
export interface Masked extends Span {
  readonly mask: string;
}

export interface SourceText {
  readonly text: string;
  readonly lineCount: number;
  /** The length of the longest line. */
  readonly longestLine: number;
  /** Where an offset is, counted from 1. */
  positionOf(offset: number): { readonly line: number; readonly column: number };
  /** The offset of a place; beyond the end it is the end. */
  offsetOf(line: number, column?: number): number;
  /** The line around a place, masked, trimmed, cut, and with odd characters spelled out. */
  excerpt(line: number, column?: number): string;
}

const LINE_BREAK = /\r\n|[\r\n\u2028\u2029]/gu; // as ECMAScript and ESLint count them

/** UTF-16 and UTF-8 by their marks, then UTF-8 if it is valid, else Windows-1252 (a superset of Latin-1). */
export function decodeSource(bytes: Uint8Array): string {
  const wide = utf16Of(bytes);
  if (wide !== undefined) return new platform.TextDecoder(wide).decode(bytes);
  try {
    return new platform.TextDecoder("utf-8", { fatal: true }).decode(bytes); // drops a byte order mark
  } catch {
    return new platform.TextDecoder("windows-1252").decode(bytes);
  }
}

/** `masked` parts appear in no excerpt, in order and without overlaps. */
export function createSourceText(text: string, masked: readonly Masked[] = []): SourceText {
  const starts = [0];
  for (const match of text.matchAll(LINE_BREAK)) starts.push(match.index + match[0].length);
  const startOf = (line: number): number => starts[Math.min(Math.max(line, 1), starts.length) - 1] ?? 0;
  const endOf = (line: number): number => (line < starts.length ? startOf(line + 1) : text.length);
  const lengths = starts.map((start, index) => (starts[index + 1] ?? text.length) - start);

  return {
    text,
    lineCount: starts.length,
    longestLine: lengths.reduce((longest, length) => Math.max(longest, length), 0),
    positionOf(offset) {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
    },
    offsetOf: (line, column = 1) => Math.min(startOf(line) + column - 1, endOf(line)),
    excerpt(line, column = 1) {
      const around = window(startOf(line), endOf(line), startOf(line) + column - 1);
      return clip(visible(maskedSlice(text, around, masked).trim()), MAX_EVIDENCE);
    },
  };
}

/** The whole line when it is short, else the part around the place; the same for the same text. */
function window(start: number, end: number, at: number): Span {
  const half = MAX_EVIDENCE / 2;
  if (end - start <= MAX_EVIDENCE) return { start, end };
  const from = Math.max(start, Math.min(at - half, end - MAX_EVIDENCE));
  return { start: from, end: Math.min(end, from + MAX_EVIDENCE) };
}

/** A part of the text in which whatever touches a masked span is its mask. */
function maskedSlice(text: string, { start, end }: Span, masked: readonly Masked[]): string {
  let out = "";
  let at = start;
  for (const span of masked) {
    if (span.end <= at || span.start >= end) continue;
    out += text.slice(at, Math.max(at, span.start)) + span.mask;
    at = span.end;
  }
  return at < end ? out + text.slice(at, end) : out;
}

const ODD = /[\p{Cc}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|\p{Cs}/gu;

/** Spells out control, invisible and direction-changing characters, so that a report shows what is there. */
export const visible = (text: string): string =>
  text.replace(ODD, (char) => (char === "\t" ? " " : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`));
