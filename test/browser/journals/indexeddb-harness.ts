/** The conformance suite's harness over the browser's own IndexedDB, with faults at the level of its API. */
import { openDB, type IDBPDatabase } from "idb";
import {
  createIndexedDbJournal,
  type Damage,
  type IndexedDbJournalOptions,
} from "../../../src/plugins/journals/index.ts";
import type { ConformanceOptions, JournalHarness } from "../../../src/testing.ts";
import { flip, limitSpace, loseNextReply, type Space } from "./indexeddb-faults.ts";

/** What the API can't be made to do, with the reason. */
export const cannot: NonNullable<ConformanceOptions["cannot"]> = {
  interruptCompact: "a compaction is one transaction",
};

/** The harness, and what tests of this adapter alone need. */
export interface IndexedDbHarness extends JournalHarness {
  /** Of the database. */
  readonly name: string;
  /** A connection past the journal. */
  raw(): Promise<IDBPDatabase>;
  /** So many bytes fit from now on. */
  limit(bytes: number): Space;
  /** The connections that journals opened and did not close. */
  readonly connections: ReadonlySet<IDBDatabase>;
}

let count = 0;

/** Makes a harness over a database that nobody else uses. */
export function openHarness(options: Partial<IndexedDbJournalOptions> = {}): IndexedDbHarness {
  const journalName = `test-${Date.now().toString(36)}-${count++}`;
  const name = `troupe:${journalName}`;
  const connections = new Set<IDBDatabase>();
  const undo: (() => void)[] = [];
  let version: number | undefined;
  let quiet = false;
  const factory: Pick<IDBFactory, "open"> = {
    open: (asked, wanted) => {
      const request = indexedDB.open(asked, version ?? wanted);
      request.addEventListener("success", () => connections.add(request.result));
      return request;
    },
  };
  const raw = (): Promise<IDBPDatabase> => openDB(name);
  const wipe = async (): Promise<void> => {
    const db = await raw();
    const tx = db.transaction([...db.objectStoreNames], "readwrite");
    await Promise.all([...db.objectStoreNames].map((table) => tx.objectStore(table).clear()));
    await tx.done;
    db.close();
  };
  const drop = (withEvent: boolean): void => {
    for (const connection of connections) {
      connection.close();
      if (withEvent) connection.onclose?.(new Event("close"));
    }
    connections.clear();
  };
  let space: Space | undefined;
  return {
    name,
    raw,
    connections,
    limit: (bytes) => {
      space = limitSpace(bytes);
      undo.push(space.end);
      return space;
    },
    journal: () =>
      createIndexedDbJournal({ blockedAfter: 300, ...options, name: journalName, factory: factory as IDBFactory }),
    corrupt: async (damage) => {
      const db = await raw();
      await spoil(db, damage);
      db.close();
    },
    full: (on) => {
      space?.end();
      space = on ? limitSpace(0) : undefined;
      if (space) undo.push(space.end);
      return Promise.resolve();
    },
    clear: async () => {
      await wipe();
      drop(true);
    },
    wipe,
    disconnect: () => {
      drop(quiet);
      quiet = !quiet; // every other time without the event, as browsers do
      return Promise.resolve();
    },
    loseReply: () => {
      undo.push(loseNextReply("batches"));
      return Promise.resolve();
    },
    block: async () => {
      const holder = await openDB(name, 1);
      version = 2;
      return () => {
        holder.close();
        return Promise.resolve();
      };
    },
    upgrade: async () => {
      (await openDB(name, 9)).close();
    },
    close: async () => {
      for (const end of undo) end();
      for (const connection of connections) connection.close();
      await new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(name);
        request.onsuccess = resolve;
        request.onerror = () => reject(request.error ?? new Error(`${name} can't be deleted`));
      });
    },
  };
}

async function spoil(db: IDBPDatabase, damage: Damage): Promise<void> {
  const at = <T>(list: readonly T[], index: number): T => {
    const item = list.at(index);
    if (item === undefined) throw new Error(`nothing to damage for ${damage}`);
    return item;
  };
  const flipIn = async (table: string, key: IDBValidKey): Promise<void> => {
    const value = (await db.get(table, key)) as { readonly text: string };
    await db.put(table, { ...value, text: flip(value.text) }, key);
  };
  const keys = await db.getAllKeys("batches");
  const middle = at(keys, keys.length >> 1);
  switch (damage) {
    case "batch-text":
      return flipIn("batches", middle);
    case "batch-torn":
      await db.put("batches", { from: middle, to: middle, text: "[" }, middle);
      return;
    case "batch-missing":
      return db.delete("batches", middle);
    case "batch-foreign": {
      const batch = (await db.get("batches", middle)) as object;
      await db.put("batches", { ...batch, sum: "0".repeat(32) }, middle);
      return;
    }
    case "last-missing":
      return db.delete("batches", at(keys, -1));
    case "head":
      return flipIn("meta", at(await db.getAllKeys("meta"), 0));
    case "snapshot":
      return flipIn("snapshots", at(await db.getAllKeys("snapshots"), -1));
    case "archive":
      return flipIn("archive", at(await db.getAllKeys("archive"), 0));
    case "blob": {
      const key = at(await db.getAllKeys("chunks"), 0);
      const chunk = (await db.get("chunks", key)) as { readonly bytes: Uint8Array };
      chunk.bytes[0] = 255 - (chunk.bytes[0] ?? 0);
      await db.put("chunks", chunk, key);
    }
  }
}
