/** Registers the conformance suite so that its cases run in a worker. */
import { journalConformance } from "../../../src/testing.ts";
import type { CaseReply, CaseRequest } from "./conformance-worker.ts";
import { cannot, openHarness } from "./indexeddb-harness.ts";

/** What both kinds of worker give a page. */
export type WorkerPort = Pick<MessagePort, "postMessage" | "addEventListener">;

/** Registers every case under a title; `connect` is called once. */
export function describeInWorker(title: string, connect: () => WorkerPort): void {
  const seed = 1 + (Date.now() % 100_000); // a new one each time; it is part of the name
  const waiting = new Map<number, (reply: CaseReply) => void>();
  let port: WorkerPort | undefined;
  const ask = (request: CaseRequest): Promise<CaseReply> =>
    new Promise((resolve) => {
      waiting.set(request.id, resolve);
      port?.postMessage(request);
    });
  describe(title, () => {
    before(() => {
      port = connect();
      port.addEventListener("message", ({ data }: MessageEvent<CaseReply>) => waiting.get(data.id)?.(data));
    });
    const open = () => Promise.resolve(openHarness());
    for (const [id, { name, skip }] of journalConformance({ open, cannot, seed }).entries()) {
      if (skip !== undefined) {
        it.skip(`${name}: ${skip}`);
        continue;
      }
      it(name, async () => {
        const { error } = await ask({ id, name, seed });
        if (error !== undefined) throw new Error(error);
      });
    }
  });
}
