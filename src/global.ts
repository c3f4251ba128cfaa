/**
 * The script-tag build: one classic file, global `Troupe`. Where the file comes from the page's own origin its
 * workers are the files beside it. From another origin they are started from the text that is built in: a host in
 * the elected tab, because a `blob:` SharedWorker can't be found by other tabs by its name.
 */
import { connectWith, type Platform } from "./client/connect.ts";
import { workerName } from "./client/places.ts";
import type { ConnectOptions, Runtime } from "./client/runtime.ts";
import { scriptURL } from "./client/script-url.ts";
import electedWorker from "inline:./workers/elected-worker.ts";
import { VERSION } from "./core/version.ts";

export { RuntimeError } from "./core/errors.ts";
export { VERSION } from "./core/version.ts";

const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : "";

/** The folder of the assets: as the page says, or the script's own. */
function assetsOf({ assets }: ConnectOptions): URL {
  const base = String(assets ?? new URL(".", script || location.href));
  return new URL(base.endsWith("/") ? base : `${base}/`, location.href);
}

const platform: Platform = {
  version: VERSION,
  places(options) {
    const assets = assetsOf(options);
    const own = assets.origin === location.origin;
    return {
      shared:
        own && "SharedWorker" in globalThis
          ? (name) =>
              new SharedWorker(scriptURL(new URL("shared-worker.js", assets).href), {
                type: "module",
                name: workerName(name),
              })
          : undefined,
      elected: (name) =>
        new Worker(scriptURL(own ? new URL("elected-worker.js", assets).href : inlined(electedWorker)), {
          type: own ? "module" : "classic",
          name: workerName(name),
        }),
    };
  },
  cellURL: (options) => new URL("cell.html", assetsOf(options)).href,
};

/** Connects this page to the one durable runtime of its origin and name. */
export function connect(options: ConnectOptions = {}): Promise<Runtime> {
  return connectWith(platform, options);
}

function inlined(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}
