import { describeInWorker } from "./in-worker.ts";

const url = new URL("./conformance-worker.ts", import.meta.url);

describeInWorker("journal in IndexedDB, in a dedicated worker", () => new Worker(url, { type: "module" }));
