/** What an attempt is given: texts that are in blobs are read first, and go as bytes that are handed over. */
import type { HostFrame } from "../core/agents/protocol.ts";
import type { JsonText } from "../core/json.ts";
import { isSpilled } from "../core/payload/reference.ts";
import { unspill } from "../core/payload/whole.ts";
import type { BlobRef } from "../core/plugin/definition.ts";
import type { Journal } from "../core/ports.ts";
import type { Secrets } from "./secrets.ts";

export type Run = Extract<HostFrame, { kind: "run" }>;
/** Its texts are those of the record. */
export type Recorded = Run & { readonly input: JsonText; readonly checkpoint: JsonText | undefined };

export function isWhole({ input, checkpoint = "" }: Recorded): boolean {
  return !isSpilled(input) && !isSpilled(checkpoint);
}

/**
 * With the values of its secrets, if it has any.
 * @throws RuntimeError `blob/unknown`, `payload/too-large`, `secret/…` and what the journal throws
 */
export async function readWhole(
  { blobs }: Pick<Journal, "blobs">,
  { link, isSecret }: Terms,
  run: Recorded,
  secrets: Pick<Secrets, "fill">,
): Promise<Run> {
  const read = async ({ blob, size }: BlobRef): Promise<JsonText> =>
    new TextDecoder().decode(await blobs.get(blob, 0, size));
  const whole = async (text: JsonText): Promise<JsonText> => (isSpilled(text) ? unspill(text, read) : text);
  const { input, checkpoint } = run;
  const text = await whole(input);
  const filled = isSecret ? await secrets.fill(run.task, link, text) : text;
  return {
    ...run,
    input: handed(filled, input),
    checkpoint: checkpoint && handed(await whole(checkpoint), checkpoint),
  };
}

export interface Terms {
  readonly link: string;
  /** It is given secrets. */
  readonly isSecret: boolean;
}

/** What was long goes as bytes. */
function handed(text: JsonText, recorded: JsonText): JsonText | Uint8Array {
  return isSpilled(recorded) ? new TextEncoder().encode(text) : text;
}
