/**
 * Keeps secrets in IndexedDB, each encrypted by AES-GCM under one key of the database, with its name as additional data:
 * a value can't be put under another name. The key is made here, is not extractable, and is kept as a CryptoKey. WebKit
 * can't store a CryptoKey from a SharedWorker; there its bytes are kept and imported, not extractable, for each use.
 */
import { RuntimeError } from "../../core/errors.ts";
import type { Vault } from "../../core/ports.ts";

interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly data: ArrayBuffer;
}

const ALGORITHM = { name: "AES-GCM", length: 256 } as const;
const KEY = "key";

/** The database is called `troupe-secrets:<name>`. */
export function createIndexedDbVault({
  name,
  factory = globalThis.indexedDB,
}: {
  readonly name: string;
  readonly factory?: IDBFactory;
}): Vault {
  const within = async <T>(
    mode: IDBTransactionMode,
    store: string,
    work: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const opening = factory.open(`troupe-secrets:${name}`, 1);
    opening.onupgradeneeded = () => {
      for (const made of ["keys", "secrets"]) opening.result.createObjectStore(made);
    };
    const database = await done(opening);
    try {
      const transaction = database.transaction(store, mode, { durability: "strict" });
      return await done(work(transaction.objectStore(store)), mode === "readwrite");
    } finally {
      database.close();
    }
  };
  const read = <T>(store: string, key: string): Promise<T | undefined> =>
    within("readonly", store, (all) => all.get(key) as IDBRequest<T | undefined>);
  const keyOf = async (make: boolean): Promise<CryptoKey | undefined> => {
    const kept = await read<CryptoKey | Uint8Array<ArrayBuffer>>("keys", KEY);
    if (kept instanceof Uint8Array) return imported(kept);
    if (kept || !make) return kept;
    await makeKey((key) => within("readwrite", "keys", (keys) => keys.add(key, KEY)));
    return keyOf(false);
  };
  return {
    async get(secret) {
      const sealed = await attempt(() => read<Sealed>("secrets", secret));
      return sealed && attempt(async () => open(await keyOf(false), secret, sealed));
    },
    set: (secret, value) =>
      attempt(async () => {
        const sealed = await seal(await keyOf(true), secret, value);
        await within("readwrite", "secrets", (secrets) => secrets.put(sealed, secret));
      }),
    delete: (secret) =>
      attempt(async () => {
        const known = (await read("secrets", secret)) !== undefined;
        await within("readwrite", "secrets", (secrets) => secrets.delete(secret));
        return known;
      }),
    list: () =>
      attempt(async () => {
        const keys = await within("readonly", "secrets", (secrets) => secrets.getAllKeys());
        return keys.map(String);
      }),
  };
}

function imported(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, ALGORITHM, false, ["encrypt", "decrypt"]);
}

/** What can't be kept as a key is kept as bytes. Another host may have kept one in the meantime, which counts then. */
async function makeKey(keep: (key: CryptoKey | Uint8Array<ArrayBuffer>) => Promise<unknown>): Promise<void> {
  await keep(await crypto.subtle.generateKey(ALGORITHM, false, ["encrypt", "decrypt"]))
    .catch(() => keep(crypto.getRandomValues(new Uint8Array(ALGORITHM.length / 8))))
    .catch(() => undefined);
}

const termsOf = (name: string, iv: Uint8Array<ArrayBuffer>): AesGcmParams => ({
  name: ALGORITHM.name,
  iv,
  additionalData: new TextEncoder().encode(name),
});

async function seal(key: CryptoKey | undefined, name: string, value: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, data: await crypto.subtle.encrypt(termsOf(name, iv), existing(key), new TextEncoder().encode(value)) };
}

async function open(key: CryptoKey | undefined, name: string, { iv, data }: Sealed): Promise<string> {
  return new TextDecoder().decode(await crypto.subtle.decrypt(termsOf(name, iv), existing(key), data));
}

function existing(key: CryptoKey | undefined): CryptoKey {
  if (!key) throw new Error("the key can't be read here");
  return key;
}

/** Resolves with the result; of a write when its transaction is complete. */
function done<T>(request: IDBRequest<T>, isWrite = false): Promise<T> {
  return new Promise((resolve, reject) => {
    const { transaction } = request;
    const end = (): void => {
      resolve(request.result);
    };
    const fail = (): void => {
      reject(new Error(String(request.error ?? transaction?.error)));
    };
    request.onerror = fail;
    if (isWrite && transaction) {
      transaction.onabort = fail;
      transaction.oncomplete = end;
    } else request.onsuccess = end;
  });
}

/** What storage or cryptography throws is told without what it was about. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new RuntimeError("secret/unavailable", { reason: String(cause) }, { cause });
  }
}
