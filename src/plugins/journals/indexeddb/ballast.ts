/**
 * Bytes that are kept only to be thrown away: at a full quota not even a small record fits, and what is deleted
 * in the same transaction doesn't count. So the ballast goes in a transaction of its own, the verb that met the
 * quota fails, and the next one has room.
 */
import { RuntimeError } from "../../../core/errors.ts";
import { send } from "./connection.ts";
import type { ReadTx } from "./database.ts";
import type { Owner } from "./owner.ts";

/** The reserve of an owner. */
export interface Ballast {
  /** Learns whether there is one; in the transaction that opens the journal. */
  load(tx: ReadTx): Promise<void>;
  /** Makes one where an earlier owner left none that is worth it: it may have been spent. */
  prepare(): Promise<void>;
  /** Runs a verb that writes; when there is no space, makes some and passes the error on. */
  guard<T>(verb: () => Promise<T>): Promise<T>;
  /** Whether it was spent and can't be made again; looks again, for who asks next. */
  spent(): boolean;
  /** Waits for the writing of ballast that runs. */
  settled(): Promise<void>;
}

/** Origins that wrote less than this part of the ballast don't get one. */
const WORTH = 1 / 16;

/** Between two tries, in milliseconds. */
const PAUSE = 1_000;

/** Makes a reserve of so many bytes; none with 0. */
export function createBallast(owner: Owner, size: number): Ballast {
  let present = false;
  let writing: Promise<void> | undefined;
  let triedAt = 0;
  let isSpent = false;

  async function spend(): Promise<void> {
    isSpent = true;
    await owner.clear("ballast");
    present = false;
  }
  /** Puts it twice and drops one, at once: it comes back only when there is room beside it, or it would be spent again. */
  async function restore(): Promise<void> {
    await checkRoom(2 * size);
    const bytes = noise(size);
    await owner.write(["ballast"], ({ tx }) => {
      const table = tx.objectStore("ballast");
      for (const key of [0, 1]) send(table.put(bytes, key));
      send(table.delete(1));
    });
    present = true;
    isSpent = false;
  }
  function consider(): Promise<void> | undefined {
    if (size === 0 || present || writing || owner.known().written < size * WORTH) return writing;
    if (Date.now() - triedAt < PAUSE) return undefined;
    triedAt = Date.now();
    return (writing = restore()
      .catch((error: unknown) => void (isSpent ||= isFull(error)))
      .finally(() => (writing = undefined)));
  }
  return {
    load: async (tx) => {
      present = (await tx.objectStore("ballast").count()) > 0;
    },
    guard: async (verb) => {
      try {
        const result = await verb();
        void consider();
        return result;
      } catch (error) {
        if (isFull(error)) await spend().catch(() => undefined);
        throw error;
      }
    },
    prepare: async () => consider(),
    spent() {
      if (isSpent) void consider();
      return isSpent;
    },
    settled: async () => writing,
  };
}

/** Tells whether a verb failed for want of space. */
export function isFull(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === "journal/quota";
}

/** A try that fails isn't free: Firefox takes back only some time later what was written of it. */
async function checkRoom(bytes: number): Promise<void> {
  const { storage } = navigator as { readonly storage?: StorageManager }; // not everywhere
  const { usage = 0, quota = Infinity } = (await storage?.estimate()) ?? {};
  if (quota - usage < bytes) throw new RuntimeError("journal/quota", { reason: "no space left" });
}

/** Bytes that no compression makes smaller. */
function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536)); // its limit
  return bytes;
}
