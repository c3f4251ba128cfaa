/** Bytes beside the journal, in chunks: a slice costs the chunks that it touches. */
import { RuntimeError } from "../../../core/errors.ts";
import type { BlobStore } from "../../../core/ports.ts";
import { checkRange, damagedBlob, sumOfBytes } from "../records.ts";
import { send } from "./connection.ts";
import type { Owner } from "./owner.ts";

/** A slice of 10 kB costs 1 ms; with chunks of 256 KiB 5 ms, of 1 MiB 14 ms. Writing costs the same. */
const CHUNK = 32 * 1_024;

interface BlobRecord {
  readonly owner: string;
  readonly size: number;
}

/** Makes the blob store of an owner. */
export function createBlobs(owner: Owner): BlobStore {
  return {
    put: async (id, holder, bytes) => {
      const own = bytes.slice(); // the caller may change its bytes while we wait for our turn
      await owner.write(["blobs", "chunks"], async ({ tx }) => {
        if ((await tx.objectStore("blobs").getKey(id)) !== undefined) return; // the first bytes stay
        const record: BlobRecord = { owner: holder, size: own.byteLength };
        send(tx.objectStore("blobs").put(record, id));
        for (let at = 0; at < own.byteLength; at += CHUNK) {
          const chunk = own.slice(at, at + CHUNK);
          send(tx.objectStore("chunks").put({ bytes: chunk, sum: sumOfBytes(chunk) }, [id, at]));
        }
      });
    },
    get: (id, offset, size) =>
      owner.read(["blobs", "chunks"], async (tx) => {
        const record: unknown = await tx.objectStore("blobs").get(id);
        if (record === undefined) throw new RuntimeError("blob/unknown", { id });
        if (!isBlobRecord(record)) throw damagedBlob(id);
        checkRange(id, offset, size, record.size);
        const result = new Uint8Array(size);
        if (size === 0) return result;
        const begin = offset - (offset % CHUNK);
        const range = IDBKeyRange.bound([id, begin], [id, offset + size], false, true);
        const chunks = await tx.objectStore("chunks").getAll(range);
        let end = begin;
        for (const value of chunks) {
          const bytes = bytesOf(value, id);
          const from = Math.max(offset - end, 0);
          result.set(bytes.subarray(from, offset + size - end), Math.max(end - offset, 0));
          end += bytes.byteLength;
        }
        if (end < offset + size) throw damagedBlob(id);
        return result;
      }),
    owners: () =>
      owner.read(["blobs"], async (tx) => {
        const owners: string[] = [];
        let cursor = await tx.objectStore("blobs").index("owner").openKeyCursor(null, "nextunique");
        for (; cursor; cursor = await cursor.continue()) owners.push(cursor.key);
        return owners;
      }),
    release: async (holder) => {
      await owner.write(["blobs", "chunks"], async ({ tx }) => {
        for (const id of await tx.objectStore("blobs").index("owner").getAllKeys(holder)) {
          send(tx.objectStore("blobs").delete(id));
          send(tx.objectStore("chunks").delete(IDBKeyRange.bound([id], [id, []])));
        }
      });
    },
  };
}

function isBlobRecord(value: unknown): value is BlobRecord {
  if (typeof value !== "object" || value === null) return false;
  const { owner, size } = value as Readonly<Record<keyof BlobRecord, unknown>>;
  return typeof owner === "string" && Number.isSafeInteger(size);
}

function bytesOf(value: unknown, id: string): Uint8Array {
  if (typeof value !== "object" || value === null) throw damagedBlob(id);
  const { bytes, sum } = value as Readonly<Record<"bytes" | "sum", unknown>>;
  if (!(bytes instanceof Uint8Array) || sumOfBytes(bytes) !== sum) throw damagedBlob(id);
  return bytes;
}
