/** `troupe`: what a page needs. */
import { connectWith, type Platform } from "./client/connect.ts";
import { workerName } from "./client/places.ts";
import type { ConnectOptions, Runtime } from "./client/runtime.ts";
import { scriptURL } from "./client/script-url.ts";
import { VERSION } from "./core/version.ts";

export type * from "./client/runtime.ts";
export type * from "./client/capability-types.ts";
export type * from "./client/timing-types.ts";
export type * from "./client/approval-types.ts";
export type * from "./client/audit-types.ts";
export type * from "./client/mail-types.ts";
export { RuntimeError, type ErrorCode, type ErrorData } from "./core/errors.ts";
export type { CapabilityDefaults } from "./core/capabilities/capability.ts";
export type { JsonSchema, JsonType } from "./core/capabilities/schema.ts";
export type { BlobRef, Retry } from "./core/plugin.ts";
export type { ArchivePage, ArchiveQuery, ArchiveRow } from "./core/ports.ts";
export { VERSION } from "./core/version.ts";

const platform: Platform = {
  version: VERSION,
  places: ({ assets }) => ({
    shared:
      "SharedWorker" in globalThis
        ? (name) => new SharedWorker(scriptURL(sharedURL(assets)), { type: "module", name: workerName(name) })
        : undefined,
    elected:
      "Worker" in globalThis
        ? (name) => new Worker(scriptURL(electedURL(assets)), { type: "module", name: workerName(name) })
        : undefined,
    page: startInPage,
  }),
  cellURL: ({ assets }) =>
    (assets === undefined ? new URL("./cell/cell.html", import.meta.url) : asset(assets, "cell.html")).href,
};

/** Bundlers take scripts along that are named in this form. */
function sharedURL(assets: ConnectOptions["assets"]): string {
  const url = new URL("./workers/shared-worker.ts", import.meta.url);
  return (assets === undefined ? url : asset(assets, "shared-worker.js")).href;
}

function electedURL(assets: ConnectOptions["assets"]): string {
  const url = new URL("./workers/elected-worker.ts", import.meta.url);
  return (assets === undefined ? url : asset(assets, "elected-worker.js")).href;
}

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
  const { bootHost, createIndexedDbJournal, createIndexedDbVault } = await import("./host.ts");
  const boot = bootHost({
    name,
    place: "page",
    version: VERSION,
    openJournal: () => createIndexedDbJournal({ name }),
    vault: createIndexedDbVault({ name }),
  });
  return boot.close;
}
