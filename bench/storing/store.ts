/** Keeps items in a database of the agent's own, each call in one strict transaction. */
import { openDB, type IDBPDatabase } from "idb";

let opened: Promise<IDBPDatabase> | undefined;

export async function keep(items: readonly unknown[]): Promise<void> {
  opened ??= openDB("bench-storing", 1, {
    upgrade: (database) => void database.createObjectStore("items", { autoIncrement: true }),
  });
  const transaction = (await opened).transaction("items", "readwrite", { durability: "strict" });
  for (const item of items) void transaction.store.add(item);
  await transaction.done;
}
