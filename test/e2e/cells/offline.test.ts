/** Cells on pages that a service worker answers for. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ErrorData } from "../../../src/core/errors.ts";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import { ROOT, type StaticServer } from "../../harness/servers.ts";
import type { Spawned } from "./page.ts";
import { bundle, startSite, STRICT } from "./site.ts";

/** A service worker that has the cell, whole in one file; the frame gets it with the header that is told, or without. */
function worker(kept: boolean): string {
  const script = readFileSync(join(ROOT, "dist/cell.js"), "utf8").replace(/\n\/\/# sourceMappingURL.*/u, "");
  return `
    const cell = ${JSON.stringify(`<!doctype html><script>${script}</script>`)};
    oninstall = () => skipWaiting();
    onactivate = (event) => event.waitUntil(clients.claim());
    onfetch = (event) => {
      if (!event.request.url.endsWith("/cell.html")) return;
      const policy = event.request.destination === "" || ${String(kept)} ? "sandbox allow-scripts" : "img-src 'self'";
      const headers = { "content-type": "text/html", "content-security-policy": policy };
      event.respondWith(new Response(cell, { headers }));
    };
  `;
}

for (const engine of engines()) {
  describe(`behind a service worker in ${engine}`, () => {
    let browser: Browser;
    let site: StaticServer;
    let page: Page;
    before(async () => {
      site = await startSite({
        policy: STRICT.replace(/; require-trusted-types.*/u, ""),
        routes: {
          "/conduct.js": await bundle("test/fixtures/agents/conduct.agent.ts"),
          "/keeps.js": worker(true),
          "/loses.js": worker(false),
        },
      });
      browser = await launch(engine);
      page = await browser.newPage(site.origin);
    });
    after(async () => {
      await browser.close();
      await site.close();
    });

    const answeredBy = (script: string): Promise<void> =>
      page.evaluate(async (url) => {
        const taken = new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
        await navigator.serviceWorker.register(url);
        await taken;
      }, script);
    const spawn = (name: string): Promise<Spawned | ErrorData> =>
      page.evaluate((id) => cells.spawn(id, { url: "/conduct.js", cellURL: "/cell.html" }), name);

    it("a cell whose header takes its origin starts without the server", async () => {
      await answeredBy("/keeps.js");
      const spawned = await spawn("kept");
      assert.ok("description" in spawned, JSON.stringify(spawned));
      assert.equal(await page.evaluate(() => cells.run("kept", "echo", "yes")), "yes");
      assert.equal(await page.evaluate(() => document.querySelector("iframe")?.contentDocument ?? null), null);
      assert.ok(!site.requests.includes("/cell.html"));
    });

    it("a cell that loses the header on its way runs nothing", async () => {
      await answeredBy("/loses.js");
      const error = await spawn("lost");
      assert.ok("code" in error, "it was started");
      assert.equal(error.code, "agent/load-failed");
      assert.match(error.message, /runs without a sandbox/u);
    });
  });
}
