/** Agents on pages with policies, cells from elsewhere, and neighbours that misbehave. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { SpawnOptions } from "../../../src/client/spawner.ts";
import type { ErrorData } from "../../../src/core/errors.ts";
import { honest } from "../../fixtures/agents/hostile.ts";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import type { StaticServer } from "../../harness/servers.ts";
import type { Spawned } from "./page.ts";
import { bundle, startCellOrigin, startSite, STRICT } from "./site.ts";

const FLOOD = honest(`
  take = ({ task, attempt }) => {
    setInterval(() => {
      for (let at = 0; at < 500; at++) host.postMessage([{ kind: "progress", task, attempt, fraction: 0.5 }]);
    }, 1);
  };
`);
const HOG = honest(`
  const kept = [];
  take = ({ task, attempt, input }) => {
    for (let at = 0; at < 48; at++) kept.push(new Uint8Array(4 * 1024 * 1024).fill(at));
    host.postMessage([{ kind: "done", task, attempt, output: JSON.stringify(kept.length) }]);
  };
`);

for (const engine of engines()) {
  describe(`on pages in ${engine}`, () => {
    let browser: Browser;
    let site: StaticServer;
    let elsewhere: StaticServer;
    let page: Page;
    let conduct: string;
    let isThere = false;

    before(async () => {
      conduct = await bundle("test/fixtures/agents/conduct.agent.ts");
      elsewhere = await startCellOrigin();
      site = await startSite({
        routes: {
          "/conduct.js": conduct,
          "/flood.js": FLOOD,
          "/hog.js": HOG,
          "/page.html": "<!doctype html><title>A page, no script</title>",
          "/sometimes.js": (_request, response) => {
            if (!isThere) response.writeHead(503).end("not yet");
            return isThere ? conduct : undefined;
          },
        },
      });
      browser = await launch(engine);
      page = await browser.newPage(site.origin);
    });
    after(async () => {
      await browser.close();
      await Promise.all([site.close(), elsewhere.close()]);
    });

    const attempt = (where: Page, name: string, options: Partial<SpawnOptions>): Promise<Spawned | ErrorData> =>
      where.evaluate((id, how) => cells.spawn(id, how), name, {
        url: "/conduct.js",
        cellURL: "/cell.html",
        ...options,
      });
    const spawn = async (where: Page, name: string, options: Partial<SpawnOptions> = {}): Promise<Spawned> => {
      const spawned = await attempt(where, name, options);
      assert.ok("description" in spawned, JSON.stringify(spawned));
      return spawned;
    };
    const refusal = async (where: Page, options: Partial<SpawnOptions>): Promise<ErrorData> => {
      const error = await attempt(where, "refused", options);
      assert.ok("code" in error, "it was started");
      return error;
    };
    const echo = (where: Page, name: string, value: unknown): Promise<unknown> =>
      where.evaluate((id, it) => cells.run(id, "echo", it), name, value);
    const onPageWith = async (policy: string, job: (where: Page) => Promise<void>): Promise<void> => {
      const other = await startSite({ policy, routes: { "/conduct.js": conduct } });
      try {
        await job(await browser.newPage(other.origin));
      } finally {
        await other.close();
      }
    };

    it("the strictest policy lets isolated and trusted agents work", async () => {
      const isolated = await spawn(page, "isolated");
      assert.equal(isolated.description.name, "conduct");
      assert.deepEqual(await echo(page, "isolated", { deep: [1] }), { deep: [1] });
      const error = (await page.evaluate(() => cells.run("isolated", "throw", "runtime"))) as ErrorData;
      assert.equal(error.code, "blob/range");
      assert.deepEqual(error.detail, { offset: 9 });
      await spawn(page, "trusted", { trusted: true });
      assert.equal(await echo(page, "trusted", "yes"), "yes");
    });

    it("a cell comes from another origin, when the policy names it", async () => {
      await onPageWith(STRICT.replace("frame-src 'self'", `frame-src ${elsewhere.origin}`), async (where) => {
        await spawn(where, "far", { cellURL: `${elsewhere.origin}/cell.html` });
        assert.equal(await echo(where, "far", "from afar"), "from afar");
      });
    });

    it("a policy without the cell is named, at once", async () => {
      await onPageWith(STRICT.replace("frame-src 'self'", "frame-src 'none'"), async (where) => {
        const started = Date.now();
        const error = await refusal(where, {});
        assert.equal(error.code, "agent/load-failed");
        assert.match(error.message, /frame-src/u);
        assert.ok(Date.now() - started < 5_000);
      });
    });

    it("a policy without the code's origin is named", async () => {
      await onPageWith(STRICT.replace("connect-src 'self'", "connect-src 'none'"), async (where) => {
        const error = await refusal(where, {});
        assert.equal(error.code, "agent/load-failed");
        assert.match(error.message, /CSP/u);
      });
    });

    it("a cell.html that is not one is named", async () => {
      const error = await refusal(page, { cellURL: "/page.html" });
      assert.equal(error.code, "agent/load-failed");
      assert.match(error.message, /page\.html/u);
    });

    it("code that is a page, of another origin without CORS, or not there says so", async () => {
      assert.match((await refusal(page, { url: "/page.html" })).message, /text\/html/u);
      assert.match((await refusal(page, { url: "/page.html", trusted: true })).message, /text\/html/u);
      assert.match((await refusal(page, { url: "/nothing.js" })).message, /404/u);
      assert.match((await refusal(page, { url: "/nothing.js", trusted: true })).message, /404/u);
      const foreign = await refusal(page, { url: `${elsewhere.origin}/cell.js` });
      assert.equal(foreign.code, "agent/load-failed");
    });

    it("code is fetched once, but again after it failed", async () => {
      const loads = (): number => site.requests.filter((path) => path === "/sometimes.js").length;
      assert.match((await refusal(page, { url: "/sometimes.js" })).message, /503/u);
      isThere = true;
      const { integrity } = await spawn(page, "first", { url: "/sometimes.js" });
      await page.evaluate(() => {
        cells.kill("first");
      });
      await spawn(page, "second", { url: "/sometimes.js" });
      await spawn(page, "third", { url: "/sometimes.js", integrity });
      assert.equal(loads(), 2);
    });

    it("neighbours go on beside one that loops, one that floods and one that hogs memory", async () => {
      await spawn(page, "looping");
      await spawn(page, "flooding", { url: "/flood.js" });
      await spawn(page, "hog", { url: "/hog.js" });
      await spawn(page, "neighbour");
      await page.evaluate(() => {
        cells.start("looping", "spin");
        cells.start("flooding", "flood");
      });
      assert.equal(await page.evaluate(() => cells.run("hog", "hog")), 48);
      assert.equal(await echo(page, "neighbour", "alive"), "alive");
      await page.evaluate(() => {
        for (const name of ["looping", "hog"]) cells.kill(name);
      });
      const lasted = await page.evaluate(async () => {
        const quiet = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));
        while (cells.posts("flooding") < 2_000) await quiet(50); // then it is killed
        const killed = performance.now();
        let before = -1;
        while (before !== cells.posts("flooding")) {
          before = cells.posts("flooding"); // what is under way still arrives
          await quiet(500);
        }
        return performance.now() - killed;
      });
      assert.ok(lasted < 60_000, `a killed agent posted for ${String(lasted)} ms`); // a slow page has a long queue
      assert.equal(await echo(page, "neighbour", "still"), "still");
      await spawn(page, "next");
      assert.equal(await echo(page, "next", "new"), "new");
    });

    it("an isolated agent that closes itself, or loses an error, is reported", async () => {
      for (const [conductName, says] of [
        ["close", /close/u],
        ["orphan", /an orphan/u],
      ] as const) {
        await spawn(page, conductName);
        await page.evaluate((name) => {
          cells.start(name, name);
        }, conductName);
        const error = await page.evaluate((name) => cells.crashed(name), conductName);
        assert.equal(error.code, "agent/crashed");
        assert.match(error.message, says);
      }
    });

    it("the cell runs nothing for a page that frames it without a sandbox", async () => {
      const heard = await page.evaluate(async () => {
        const frame = document.createElement("iframe");
        frame.src = "/cell.html";
        const loaded = new Promise((resolve) => (frame.onload = resolve));
        document.documentElement.append(frame);
        await loaded;
        const control = new MessageChannel();
        const reports = new MessageChannel();
        const report = new Promise((resolve) => {
          reports.port1.onmessage = ({ data }) => {
            resolve(data);
          };
          setTimeout(resolve, 500, "nothing");
        });
        const code = new TextEncoder().encode("postMessage(origin)").buffer;
        frame.contentWindow?.postMessage({ code, name: "x" }, "*", [control.port2, reports.port2]);
        const first = await report;
        frame.remove();
        return first;
      });
      assert.equal(heard, "nothing");
    });
  });
}
