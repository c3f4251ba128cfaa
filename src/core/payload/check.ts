import { RuntimeError } from "../errors.ts";
import { checkJson, MAX_SPILLED, type JsonText } from "../json.ts";
import type { BlobRef } from "../plugin/definition.ts";
import { isSpilled, referTo } from "./reference.ts";

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
