/** Payloads that are too long for a command: stored before the command names them, and read when somebody asks. */
import { RuntimeError } from "../core/errors.ts";
import { decodeJson, MAX_SPILLED, type JsonText } from "../core/json.ts";
import { referTo } from "../core/payload/reference.ts";
import { unspill } from "../core/payload/whole.ts";
import type { BlobRef } from "../core/plugin.ts";
import type { Connection } from "./connection.ts";

type Asker = Pick<Connection, "ask">;

/** Stores the text as a blob of the owner; resolves when it is durable, with the reference. @throws RuntimeError `json/too-large` */
export async function storeText({ ask }: Asker, owner: string, text: JsonText): Promise<JsonText> {
  const encode = (): Uint8Array => new TextEncoder().encode(text);
  let first: Uint8Array | undefined = encode();
  if (first.length > MAX_SPILLED) throw new RuntimeError("json/too-large", { size: first.length, limit: MAX_SPILLED });
  const ref = await ask(() => {
    const bytes = first ?? encode(); // anew for every further host: they are handed over
    first = undefined;
    return { type: "blob.write", owner, bytes };
  });
  return referTo(ref as BlobRef);
}

/** The value of a text, wherever parts of it are. @throws RuntimeError `payload/too-large`, `blob/unknown`, `json/invalid` */
export async function loadText({ ask }: Asker, text: JsonText, what: string): Promise<unknown> {
  const read = async ({ blob, size }: BlobRef): Promise<JsonText> =>
    new TextDecoder().decode((await ask({ type: "blob.read", blob, offset: 0, size })) as Uint8Array);
  return decodeJson(await unspill(text, read), what);
}
