/**
 * Payloads that are too long for a record are blobs beside the journal. In their place a text has a reference, between
 * two characters that no JSON text can contain, be it in a string or outside. So a reference is found without reading,
 * no value can look like one, and it may stand where any value does: a map's output can be `[1,␚{"blob":…}␚,3]`.
 */
import { RuntimeError } from "./errors.ts";
import { checkJson, MAX_SPILLED, type JsonText } from "./json.ts";
import type { BlobRef } from "./plugin/definition.ts";

/** An input, an output or a checkpoint with a longer text, in UTF-16 units, becomes a blob. */
export const MAX_INLINE = 262_144;

const MARK = "\u001a"; // SUBSTITUTE

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

/**
 * The text with all that it refers to.
 * @throws RuntimeError `payload/too-large` before anything is read that would be too much.
 */
export async function unspill(text: JsonText, read: (ref: BlobRef) => Promise<JsonText>): Promise<JsonText> {
  const parts = text.split(MARK);
  let size = 0;
  for (let at = 1; at < parts.length; at += 2) {
    const ref = JSON.parse(parts[at] as string) as BlobRef; // made by `referTo`
    size += ref.size;
    if (size > MAX_SPILLED) throw new RuntimeError("payload/too-large", { size });
    const piece = await read(ref);
    if (parts[0]) JSON.parse(piece); // what isn't JSON could pass for its neighbours, too
    parts[at] = piece;
  }
  return parts.join("");
}

/**
 * Checks a text that came from a page: JSON in bounds, or one reference to a blob of the owner.
 * @throws RuntimeError `json/invalid`, `json/too-large`, `json/too-deep`
 */
export function checkPayload(text: string, owner: string, what: string): JsonText {
  if (!isSpilled(text)) return checkJson(text, what);
  if (!isReference(text, owner)) throw new RuntimeError("json/invalid", { what, reason: `no blob of ${owner}` });
  return text;
}

function isReference(text: string, owner: string): boolean {
  try {
    const ref = JSON.parse(text.slice(1, -1)) as BlobRef; // checked below
    const isSized = Number.isSafeInteger(ref.size) && ref.size >= 0 && ref.size <= MAX_SPILLED;
    return isSized && ref.blob.startsWith(`${owner}:`) && referTo(ref) === text;
  } catch {
    return false;
  }
}
