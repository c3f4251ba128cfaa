/** An approver's own key, which never leaves the browser that made it. */
import { openDB, type DBSchema } from "idb";
import { algorithmOf } from "../core/approvals/statement.ts";
import type { PublicKey } from "../core/approvals/key.ts";
import { RuntimeError } from "../core/errors.ts";
import type { Signer } from "./approval-types.ts";

export interface SignerOptions {
  /** The approver. */
  readonly id: string;
  /** The IndexedDB database that holds the keys. Default "troupe-approvers". */
  readonly database?: string;
}

interface Keys extends DBSchema {
  keys: { key: string; value: CryptoKeyPair };
}

/**
 * The signer of an approver: with the key that this browser has of that one, or a new one. Its private part can't be read,
 * by scripts of the origin neither; they can sign with it, though. It is Ed25519, or ECDSA on P-256 where that is missing.
 * @throws RuntimeError `command/invalid` without an id; what IndexedDB and WebCrypto throw
 */
export async function createSigner({ id, database = "troupe-approvers" }: SignerOptions): Promise<Signer> {
  if (id === "") throw new RuntimeError("command/invalid", { at: "id", expected: "whose key it is" });
  const pair = await keepPair(database, id);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const publicKey = { kty, crv, x, ...(y !== undefined && { y }) } as PublicKey; // one of the two that are made here
  return {
    id,
    publicKey,
    async sign(text) {
      const algorithm = algorithmOf(publicKey);
      const bytes = new Uint8Array(
        await crypto.subtle.sign(algorithm, pair.privateKey, new TextEncoder().encode(text)),
      );
      return btoa(String.fromCharCode(...bytes));
    },
  };
}

async function keepPair(database: string, id: string): Promise<CryptoKeyPair> {
  const db = await openDB<Keys>(database, 1, {
    upgrade(upgraded) {
      upgraded.createObjectStore("keys");
    },
  });
  try {
    const known = await db.get("keys", id);
    if (known) return known;
    const made = await generate(); // no transaction outlives this
    const writing = db.transaction("keys", "readwrite", { durability: "strict" });
    const other = await writing.store.get(id); // another tab was quicker
    if (!other) await writing.store.put(made, id);
    await writing.done;
    return other ?? made;
  } finally {
    db.close();
  }
}

async function generate(): Promise<CryptoKeyPair> {
  const make = (crv: PublicKey["crv"]): Promise<CryptoKeyPair> =>
    crypto.subtle.generateKey(algorithmOf({ crv }), false, ["sign", "verify"]) as Promise<CryptoKeyPair>; // a signing algorithm has two
  try {
    return await make("Ed25519");
  } catch {
    return make("P-256");
  }
}
