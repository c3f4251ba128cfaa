/** The engine's worker: started by `startWorkers` from the text that the build makes of this file. */
/*! With quickjs-ng (MIT, github.com/quickjs-ng/quickjs) and quickjs-emscripten (MIT, github.com/justjake/quickjs-emscripten). */
import bytes from "@jitl/quickjs-ng-wasmfile-release-sync/wasm";
import { serveEngine } from "./engine.ts";
import type { ToEngine } from "./protocol.ts";

const self = globalThis as unknown as {
  onmessage: ((event: { readonly data: ToEngine }) => void) | null;
  postMessage(message: unknown): void;
  reportError(error: unknown): void;
};

serveEngine(
  {
    post(message) {
      self.postMessage(message);
    },
    listen(hear) {
      self.onmessage = ({ data }) => {
        hear(data);
      };
    },
  },
  bytes,
).catch((error: unknown) => {
  self.reportError(error);
}); // where WebAssembly is forbidden, whoever started it hears so at once
