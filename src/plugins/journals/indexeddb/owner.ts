/**
 * The owner of a database: every transaction that writes passes here, one after another, and is refused inside
 * the transaction when the database has another owner by now.
 */
import { checkOwner, checkSame, decodeMeta, encodeMeta, META_KEY, unavailable, type Meta } from "../meta.ts";
import { createConnection, send } from "./connection.ts";
import type { ReadTx, Table, WriteTx } from "./database.ts";

/** One writing transaction of the owner. */
export interface Turn {
  readonly tx: WriteTx;
  /** The record as it is in this transaction: written by this owner. */
  readonly meta: Meta;
  /** An earlier try of this turn may have been committed. */
  readonly again: boolean;
  save(meta: Meta): void;
}

/** What a transaction writes. Only requests of its own may be awaited in it. */
export type TurnWork<T> = (turn: Turn) => T | Promise<T>;

/** Makes the record of a new owner of the stored one, and a result. Only requests of its transaction may be awaited in it. */
export type Takeover<T> = (tx: WriteTx, stored: Meta | undefined) => Promise<readonly [Meta, T]>;

/** Reads and writes as the owner. */
export interface Owner {
  /** What the last transaction of this owner left. @throws RuntimeError `journal/unavailable` before `take`. */
  known(): Meta;
  /** Becomes the owner. */
  take<T>(tables: readonly Table[], work: Takeover<T>): Promise<T>;
  read<T>(tables: readonly Table[], work: (tx: ReadTx) => Promise<T>): Promise<T>;
  /** The record, in a transaction over its table. @throws RuntimeError `runtime/storage-lost` */
  meta(tx: ReadTx): Promise<Meta>;
  write<T>(tables: readonly Table[], work: TurnWork<T>, durability?: IDBTransactionDurability): Promise<T>;
  /** Empties a table of no worth, which even one who isn't the owner may do. */
  clear(table: Table): Promise<void>;
  close(): Promise<void>;
}

/** What an owner needs. */
export interface OwnerOptions {
  /** Opens the database; `create` is false once it is known to exist. */
  open(create: boolean): Promise<IDBDatabase>;
  onLost(reason: string): void;
}

/** Makes an owner that owns nothing yet. */
export function createOwner({ open, onLost }: OwnerOptions): Owner {
  let last: Meta | undefined;
  const { inTurn, idle } = createQueue();
  const connection = createConnection({
    open: () => open(last === undefined),
    verify: async (tx) => {
      const found = await stored(tx);
      if (last) checkSame(found, last);
    },
    onLost,
  });

  function known(): Meta {
    if (!last) throw unavailable("not open");
    return last;
  }
  async function take<T>(tables: readonly Table[], work: Takeover<T>): Promise<T> {
    const [meta, result] = await connection.write(["meta", ...tables], async (tx) => {
      const made = await work(tx, await stored(tx));
      store(tx, made[0]);
      return made;
    });
    last = meta;
    return result;
  }
  async function write<T>(
    tables: readonly Table[],
    work: TurnWork<T>,
    durability?: IDBTransactionDurability,
  ): Promise<T> {
    const before = known();
    let saved = before;
    const inside = async (tx: WriteTx, again: boolean): Promise<T> => {
      const meta = checkOwner(await stored(tx), before);
      saved = meta;
      return work({ tx, meta, again, save: (next) => store(tx, (saved = next)) });
    };
    const result = await connection.write(["meta", ...tables], inside, durability);
    last = saved;
    return result;
  }
  return {
    known,
    take: (tables, work) => inTurn(() => take(tables, work)),
    read: async (tables, work) => (known(), connection.read(tables, work)),
    meta: async (tx) => checkSame(await stored(tx), known()),
    write: (tables, work, durability) => inTurn(() => write(tables, work, durability)),
    clear: (table) =>
      connection.write([table], (tx) => {
        send(tx.objectStore(table).clear());
      }),
    close: async () => {
      await idle();
      connection.close();
    },
  };
}

/** One at a time: a batch's checksum needs the batch before it. */
function createQueue(): { inTurn<T>(job: () => Promise<T>): Promise<T>; idle(): Promise<unknown> } {
  let last: Promise<unknown> = Promise.resolve();
  return {
    inTurn: (job) => {
      const result = last.then(job);
      last = result.catch(() => undefined);
      return result;
    },
    idle: () => last,
  };
}

async function stored(tx: ReadTx): Promise<Meta | undefined> {
  return decodeMeta(await tx.objectStore("meta").get(META_KEY));
}

function store(tx: WriteTx, meta: Meta): void {
  send(tx.objectStore("meta").put(encodeMeta(meta), META_KEY));
}
