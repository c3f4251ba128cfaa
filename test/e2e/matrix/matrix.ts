/**
 * The fault matrix: each fault in each engine, and what happens. It has to be what docs/reliability.md says;
 * `MATRIX=write npm test -- --only e2e --files matrix` writes down what was seen instead.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { bundle } from "../../harness/bundles.ts";
import { engines, launch, type Browser } from "../../harness/browsers.ts";
import type { Engine } from "../../harness/engines.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { openSite } from "../host/site.ts";
import { FAULTS } from "./faults.ts";
import { newerRoutes } from "./newer.ts";
import { sceneOf } from "./run.ts";
import { write, written, type Cell } from "./table.ts";

const PAGE = `<!doctype html><html lang="en"><title>matrix</title><body><script>delete globalThis.SharedWorker</script>
<script src="/dist/troupe.global.js"></script><script src="/driver.js"></script></body></html>`;

/** The library as a module, whose host can be in the page itself. */
const MODULE = `<!doctype html><html lang="en"><title>module</title><body>
<script src="/module.js"></script><script src="/driver.js"></script></body></html>`;

const isWriting = process.env["MATRIX"] === "write";
const seen: (Cell & { readonly outcome: string })[] = [];

export function describeMatrix(engine: Engine): void {
  describe(`faults in ${engine}`, { skip: !engines().includes(engine), timeout: 175_000 }, () => {
    let site: StaticServer;
    let browser: Browser;
    before(async () => {
      // A page that isn't stored isn't kept alive by the back/forward cache either.
      site = await openSite({
        headers: { "cache-control": "max-age=60" },
        routes: {
          "/without": PAGE,
          "/module": MODULE,
          "/module.js": await bundle("src/index.ts", "Troupe"),
          ...newerRoutes(),
        },
      });
      browser = await launch(engine);
      await browser.newPage(); // it stays open: WebDriver ends with the last one
    });
    after(async () => {
      await browser.kill();
      await site.close();
      if (isWriting) await write(Object.keys(FAULTS), seen);
    });

    for (const [fault, strike] of Object.entries(FAULTS))
      it(fault, async () => {
        const scene = sceneOf(engine, site, browser);
        try {
          const began = performance.now();
          const outcome = await strike(scene);
          const seconds = ((performance.now() - began) / 1_000).toFixed(1);
          console.log(`${engine}: ${fault}: ${outcome} (${seconds} s)`);
          seen.push({ fault, engine, outcome });
          if (!isWriting) assert.equal(outcome, written({ fault, engine }));
        } finally {
          await scene.end();
        }
      });
  });
}
