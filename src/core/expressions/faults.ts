/** How an expression says what is wrong with it: a code, a place, and a sentence for people. */
import { RuntimeError } from "../errors.ts";

/** A stretch of the source, in UTF-16 units. */
export interface Span {
  readonly at: number;
  readonly end: number;
}

/**
 * Why an evaluation failed. `missing`: no such name, field or index. `type`: values that the operation doesn't take.
 * `range`: no finite number. `name`: a forbidden key, or one given twice. `scope`: a getter of the scope threw.
 */
export type FailureReason = "missing" | "type" | "range" | "name" | "scope";

/** Whatever knows its source. */
export interface Sourced {
  readonly source: string;
}

const MAX_QUOTE = 200; // a detail must stay small enough to cross workers

/** The expression can't be read. */
export function invalid({ source }: Sourced, at: number, sentence: string): RuntimeError {
  const line = source.slice(0, at).split("\n").length;
  const column = at - source.lastIndexOf("\n", at - 1);
  const message = `${sentence} (line ${line}, column ${column})`;
  return new RuntimeError("expression/invalid", { source: clip(source), at, line, column }, { message });
}

/** The expression can't be evaluated over these values. */
export function failed(
  { source }: Sourced,
  { at, end }: Span,
  reason: FailureReason,
  sentence: string,
  cause?: unknown,
): RuntimeError {
  const path = clip(source.slice(at, end));
  const detail = { source: clip(source), at, path, reason };
  return new RuntimeError("expression/failed", detail, { cause, message: `${path}: ${sentence}` });
}

/** Shortens a text for a message. */
export function clip(text: string): string {
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
}
