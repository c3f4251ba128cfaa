/** `troupe`: what a page needs. */
import { connectWith, type Platform } from "./client/connect.ts";
import { workerName } from "./client/places.ts";
import type { ConnectOptions, Runtime } from "./client/runtime.ts";
import { VERSION } from "./core/version.ts";

export * from "./client/runtime.ts";
export { RuntimeError, type ErrorCode, type ErrorData } from "./core/errors.ts";
export type { BlobRef } from "./core/plugin.ts";
export type { ArchivePage, ArchiveQuery, ArchiveRow } from "./core/ports.ts";
export { VERSION } from "./core/version.ts";

const platform: Platform = {
  version: VERSION,
  places: ({ assets }) => ({
    shared:
      "SharedWorker" in globalThis
        ? (name) =>
            assets === undefined
              ? new SharedWorker(new URL("./workers/shared-worker.ts", import.meta.url), {
                  type: "module",
                  name: workerName(name),
                })
              : new SharedWorker(asset(assets, "shared-worker.js"), {
                  type: "module",
                  name: workerName(name),
                })
        : undefined,
    elected:
      "Worker" in globalThis
        ? (name) =>
            assets === undefined
              ? new Worker(new URL("./workers/elected-worker.ts", import.meta.url), {
                  type: "module",
                  name: workerName(name),
                })
              : new Worker(asset(assets, "elected-worker.js"), {
                  type: "module",
                  name: workerName(name),
                })
        : undefined,
    page: startInPage,
  }),
  cellURL: ({ assets }) =>
    (assets === undefined ? new URL("./cell/cell.html", import.meta.url) : asset(assets, "cell.html")).href,
};

/**
 * Connects this page to the one durable runtime of its origin and name.
 *
 * ```ts norun
 * const runtime = await connect({ name: "shop" });
 * await runtime.registerAgent({ url: "/agents/greet.js" });
 * const id = runtime.createTask({ capabilities: ["greet"], input: { name: "Ada" } });
 * const output = await runtime.result(id);
 * ```
 */
export function connect(options: ConnectOptions = {}): Promise<Runtime> {
  return connectWith(platform, options);
}

function asset(base: string | URL, file: string): URL {
  const text = String(base);
  return new URL(file, new URL(text.endsWith("/") ? text : `${text}/`, location.href));
}

/** The last resort: the host in the page itself. It is loaded only then. */
async function startInPage(name: string): Promise<() => Promise<void>> {
  const { bootHost, createIndexedDbJournal } = await import("./host.ts");
  const boot = bootHost({ name, version: VERSION, openJournal: () => createIndexedDbJournal({ name }) });
  return boot.close;
}
