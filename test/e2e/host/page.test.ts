/** One page and its surroundings: a strict policy, and site data that is cleared. (More faults: the matrix.) */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { engines, launch, type Browser } from "../../harness/browsers.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { newName, openSite } from "./site.ts";

const STRICT =
  "default-src 'none'; script-src 'self'; worker-src 'self'; frame-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";
const report = (count: number): string => {
  const squares = Array.from({ length: count }, (_, at) => at);
  return JSON.stringify({ report: { squares, by: "suite" }, sum: (count * (count - 1)) / 2 });
};

for (const engine of engines())
  describe(`a page in ${engine}`, { timeout: 170_000 }, () => {
    let site: StaticServer;
    let browser: Browser;
    before(async () => {
      site = await openSite({
        headers: (path): Record<string, string> => {
          if (path === "/clear") return { "clear-site-data": '"storage"' };
          return path === "/strict" ? { "content-security-policy": STRICT } : {};
        },
        routes: { "/clear": "cleared" },
      });
      browser = await launch(engine);
      await browser.newPage(); // it stays open: WebDriver ends with the last one
    });
    after(async () => {
      await browser.close();
      await site.close();
    });

    for (const mode of ["shared", "elected"] as const)
      it(`${mode}: works under a strict policy with Trusted Types`, async () => {
        const page = await browser.newPage(`${site.origin}/strict`);
        const options = { name: newName("strict"), modes: [mode] };
        assert.equal(await page.evaluate((given) => Suite.begin(given), options), mode);
        await page.evaluate(() => Suite.start("run", 3, 10));
        assert.equal(await page.evaluate(() => Suite.result("run")), report(3));
        await page.close();
      });

    it("says storage-lost when the site's data are cleared under it, and goes on in an empty store", async (context) => {
      const page = await browser.newPage(`${site.origin}/page`);
      await page.evaluate((name) => Suite.begin({ name }), newName("clear"));
      await page.evaluate(() => Suite.start("before", 3, 10));
      await page.evaluate(() => Suite.result("before"));
      const told = await page.evaluate(async () => {
        const lost = new Promise((resolve) => Suite.handle().on("storage-lost", resolve));
        await fetch("/clear");
        await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, 10_000))]);
        return Suite.told().map(({ type }) => type);
      });
      if (!told.includes("storage-lost")) {
        const before = await page.evaluate(() => Suite.handle().archive.execution("before").then(Boolean));
        assert.ok(before, "the data are gone, and nobody said so");
        context.skip(`${engine} doesn't clear this site's data by a header`);
        return;
      }
      await page.evaluate(async () => {
        await Suite.handle().registerAgent({ url: "/agent.js", workers: 2 });
      });
      const id = await page.evaluate(() =>
        Suite.handle().createTask({ capabilities: ["work"], input: { do: "echo", value: "after" } }),
      );
      assert.equal(await page.evaluate((of) => Suite.result(of), id), '"after"');
      await page.close();
    });
  });
