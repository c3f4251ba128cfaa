/** The bound's host: a SharedWorker with a journal of one record per batch, strict, and nothing around it. */
import type { BoundTask, ToHost, ToPage } from "./protocol.ts";

declare const self: { onconnect: (event: MessageEvent) => void };

let database: IDBDatabase | undefined;
let page: MessagePort | undefined;
let agents: readonly MessagePort[] = [];
let turn = 0;

/** Group commit: whatever gathers while a batch is written goes into the next one. */
let records: unknown[] = [];
let waiters: (() => void)[] = [];
let writing = false;
let scheduled = false;
let written = 0;
const channel = new MessageChannel();
channel.port1.onmessage = () => {
  scheduled = false;
  commit();
};

function append(record: unknown, then: () => void): void {
  records.push(record);
  waiters.push(then);
  if (scheduled || writing) return;
  scheduled = true;
  channel.port2.postMessage(0);
}

function commit(): void {
  if (writing || records.length === 0 || !database) return;
  writing = true;
  const transaction = database.transaction("batches", "readwrite", { durability: "strict" });
  transaction.objectStore("batches").put(JSON.stringify(records), written++);
  const due = waiters;
  records = [];
  waiters = [];
  transaction.oncomplete = () => {
    writing = false;
    for (const then of due) then();
    flush();
    if (records.length > 0 && !scheduled) {
      scheduled = true;
      channel.port2.postMessage(0);
    }
  };
  transaction.commit();
}

let outgoing: BoundTask[][] = [];
let finished: BoundTask[] = [];

function dispatch(task: BoundTask): void {
  const to = turn++ % agents.length;
  (outgoing[to] ??= []).push(task);
}

function flush(): void {
  for (const [place, tasks] of outgoing.entries()) if (tasks.length > 0) agents[place]?.postMessage(tasks);
  outgoing = agents.map(() => []);
  if (finished.length > 0) page?.postMessage({ kind: "done", results: finished } satisfies ToPage);
  finished = [];
}

/** Chains: a node's result is durable before the next node starts. */
let chainLength = 0;
let open = 0;
let nodes = 0;

function settle(result: BoundTask): void {
  append(["done", result.id, result.input], () => {
    if (chainLength === 0) {
      finished.push(result);
      return;
    }
    nodes++;
    const step = result.id % chainLength;
    if (step + 1 < chainLength) dispatch({ id: result.id + 1, input: result.input });
    else if (--open === 0) page?.postMessage({ kind: "ended", nodes } satisfies ToPage);
  });
}

function hear(message: ToHost, ports: readonly MessagePort[]): void {
  switch (message.kind) {
    case "open": {
      agents = ports;
      outgoing = agents.map(() => []);
      for (const agent of agents)
        agent.onmessage = ({ data }: MessageEvent<readonly BoundTask[]>) => {
          for (const result of data) settle(result);
        };
      const request = indexedDB.open(message.database, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("batches");
      request.onsuccess = () => {
        database = request.result;
        page?.postMessage({ kind: "ready" } satisfies ToPage);
      };
      return;
    }
    case "tasks":
      chainLength = 0;
      for (const task of message.tasks)
        append(["task", task], () => {
          dispatch(task);
        });
      return;
    case "chains":
      chainLength = message.length;
      open = message.chains;
      nodes = 0;
      for (let chain = 0; chain < message.chains; chain++) {
        const task = { id: chain * chainLength, input: { n: chain } };
        append(["run", task], () => {
          dispatch(task);
        });
      }
  }
}

self.onconnect = ({ ports: [port] }) => {
  page = port;
  if (port)
    port.onmessage = ({ data, ports }: MessageEvent<ToHost>) => {
      hear(data, ports);
    };
};
