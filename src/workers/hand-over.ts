/** What an attempt is given: texts that are in blobs are read first, and go as bytes that are handed over. */
import type { HostFrame } from "../core/agents/protocol.ts";
import type { JsonText } from "../core/json.ts";
import { isSpilled } from "../core/payload/reference.ts";
import { unspill } from "../core/payload/whole.ts";
import type { BlobRef } from "../core/plugin/definition.ts";
import type { Journal } from "../core/ports.ts";

export type Run = Extract<HostFrame, { kind: "run" }>;
/** Its texts are those of the record. */
export type Recorded = Run & { readonly input: JsonText; readonly checkpoint: JsonText | undefined };

export function isWhole({ input, checkpoint = "" }: Recorded): boolean {
  return !isSpilled(input) && !isSpilled(checkpoint);
}

/** @throws RuntimeError `blob/unknown`, `payload/too-large` and what the journal throws */
export async function readWhole({ blobs }: Pick<Journal, "blobs">, run: Recorded): Promise<Run> {
  const read = async ({ blob, size }: BlobRef): Promise<JsonText> =>
    new TextDecoder().decode(await blobs.get(blob, 0, size));
  const whole = async (text: JsonText): Promise<JsonText | Uint8Array> =>
    isSpilled(text) ? new TextEncoder().encode(await unspill(text, read)) : text;
  const { input, checkpoint } = run;
  return { ...run, input: await whole(input), checkpoint: checkpoint && (await whole(checkpoint)) };
}
