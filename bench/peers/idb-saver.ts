/** A checkpoint saver for LangGraph.js over IndexedDB: there is none for browsers, so this is the least one, strict as ours. */
import {
  BaseCheckpointSaver,
  copyCheckpoint,
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointTuple,
} from "@langchain/langgraph/web";
import { openDatabase, settled } from "../page/raw.ts";

/** LangChain's, of which only this matters here. */
interface Config {
  configurable?: { thread_id?: string; checkpoint_ns?: string; checkpoint_id?: string };
}

type PendingWrites = Parameters<BaseCheckpointSaver["putWrites"]>[1];

type Text = readonly [type: string, bytes: Uint8Array];

interface Saved {
  readonly checkpoint: Text;
  readonly metadata: Text;
  readonly parent: string | undefined;
}

interface Written {
  readonly task: string;
  readonly channel: string;
  readonly value: Text;
}

export async function openIdbSaver(name: string): Promise<BaseCheckpointSaver> {
  return new IdbSaver(await openDatabase(name, ["checkpoints", "writes"]));
}

class IdbSaver extends BaseCheckpointSaver {
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    super();
    this.#database = database;
  }

  async getTuple(config: Config): Promise<CheckpointTuple | undefined> {
    const { thread, space, id } = placeOf(config);
    const store = this.#database.transaction("checkpoints").objectStore("checkpoints");
    const range = id === undefined ? within(thread, space) : IDBKeyRange.only([thread, space, id]);
    const cursor = await settled(store.openCursor(range, "prev"));
    return cursor ? this.#tuple(cursor.key as string[], cursor.value as Saved) : undefined;
  }

  async *list(config: Config): AsyncGenerator<CheckpointTuple> {
    const { thread, space } = placeOf(config);
    const store = this.#database.transaction("checkpoints").objectStore("checkpoints");
    const [keys, values] = await Promise.all([
      settled(store.getAllKeys(within(thread, space))),
      settled(store.getAll(within(thread, space))),
    ]);
    for (const [at, key] of [...keys.entries()].reverse())
      yield await this.#tuple(key as string[], values[at] as Saved);
  }

  async put(config: Config, checkpoint: Checkpoint, metadata: CheckpointMetadata): Promise<Config> {
    const { thread, space, id } = placeOf(config);
    const saved: Saved = {
      checkpoint: await this.serde.dumpsTyped(copyCheckpoint(checkpoint)),
      metadata: await this.serde.dumpsTyped(metadata),
      parent: id,
    };
    await this.#write("checkpoints", [{ key: [thread, space, checkpoint.id], written: saved }]);
    return { configurable: { thread_id: thread, checkpoint_ns: space, checkpoint_id: checkpoint.id } };
  }

  async putWrites(config: Config, writes: PendingWrites, task: string): Promise<void> {
    const { thread, space, id = "" } = placeOf(config);
    const records = await Promise.all(
      writes.map(async ([channel, value], at) => {
        const written: Written = { task, channel, value: await this.serde.dumpsTyped(value) };
        return { key: [thread, space, id, task, at], written };
      }),
    );
    await this.#write("writes", records);
  }

  async deleteThread(thread: string): Promise<void> {
    const transaction = this.#database.transaction(["checkpoints", "writes"], "readwrite");
    for (const name of ["checkpoints", "writes"])
      await settled(transaction.objectStore(name).delete(IDBKeyRange.bound([thread], [thread, []])));
  }

  /** One strict transaction. */
  #write(store: string, records: readonly { key: IDBValidKey; written: unknown }[]): Promise<void> {
    const transaction = this.#database.transaction(store, "readwrite", { durability: "strict" });
    for (const { key, written } of records) transaction.objectStore(store).put(written, key);
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => {
        resolve();
      };
      transaction.onabort = () => {
        reject(transaction.error ?? new Error("a transaction failed"));
      };
      transaction.commit();
    });
  }

  async #tuple(key: readonly string[], { checkpoint, metadata, parent }: Saved): Promise<CheckpointTuple> {
    const [thread = "", space = "", id = ""] = key;
    const at = (checkpoint_id: string): Config => ({
      configurable: { thread_id: thread, checkpoint_ns: space, checkpoint_id },
    });
    const store = this.#database.transaction("writes").objectStore("writes");
    const written = (await settled(
      store.getAll(IDBKeyRange.bound([thread, space, id], [thread, space, id, []])),
    )) as Written[];
    const pendingWrites = await Promise.all(
      written.map(async ({ task, channel, value }): Promise<[string, string, unknown]> => [
        task,
        channel,
        await this.#load(value),
      ]),
    );
    return {
      config: at(id),
      checkpoint: (await this.#load(checkpoint)) as Checkpoint,
      metadata: (await this.#load(metadata)) as CheckpointMetadata,
      pendingWrites,
      ...(parent !== undefined && { parentConfig: at(parent) }),
    };
  }

  #load([type, bytes]: Text): Promise<unknown> {
    return this.serde.loadsTyped(type, bytes) as Promise<unknown>;
  }
}

function placeOf({ configurable = {} }: Config): { thread: string; space: string; id: string | undefined } {
  const { thread_id: thread = "", checkpoint_ns: space = "", checkpoint_id: id } = configurable;
  return { thread, space, id };
}

function within(thread: string, space: string): IDBKeyRange {
  return IDBKeyRange.bound([thread, space], [thread, space, []]);
}
