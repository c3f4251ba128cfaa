/**
 * The lines of the audit log, beside the head: a table of their own would need a new version of the database, and
 * releases before couldn't open it any more.
 */
import type { AuditRecord, AuditStore } from "../../../core/ports.ts";
import { send } from "./connection.ts";
import type { WriteTx } from "./database.ts";
import type { Owner } from "./owner.ts";

/** They sort by their number. */
function keyOf(n: number): string {
  return `audit ${String(n).padStart(16, "0")}`;
}

export function writeLine(tx: WriteTx, { end, text, cut }: AuditRecord): void {
  const table = tx.objectStore("meta");
  send(table.put(text, keyOf(end.n)));
  if (!cut) return;
  send(table.delete(IDBKeyRange.bound(keyOf(0), keyOf(cut.n), false, true)));
  send(table.put(cut.text, keyOf(cut.n)));
}

export function createAuditStore(owner: Owner): AuditStore {
  const behind = (n: number): IDBKeyRange => IDBKeyRange.bound(keyOf(n), keyOf(Number.MAX_SAFE_INTEGER), true);
  return {
    end: () => owner.read(["meta"], async (tx) => (await owner.meta(tx)).audit),
    // what isn't a text any more isn't what was written: whoever verifies finds that
    read: (after, limit) =>
      owner.read(["meta"], async (tx) => (await tx.objectStore("meta").getAll(behind(after), limit)).map(String)),
  };
}
