/** What an agent in a cell can reach; the servers' logs are the judge. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import type { ErrorData } from "../../../src/core/errors.ts";
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

    describe("that interprets untrusted code", () => {
      const given = async (body: string, more: object = {}): Promise<unknown> => {
        const source = `export default async (input, context) => {\n${body}\n};`;
        return page.evaluate((input) => cells.give("interpreter", input), { source, ...more });
      };
      const codeOf = async (body: string, more: object = {}): Promise<unknown> =>
        ((await given(body, { memoryMB: 16, cpuMs: 300, ...more })) as ErrorData).code;

      before(async () => {
        const options = { url: "/agents/interpreter.js", cellURL: "/cell.html" };
        const spawned = await page.evaluate((how) => cells.spawn("interpreter", how), options);
        assert.ok("description" in spawned, JSON.stringify(spawned));
      });

      it("gives it its input and nothing of a platform", async () => {
        const body = `
          const names = "fetch self window postMessage importScripts WebAssembly indexedDB navigator location caches setTimeout Worker crypto";
          return { input, found: names.split(" ").filter((name) => name in globalThis), made: Function("return typeof fetch")() };`;
        assert.deepEqual(await given(body, { input: [1] }), { input: [1], found: [], made: "undefined" });
      });

      it("ends what doesn't stop, between its steps and within one", async () => {
        assert.equal(await codeOf("for (;;) try { for (;;); } catch {}"), "agent/cpu-exceeded");
        assert.equal(await codeOf("/^(a+)+$/.test('a'.repeat(40) + 'b')"), "agent/cpu-exceeded");
        assert.equal(await codeOf("await new Promise(() => {})", { cpuMs: 20_000 }), "agent/stalled");
        if (engine === "webkit") return; // the attempt ends there too, but WebKit ends no worker within WebAssembly
        assert.equal(await codeOf("[].indexOf.call({ length: 2 ** 53 - 1 }, 1)"), "agent/cpu-exceeded");
        assert.equal(await given("return 'next'", { cpuMs: 20_000 }), "next");
      });

      it("bounds its memory and its stack", async () => {
        const bomb = "const all = []; for (;;) all.push(new Uint8Array(1e6));";
        assert.equal(await codeOf(bomb, { cpuMs: 20_000 }), "agent/memory-exceeded");
        const deep = "const go = (n) => { try { return go(n + 1); } catch { return n; } }; return go(0);";
        assert.ok(Number(await given(deep)) > 300);
        for (const body of [
          "JSON.parse('['.repeat(1e6))",
          "eval('('.repeat(1e5))",
          "const go = () => 'a'.replace(/a/, go); go();",
        ])
          assert.equal(await codeOf(body, { cpuMs: 20_000 }), "agent/failed", body);
      });

      it("starts each attempt anew, a hundred times", async () => {
        const body =
          "const before = typeof kept; globalThis.kept = new Uint8Array(1e6); await context.checkpoint?.call; return before;";
        for (let at = 0; at < 100; at++) assert.equal(await given(body, { memoryMB: 512 }), "undefined");
      });
    });

    it("takes nothing of the page", async () => {
      assert.equal(await page.evaluate(() => (globalThis as { lockLost?: boolean }).lockLost), false);
    });
  });
}
