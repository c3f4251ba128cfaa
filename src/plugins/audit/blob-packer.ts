/** Gathers many files into few blobs: a blob each would cost a write, and a record, for every file. */
import type { AgentContext, BlobRef } from "../../core/plugin.ts";

/** The size of a blob of several files. A larger file has one of its own. */
const PACK = 1024 * 1024;

/** Where the bytes of a file will be found, once `finish` has come back. */
export interface Packed {
  ref(): BlobRef;
}

export interface BlobPacker {
  add(bytes: Uint8Array): Promise<Packed>;
  /** Writes what is left. */
  finish(): Promise<void>;
}

/** Holds at most one blob in memory; a file lies in one blob as a whole. */
export function createBlobPacker({ blobs }: Pick<AgentContext, "blobs">): BlobPacker {
  let buffer = new Uint8Array(PACK);
  let used = 0;
  let holder: { written?: BlobRef } = {};
  let waiting = false; // for a blob that is still to be written, be it for an empty file

  const flush = async (): Promise<void> => {
    const bytes = buffer.slice(0, used);
    const target = holder;
    used = 0;
    waiting = false;
    holder = {};
    target.written = await blobs.write(bytes);
  };

  const packedIn = (target: { written?: BlobRef }, offset: number, size: number): Packed => ({
    ref() {
      const { written } = target;
      if (!written) throw new TypeError("a packed file is asked for its place before it is written");
      return { blob: written.blob, offset: (written.offset ?? 0) + offset, size };
    },
  });

  return {
    async add(bytes) {
      if (bytes.length > PACK) return packedIn({ written: await blobs.write(bytes) }, 0, bytes.length);
      if (used + bytes.length > PACK) await flush();
      const packed = packedIn(holder, used, bytes.length);
      buffer.set(bytes, used);
      waiting = true;
      used += bytes.length;
      return packed;
    },
    async finish() {
      if (waiting) await flush();
      buffer = new Uint8Array(0);
    },
  };
}
