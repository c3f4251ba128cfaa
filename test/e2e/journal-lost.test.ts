/** Storage that goes, and browsers that die. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines, launch, makeProfile, type Page } from "../harness/browsers.ts";
import { serveJournals, type JournalPage } from "./journal-page.ts";

declare const journals: JournalPage; // in the page

async function ready(page: Page): Promise<void> {
  while (!(await page.evaluate(() => "journals" in globalThis))) await sleep(20);
}

for (const engine of engines()) {
  it(`${engine}: clearing the site's data under an open journal is noticed`, async () => {
    const server = await serveJournals();
    const browser = await launch(engine);
    try {
      const page = await browser.newPage(server.origin);
      await ready(page);
      await page.evaluate(() => journals.open("cleared"));
      assert.equal(await page.evaluate(() => journals.append(5, 300)), 5);
      await page.evaluate(() => fetch("/clear").then((response) => response.text()));
      const outcome = await page.evaluate(async () => {
        for (let tries = 0; tries < 100 && journals.reasons.length === 0; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return { reasons: journals.reasons, append: await journals.append(1, 300) };
      });
      assert.equal(outcome.append, "runtime/storage-lost");
      assert.equal(outcome.reasons.length, 1, outcome.reasons.join());
      assert.equal(await page.evaluate(() => journals.open("cleared")), 0);
      assert.equal(await page.evaluate(() => journals.append(2, 300)), 2);
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

for (const engine of engines().filter((each) => each !== "webkit")) {
  it(`${engine}: a killed browser loses nothing that was acknowledged`, async () => {
    const server = await serveJournals();
    const profile = makeProfile();
    try {
      let acknowledged = 0;
      for (let round = 0; round < 3; round++) {
        const browser = await launch(engine, { profile });
        const page = await browser.newPage(server.origin);
        await ready(page);
        const found = await page.evaluate(() => journals.open("killed"));
        assert.ok(found >= acknowledged, `${found} found, ${acknowledged} acknowledged`);
        assert.equal(await page.evaluate(() => journals.read()), found);
        acknowledged = Number(await page.evaluate((count) => journals.append(count, 500), 20 + round * 17));
        void page.evaluate(() => journals.append(10_000, 500)).catch(() => undefined);
        await sleep(150);
        await browser.kill();
      }
      assert.ok(acknowledged > 60, `${acknowledged} acknowledged`);
    } finally {
      await server.close();
    }
  });
}
