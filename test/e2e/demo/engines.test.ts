import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startServer, type StartedServer } from "../../../scripts/start/server.js";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import { eventually } from "../../harness/processes.ts";

for (const engine of engines()) {
  describe(`The demo in ${engine}`, () => {
    let server: StartedServer;
    let browser: Browser;
    let page: Page;
    before(async () => {
      server = await startServer();
      browser = await launch(engine);
      page = await browser.newPage(`${server.origin}/`);
    });
    after(async () => {
      await browser.close();
      await server.close();
    });

    const shows = (selector: string, words = ""): Promise<unknown> =>
      eventually(
        `${selector} ${words}`,
        async () => {
          const text = await page.evaluate((of) => document.querySelector(of)?.textContent ?? null, selector);
          return text?.includes(words) ? text : undefined;
        },
        60_000,
      );

    it("opens, gets ready for offline, and audits the sample when the server is gone", async () => {
      await shows(".runtime", "ready, opens without");
      await server.close();
      await page.reload();
      await shows(".runtime", "ready, opens without");
      await page.evaluate(() => {
        document.querySelector<HTMLElement>(".button-main")?.click();
      });
      await shows(".run-head.run-waiting");
      assert.equal(await page.evaluate(() => document.querySelectorAll("[role=alert]").length), 0);
    });
  });
}
