import { MAX_BLOB } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";
import { RuntimeError } from "../core/errors.ts";
import type { BlobRef } from "../core/plugin.ts";
import type { Journal } from "../core/ports.ts";
import { rootOf } from "../core/workflows/execution.ts";

/** Bytes belong to the outermost run of a task, or to the task itself; an agent reaches no others. */
export function ownerOf(engine: Engine, id: string): string {
  const task = engine.state.tasks.tasks.get(id);
  return task?.parent ? rootOf(task.parent.execution) : id;
}

/** Stores bytes for their owner. @throws RuntimeError `runtime/limit`, `journal/quota` */
export async function writeBlob(journal: Pick<Journal, "blobs">, owner: string, bytes: Uint8Array): Promise<BlobRef> {
  if (bytes.byteLength > MAX_BLOB)
    throw new RuntimeError("runtime/limit", { bytes: bytes.byteLength, limit: MAX_BLOB });
  const blob = await blobIdOf(owner, bytes);
  await journal.blobs.put(blob, owner, bytes);
  return { blob, size: bytes.byteLength };
}

/**
 * The id of bytes: their owner and their SHA-256, so that the same bytes written twice are stored once. Where
 * WebCrypto is missing (a page that is neither https nor localhost) the id is random instead.
 */
async function blobIdOf(owner: string, bytes: Uint8Array): Promise<string> {
  const subtle = (crypto as Partial<Crypto>).subtle;
  const digest = subtle
    ? new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>))
    : crypto.getRandomValues(new Uint8Array(32));
  return `${owner}:${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
