import { describeInWorker } from "./in-worker.ts";

const url = new URL("./conformance-worker.ts", import.meta.url);

describeInWorker("journal in IndexedDB, in a shared worker", () => {
  const { port } = new SharedWorker(url, { type: "module", name: "journal-conformance" });
  port.start();
  return port;
});
