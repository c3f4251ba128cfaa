/** Faults of IndexedDB, put into its prototypes: they reach every connection of this realm, and nothing else does. */

/** A quota that holds until `end`. */
export interface Space {
  /** Bytes that still fit. */
  left: number;
  /** Transactions that were aborted for want of space. */
  refused: number;
  end(): void;
}

/** One character is another one. */
export function flip(text: string): string {
  const at = text.length >> 1;
  return text.slice(0, at) + (text[at] === "x" ? "y" : "x") + text.slice(at + 1);
}

interface Spent {
  bytes: number;
  freesBallast: boolean;
}

/**
 * Lets transactions commit while what they put fits; afterwards they abort with a QuotaExceededError at their end,
 * as in browsers. Only emptied ballast gives space back, and only to later transactions.
 */
export function limitSpace(bytes: number): Space {
  const spent = new WeakMap<IDBTransaction, Spent>();
  let ballast = 0;
  const of = (tx: IDBTransaction): Spent => {
    const known = spent.get(tx) ?? { bytes: 0, freesBallast: false };
    spent.set(tx, known);
    return known;
  };
  const space: Space = { left: bytes, refused: 0, end: () => undefined };
  const { put, add, clear } = IDBObjectStore.prototype;
  const { commit } = IDBTransaction.prototype;
  const counting = (write: typeof put): typeof put =>
    function (this: IDBObjectStore, value: unknown, ...key: [IDBValidKey?]) {
      const size = sizeOf(value);
      of(this.transaction).bytes += size;
      if (this.name === "ballast") ballast += size;
      return write.call(this, value, ...key);
    };
  IDBObjectStore.prototype.put = counting(put);
  IDBObjectStore.prototype.add = counting(add);
  IDBObjectStore.prototype.clear = function (this: IDBObjectStore) {
    if (this.name === "ballast") of(this.transaction).freesBallast = true;
    return clear.call(this);
  };
  IDBTransaction.prototype.commit = function (this: IDBTransaction) {
    const { bytes: wanted, freesBallast } = of(this);
    if (wanted > space.left) {
      space.refused += 1;
      abortWith(this, new DOMException("no space", "QuotaExceededError"));
      return;
    }
    space.left -= wanted;
    if (freesBallast) {
      space.left += ballast;
      ballast = 0;
    }
    commit.call(this);
  };
  space.end = () => {
    Object.assign(IDBObjectStore.prototype, { put, add, clear });
    Object.assign(IDBTransaction.prototype, { commit });
  };
  return space;
}

function abortWith(tx: IDBTransaction, error: DOMException): void {
  Object.defineProperty(tx, "error", { value: error });
  tx.abort();
}

function sizeOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce((sum: number, part) => sum + sizeOf(part), 0);
}

/** The next transaction over that table commits, and then its connection is lost before it says so. */
export function loseNextReply(table: string): () => void {
  const { commit } = IDBTransaction.prototype;
  const end = (): void => void Object.assign(IDBTransaction.prototype, { commit });
  IDBTransaction.prototype.commit = function (this: IDBTransaction) {
    const { oncomplete, onabort, objectStoreNames } = this;
    if (oncomplete && objectStoreNames.contains(table)) {
      end();
      this.oncomplete = (event) => {
        this.db.close();
        onabort?.call(this, event);
      };
    }
    commit.call(this);
  };
  return end;
}
