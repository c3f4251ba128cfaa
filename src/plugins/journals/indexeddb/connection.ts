/**
 * A connection that heals once. Browsers close connections (site data cleared, a lost storage process, iOS), and
 * what is tried again on a lost one fails again. So the work is done once more on a new connection, after a check
 * that the same database, not shorter than before, lies behind it.
 */
import { unwrap, wrap } from "idb";
import { RuntimeError } from "../../../core/errors.ts";
import { lost, unavailable } from "../meta.ts";
import type { Database, ReadTx, Table, WriteTx } from "./database.ts";

/** What a connection needs. */
export interface ConnectionOptions {
  open(): Promise<IDBDatabase>;
  /** Compares the database with what is known of it. @throws RuntimeError `runtime/storage-lost` */
  verify(tx: ReadTx): Promise<void>;
  /** Called when the storage has gone for good, and when a connection was lost and can't be had again. */
  onLost(reason: string): void;
}

/** What a transaction does. `again` says that an earlier try may have been committed. */
export type Work<Tx, T> = (tx: Tx, again: boolean) => T | Promise<T>;

/**
 * Runs transactions. They fail with the RuntimeError that `work` threw, or with `journal/quota`,
 * `journal/unavailable` or `runtime/storage-lost`; then nothing was written, as far as the browser tells.
 */
export interface Connection {
  read<T>(tables: readonly Table[], work: Work<ReadTx, T>): Promise<T>;
  write<T>(tables: readonly Table[], work: Work<WriteTx, T>, durability?: IDBTransactionDurability): Promise<T>;
  close(): void;
}

/** Makes a connection; it opens with the first use. */
export function createConnection({ open, verify, onLost }: ConnectionOptions): Connection {
  let live: Database | undefined;
  let opening: Promise<Database> | undefined;
  let end: (() => RuntimeError) | undefined;

  function stop(error: () => RuntimeError, reason: string): void {
    if (end) return;
    end = error;
    live?.close(); // transactions that run are completed
    if (reason !== "closed") onLost(reason);
  }
  function forget(db: Database | undefined): void {
    if (live === db) live = undefined;
    db?.close();
  }
  function watch(raw: IDBDatabase, db: Database): void {
    raw.onversionchange = ({ newVersion }) => {
      forget(db);
      if (newVersion === null) stop(() => lost("deleted"), "deleted");
      else stop(() => unavailable("another tab upgrades the database"), "upgrade");
    };
    raw.onclose = () => {
      forget(db);
      run(() => Promise.resolve()).catch(() => end ?? onLost("connection"));
    };
  }
  async function establish(): Promise<Database> {
    const db = await openVerified(open, verify, watch);
    if (end) db.close();
    else live = db;
    return db;
  }
  function connect(): Promise<Database> {
    opening ??= establish().finally(() => (opening = undefined));
    return opening;
  }
  async function run<T>(work: (db: Database, again: boolean) => Promise<T>): Promise<T> {
    for (let again = false; ; again = true) {
      if (end) throw end();
      let db: Database | undefined;
      try {
        db = live ?? (await connect());
        return await work(db, again);
      } catch (error) {
        const final = finalOf(error, again);
        if (final?.code === "runtime/storage-lost") stop(() => final, "storage-lost");
        if (final) throw final;
        forget(db);
      }
    }
  }
  return {
    read: (tables, work) => run((db, again) => transact(db, "readonly", tables, (tx) => work(tx, again))),
    write: (tables, work, durability = "strict") =>
      run((db, again) => transact(db, "readwrite", tables, (tx) => work(tx as WriteTx, again), durability)),
    close: () => {
      stop(() => unavailable("closed"), "closed");
    },
  };
}

async function openVerified(
  open: ConnectionOptions["open"],
  verify: ConnectionOptions["verify"],
  watch: (raw: IDBDatabase, db: Database) => void,
): Promise<Database> {
  const raw = await open();
  const db = wrap(raw) as unknown as Database; // with the tables that `openDatabase` made
  watch(raw, db);
  try {
    await transact(db, "readonly", ["meta"], verify);
    return db;
  } catch (error) {
    raw.close();
    throw error;
  }
}

/** The error to report, or undefined while a new connection may cure it. */
function finalOf(error: unknown, again: boolean): RuntimeError | undefined {
  if (error instanceof RuntimeError) return error;
  if (isQuota(error)) return new RuntimeError("journal/quota", { reason: "no space left" }, { cause: error });
  return again ? unavailable("the storage fails", error) : undefined;
}

/** Runs one transaction; one that writes is over when it is committed. */
async function transact<T>(
  db: Database,
  mode: "readonly" | "readwrite",
  tables: readonly Table[],
  work: (tx: ReadTx) => T | Promise<T>,
  durability: IDBTransactionDurability = "default",
): Promise<T> {
  const tx: ReadTx = db.transaction([...tables], mode, { durability });
  const raw = unwrap(tx);
  const outcome = outcomeOf(raw);
  tx.done.catch(ignore); // idb's own; it hears a failed request before the transaction knows its error
  try {
    const result = await work(tx);
    if (mode === "readonly") return result;
    commit(raw);
    await outcome;
    return result;
  } catch (error) {
    abort(raw);
    throw error instanceof RuntimeError ? error : (raw.error ?? error); // a request only says that it was aborted
  }
}

/** Waits for the end, and then knows the error. */
function outcomeOf(tx: IDBTransaction): Promise<void> {
  const outcome = new Promise<void>((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error ?? new DOMException("The transaction was aborted", "AbortError"));
  });
  outcome.catch(ignore); // whoever waits hears it, and often nobody has to
  return outcome;
}

function commit(tx: IDBTransaction): void {
  try {
    tx.commit();
  } catch {
    // It has ended by itself, well or not: its outcome tells.
  }
}

function abort(tx: IDBTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has ended already.
  }
}

/** Sends a request of which only the transaction's outcome matters. */
export function send(request: Promise<unknown>): void {
  request.catch(ignore);
}

function ignore(): undefined {
  return undefined;
}

function isQuota(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}
