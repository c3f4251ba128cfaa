/** The engine in a thread of its own, as a browser has it in a worker. */
import { parentPort } from "node:worker_threads";
import { serveEngine } from "../../../src/plugins/interpreter/engine.ts";
import type { ToEngine } from "../../../src/plugins/interpreter/protocol.ts";
import { wasm } from "./wasm.ts";

void serveEngine(
  {
    post: (message) => parentPort?.postMessage(message),
    listen: (hear) =>
      parentPort?.on("message", (message: ToEngine) => {
        hear(message);
      }),
  },
  wasm(),
);
