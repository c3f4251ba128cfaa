/** Two tabs of one site: whoever closes, the run goes on; what both show is the same. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { newName, openSite } from "./site.ts";

const REPORT = JSON.stringify({ report: { squares: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], by: "suite" }, sum: 66 });
const once = (times: readonly number[]): boolean => times.every((time) => time === 1);

for (const engine of engines())
  describe(`two tabs in ${engine}`, { timeout: 170_000 }, () => {
    let site: StaticServer;
    let browser: Browser;
    before(async () => {
      site = await openSite();
      browser = await launch(engine);
      await browser.newPage(); // it stays open: WebDriver ends with the last one
    });
    after(async () => {
      await browser.close();
      await site.close();
    });
    const tab = async (options: Parameters<typeof Suite.begin>[0]): Promise<Page> => {
      const page = await browser.newPage(`${site.origin}/page`);
      assert.equal(await page.evaluate((given) => Suite.begin(given), options), options.modes?.[0]);
      return page;
    };
    const start = (page: Page, ms: number): Promise<boolean> =>
      page.evaluate((pause) => Suite.start("run", 12, pause), ms);

    // Where a tab is the host, a row of the matrix does the same.
    it("shared: started in one, which closes, finished in the other; each task completed once", async () => {
      const name = newName("tabs");
      const first = await tab({ name, modes: ["shared"] });
      const second = await tab({ name, modes: ["shared"] });
      await start(first, 200);
      await first.evaluate(() => Suite.completed(3));
      await first.close();
      assert.equal(await second.evaluate(() => Suite.result("run")), REPORT);
      await second.evaluate(() => Suite.close());
      const tally = await second.evaluate((of) => Suite.tally(of), name);
      assert.equal(tally.tasks, 13);
      assert.equal(tally.completions.length, 13);
      assert.ok(once(tally.completions));
      assert.deepEqual(
        tally.epochs,
        [...new Set(tally.epochs)].sort((a, b) => a - b),
        "hosts follow each other",
      );
      await second.close();
    });

    for (const mode of ["shared", "elected"] as const)
      it(`${mode}: both open, no step runs twice, and both show the same`, async () => {
        const name = newName("tabs");
        const [first, second] = [await tab({ name, modes: [mode] }), await tab({ name, modes: [mode] })];
        await start(second, 30);
        let compared = 0;
        for (let look = 0; look < 20; look++) {
          const one = await first.evaluate(() => Suite.picture());
          const other = await second.evaluate(() => Suite.picture());
          if (one.seq !== other.seq) continue;
          assert.equal(one.views, other.views);
          compared++;
        }
        assert.equal(await first.evaluate(() => Suite.result("run")), REPORT);
        assert.equal(await second.evaluate(() => Suite.result("run")), REPORT);
        const { seq } = await first.evaluate(() => Suite.picture());
        const end = await second.evaluate((wanted) => Suite.pictureAt(wanted), seq);
        assert.equal(end?.views ?? "later", (await first.evaluate(() => Suite.picture())).views);
        await first.evaluate(() => Suite.close());
        await second.evaluate(() => Suite.close());
        const tally = await second.evaluate((of) => Suite.tally(of), name);
        assert.ok(once(tally.assignments) && once(tally.completions), JSON.stringify(tally));
        console.log(`${engine} ${mode}: ${String(compared)} pictures compared while it ran`);
        await first.close();
        await second.close();
      });
  });
