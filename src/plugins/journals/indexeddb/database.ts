/** The database's tables, and how it is opened. */
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from "idb";
import { RuntimeError } from "../../../core/errors.ts";

/** Grows when tables are added. A table that exists never changes. */
const VERSION = 1;

/** Values are `unknown`: whatever comes out of storage is checked before it is used. */
export interface Tables extends DBSchema {
  /** One record: who owns the database, and where it ends. */
  meta: { key: string; value: unknown };
  /** One record a batch, by the number of its first event. */
  batches: { key: number; value: unknown };
  /** The newest two, by their number. */
  snapshots: { key: number; value: unknown };
  /** Rows of what finished, in pieces, newest first: kind, minus the batch's last number, minus the piece's first row. */
  archive: { key: [kind: number, seq: number, row: number]; value: unknown };
  /** Where each archived id lies: blocks of sorted runs, by run and last id. */
  index: { key: [run: number, last: string]; value: unknown };
  blobs: { key: string; value: unknown; indexes: { owner: string } };
  /** The bytes of blobs, by blob and position. */
  chunks: { key: [blob: string, at: number]; value: unknown };
  ballast: { key: number; value: unknown };
}

/** The name of a table. */
export type Table = StoreNames<Tables>;

/** A connection. */
export type Database = IDBPDatabase<Tables>;

/** A transaction that reads; it may write, too. */
export type ReadTx = IDBPTransaction<Tables, Table[], "readonly" | "readwrite">;

/** A transaction that writes. */
export type WriteTx = IDBPTransaction<Tables, Table[], "readwrite">;

/** How to open the database. */
export interface DatabaseOptions {
  readonly name: string;
  readonly factory: IDBFactory;
  /** False when the database has to exist: then a missing one is `runtime/storage-lost`, and none is made. */
  readonly create: boolean;
  /** Milliseconds to wait for tabs that hold an older version. */
  readonly blockedAfter: number;
  /** Milliseconds to wait for a browser that says nothing. */
  readonly patience: number;
}

/**
 * Opens the database, and makes or upgrades it when necessary.
 * @throws RuntimeError `journal/blocked`, `host/incompatible`, `runtime/storage-lost`, or the browser's own error.
 */
export function openDatabase({ name, factory, create, blockedAfter, patience }: DatabaseOptions): Promise<IDBDatabase> {
  const { promise, resolve, reject } = deferred<IDBDatabase>();
  const request = factory.open(name, VERSION);
  // A page behind a pending upgrade or deletion gets no event at all: hence a second, longer wait.
  let timer = setTimeout(giveUp, patience, "the browser does not answer");
  let abandoned = false;
  function giveUp(reason: string): void {
    abandoned = true;
    reject(new RuntimeError("journal/blocked", { name, reason }, { message: BLOCKED }));
  }
  request.onblocked = () => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, blockedAfter, "another tab holds an older version");
  };
  request.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion > 0 || create) upgrade(request.result);
    else request.transaction?.abort(); // leaves no empty database behind
  };
  request.onsuccess = () => {
    clearTimeout(timer);
    if (abandoned) request.result.close();
    else resolve(request.result);
  };
  request.onerror = () => {
    clearTimeout(timer);
    reject(errorOf(request.error, name, create));
  };
  return promise;
}

const BLOCKED =
  "journal/blocked: another tab of this site keeps the database open in an older version. Close the other tabs of this site, then try again.";

function errorOf(error: DOMException | null, name: string, create: boolean): unknown {
  if (error?.name === "VersionError") {
    const message = "host/incompatible: a newer version of this site made the database. Reload the page.";
    return new RuntimeError("host/incompatible", { name }, { cause: error, message });
  }
  if (error?.name === "AbortError" && !create) {
    return new RuntimeError("runtime/storage-lost", { name, reason: "the database is gone" }, { cause: error });
  }
  return error;
}

function upgrade(db: IDBDatabase): void {
  const table = (name: Table): IDBObjectStore | undefined =>
    db.objectStoreNames.contains(name) ? undefined : db.createObjectStore(name);
  for (const name of ["meta", "batches", "snapshots", "archive", "index", "chunks", "ballast"] as const) table(name);
  table("blobs")?.createIndex("owner", "owner");
}

/** `Promise.withResolvers`, which the oldest supported browsers lack. */
function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}
