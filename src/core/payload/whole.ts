import { RuntimeError } from "../errors.ts";
import { MAX_SPILLED, type JsonText } from "../json.ts";
import type { BlobRef } from "../plugin/definition.ts";
import { MARK } from "./reference.ts";

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
