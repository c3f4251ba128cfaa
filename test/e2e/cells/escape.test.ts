/** What an agent in a cell can reach; the servers' logs are the judge. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { probe, type Findings } from "../../fixtures/agents/probe.ts";
import { startHitLog, startSite, type HitLog } from "./site.ts";

for (const engine of engines()) {
  describe(`an isolated agent in ${engine}`, () => {
    let browser: Browser;
    let site: StaticServer;
    let evil: HitLog;
    let host: HitLog;
    let page: Page;
    const whoami: string[] = [];

    before(async () => {
      [evil, host] = [await startHitLog(), await startHitLog()];
      const targets = { evil: evil.origin, host: host.origin };
      site = await startSite({
        routes: {
          "/closed.js": () => probe({ ...targets, own: site.origin, tag: "closed" }),
          "/open.js": () => probe({ ...targets, own: site.origin, tag: "open" }),
          "/whoami": (request) => {
            whoami.push(request.headers.cookie ?? "no cookie");
            return "you";
          },
        },
      });
      browser = await launch(engine);
      page = await browser.newPage(site.origin);
      await page.evaluate(async () => {
        await new Promise<void>((resolve, reject) => {
          const request = indexedDB.open("secrets", 1);
          request.onupgradeneeded = () => request.result.createObjectStore("keys");
          request.onsuccess = () => {
            resolve();
          };
          request.onerror = () => {
            reject(new Error("no database"));
          };
        });
        await (await caches.open("page")).put("/kept", new Response("a secret of the page"));
        Object.assign(globalThis, { lockLost: false });
        const forever = new Promise(() => undefined);
        navigator.locks.request("page", () => forever).catch(() => Object.assign(globalThis, { lockLost: true }));
        const channel = new BroadcastChannel("page");
        setInterval(() => {
          channel.postMessage("a secret of the page");
        }, 50);
      });
    });
    after(async () => {
      await browser.close();
      await Promise.all([site.close(), evil.close(), host.close()]);
    });

    const probed = async (name: string, network: readonly string[]): Promise<Findings> => {
      const options = { url: `/${name}.js`, cellURL: "/cell.html", network };
      const spawned = await page.evaluate((id, how) => cells.spawn(id, how), name, options);
      assert.ok("description" in spawned, JSON.stringify(spawned));
      return (await page.evaluate((id) => cells.run(id, "probe"), name)) as Findings;
    };
    const assertJailed = (findings: Findings): void => {
      assert.equal(findings["origin"], "null");
      assert.equal(findings["surroundings"], "undefined,undefined,undefined,undefined");
      const open = Object.entries(findings).filter(([name]) => !["origin", "surroundings", "host"].includes(name));
      for (const [name, found] of open) assert.match(found, /^refused/u, `${name}: ${found}`);
      assert.deepEqual(evil.hits, []);
      assert.deepEqual(whoami, []);
    };

    it("reaches nobody when no host is allowed", async () => {
      const findings = await probed("closed", []);
      assert.match(findings["host"] ?? "", /^refused/u);
      assert.deepEqual(host.hits, []);
      assertJailed(findings);
    });

    it("reaches the host that is allowed, without cookies, and nobody by it", async () => {
      const findings = await probed("open", [host.origin]);
      assert.equal(findings["host"], "hello");
      assert.deepEqual([...new Set(host.hits.map(({ url }) => url.split("?")[0]))], ["/open.host", "/redirect"]);
      assertJailed(findings);
    });

    it("would reach them if it were trusted on a page without a policy: the probe works", async () => {
      const own = await startHitLog();
      const lax = await startSite({
        policy: "script-src * 'unsafe-eval' blob: data:; worker-src *",
        routes: { "/free.js": () => probe({ own: own.origin, evil: own.origin, host: own.origin, tag: "free" }) },
      });
      const freePage = await browser.newPage(lax.origin);
      await freePage.evaluate(() => cells.spawn("free", { url: "/free.js", trusted: true, cellURL: "/cell.html" }));
      const findings = (await freePage.evaluate(() => cells.run("free", "probe"))) as Findings;
      const hits = new Set(own.hits.map(({ url }) => url.split("?")[0]?.replace("/free.", "")));
      const shown = ["host", "fetch", "post", "preflight", "xhr", "websocket", "eventsource", "import", "redirect"];
      for (const name of [
        ...shown,
        "blob-worker",
        "import-within",
        "import-scripts-within",
        "websocket-within",
        "twice-within",
      ])
        assert.ok(hits.has(name), `${name} is not among ${[...hits].join()}`);
      assert.equal(findings["eval"], "got through");
      await Promise.all([lax.close(), own.close()]);
    });

    it("takes nothing of the page", async () => {
      assert.equal(await page.evaluate(() => (globalThis as { lockLost?: boolean }).lockLost), false);
    });
  });
}
