/** What the platform does when nothing is kept: posts to workers and back, and commits of nothing but bytes. */
import { wrap, type Remote } from "comlink";
import { demand } from "./measure.ts";

/** Posts to a worker and back, a hundred tasks in each message. */
export interface Posts {
  round(count: number): Promise<number>;
}

export function openPosts(): Posts {
  const worker = new Worker("/bench/dist/bound-agent.js");
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port1, [port1]);
  return {
    round: (count) =>
      new Promise((resolve) => {
        let done = 0;
        let sum = 0;
        port2.onmessage = ({ data }: MessageEvent<readonly { readonly input: { readonly n: number } }[]>) => {
          done += data.length;
          for (const { input } of data) sum += input.n;
          if (done < count) return;
          demand(sum === (count * (count - 1)) / 2, "posts");
          resolve(done);
        };
        for (let at = 0; at < count; at += 100)
          port2.postMessage(
            Array.from({ length: Math.min(100, count - at) }, (_, place) => ({
              id: at + place,
              input: { n: at + place },
            })),
          );
      }),
  };
}

export interface EchoApi {
  echo(input: unknown): unknown;
}

/** A pool as Comlink's users write it: two workers by turns, a call for each task; nothing is kept. */
export interface Pool {
  tasks(count: number, window: number): Promise<number>;
}

export function openPool(): Pool {
  const workers = [0, 1].map((): Remote<EchoApi> =>
    wrap<EchoApi>(new Worker("/bench/dist/comlink-agent.js", { type: "module" })),
  );
  return {
    async tasks(count, window) {
      let sent = 0;
      let sum = 0;
      const lane = async (): Promise<void> => {
        while (sent < count) {
          const n = sent++;
          const output = await workers[n % 2]?.echo({ n });
          sum += (output as { n: number }).n;
        }
      };
      await Promise.all(Array.from({ length: window }, lane));
      demand(sum === (count * (count - 1)) / 2, "the pool's results");
      return count;
    },
  };
}

/** Workers by turns, a message for each task and one back. */
export function openSingles(count: number): Pool {
  const workers = Array.from({ length: count }, () => new Worker("/bench/dist/raw-agent.js"));
  return {
    tasks: (total, window) =>
      new Promise((resolve) => {
        let sent = 0;
        let done = 0;
        let sum = 0;
        const send = (): void => {
          while (sent < total && sent - done < window) workers[sent % count]?.postMessage({ n: sent++ });
        };
        for (const worker of workers)
          worker.onmessage = ({ data }: MessageEvent<{ readonly n: number }>) => {
            done++;
            sum += data.n;
            if (done < total) {
              send();
              return;
            }
            demand(sum === (total * (total - 1)) / 2, "the messages");
            resolve(done);
          };
        send();
      }),
  };
}

/** A journal with nothing around it. */
export interface Commits {
  /** Writes so many events, so many in each record, one strict transaction per record. */
  events(count: number, perRecord: number): Promise<number>;
}

export async function openCommits(name: string): Promise<Commits> {
  const database = await openDatabase(name, ["batches"]);
  let key = 0;
  return {
    async events(count, perRecord) {
      for (let at = 0; at < count; at += perRecord) {
        const events = Array.from({ length: perRecord }, (_, place) => eventOf(at + place));
        await commit(database, "batches", key++, JSON.stringify(events));
      }
      return count;
    },
  };
}

function eventOf(n: number): object {
  const data = { execution: "01arz3ndektsv4rrffq69g5fav", node: `n${String(n)}`, taken: [["n", "parallel"]], dead: [] };
  return { type: "node.completed", data, at: n };
}

export function openDatabase(name: string, stores: readonly string[]): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    for (const store of stores) request.result.createObjectStore(store);
  };
  return settled(request);
}

export function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("a request failed"));
    };
  });
}

export function commit(database: IDBDatabase, store: string, key: IDBValidKey, value: unknown): Promise<void> {
  const transaction = database.transaction(store, "readwrite", { durability: "strict" });
  transaction.objectStore(store).put(value, key);
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

/** A worker is started, gets a message, answers it, and is ended. */
export function startOne(): Promise<void> {
  const worker = new Worker("/bench/dist/raw-agent.js");
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<{ readonly n: number }>) => {
      worker.terminate();
      demand(data.n === 7, "the message");
      resolve();
    };
    worker.postMessage({ n: 7 });
  });
}
