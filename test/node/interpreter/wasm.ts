import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The engine's module, as the build puts it into its worker. */
export const wasm = (): Uint8Array =>
  readFileSync(fileURLToPath(import.meta.resolve("@jitl/quickjs-ng-wasmfile-release-sync/wasm")));
