/**
 * Payloads that are too long for a record are blobs beside the journal. In their place a text has a reference, between
 * two characters that no JSON text can contain, be it in a string or outside. So a reference is found without reading,
 * no value can look like one, and it may stand where any value does: a map's output can be `[1,␚{"blob":…}␚,3]`.
 */
import type { JsonText } from "../json.ts";
import type { BlobRef } from "../plugin/definition.ts";

/** An input, an output or a checkpoint with a longer text, in UTF-16 units, becomes a blob. */
export const MAX_INLINE = 262_144;

/** Stands before and behind a reference. */
export const MARK = "\u001a"; // SUBSTITUTE

/** True when the text, or a part of it, is to be found in blobs. */
export const isSpilled = (text: JsonText): boolean => text.includes(MARK);

/** What a text has in the place of a payload that is in this blob. */
export const referTo = ({ blob, size }: BlobRef): JsonText => MARK + JSON.stringify({ blob, size }) + MARK;

/** The references in a text. */
export function refsOf(text: JsonText): BlobRef[] {
  const parts = text.split(MARK).filter((_, place) => place % 2 === 1);
  return parts.map((part) => JSON.parse(part) as BlobRef); // made by `referTo`
}

/** The bytes that a payload's text stands for, about. */
export const sizeOf = (text: JsonText): number => refsOf(text).reduce((sum, { size }) => sum + size, text.length);
