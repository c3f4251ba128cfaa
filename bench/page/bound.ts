import type { BoundTask, ToHost, ToPage } from "../bound/protocol.ts";
import { demand } from "./measure.ts";

/** The bound, from the page's side. */
export interface Bound {
  /** Sends `count` tasks, at most `window` at once, and resolves with how many came back right. */
  tasks(count: number, window: number): Promise<number>;
  chains(chains: number, length: number): Promise<number>;
  close(): void;
}

export async function openBound(database: string): Promise<Bound> {
  const host = new SharedWorker("/bench/dist/bound-host.js", { name: database });
  const { port } = host;
  const workers = [0, 1].map(() => new Worker("/bench/dist/bound-agent.js"));
  const ports = workers.map((worker) => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage(port1, [port1]);
    return port2;
  });
  let hear: (message: ToPage) => void = () => undefined;
  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    hear(data);
  };
  const post = (message: ToHost, transfer: Transferable[] = []): void => {
    port.postMessage(message, transfer);
  };
  const next = <K extends ToPage["kind"]>(kind: K): Promise<Extract<ToPage, { kind: K }>> =>
    new Promise((resolve) => {
      hear = (message) => {
        if (message.kind === kind) resolve(message as Extract<ToPage, { kind: K }>);
      };
    });
  const ready = next("ready");
  post({ kind: "open", database }, ports);
  await ready;
  return {
    tasks: (count, window) =>
      new Promise((resolve) => {
        let sent = 0;
        let done = 0;
        let sum = 0;
        const send = (): void => {
          const tasks: BoundTask[] = [];
          while (sent < count && sent - done < window) tasks.push({ id: sent, input: { n: sent++ } });
          if (tasks.length > 0) post({ kind: "tasks", tasks });
        };
        hear = (message) => {
          if (message.kind !== "done") return;
          done += message.results.length;
          for (const { input } of message.results) sum += (input as { n: number }).n;
          if (done < count) send();
          else {
            demand(sum === (count * (count - 1)) / 2, "the bound's results");
            resolve(done);
          }
        };
        send();
      }),
    async chains(chains, length) {
      const ended = next("ended");
      post({ kind: "chains", chains, length });
      const { nodes } = await ended;
      demand(nodes === chains * length, "the bound's chains");
      return nodes;
    },
    close() {
      for (const worker of workers) worker.terminate();
      port.close();
    },
  };
}
