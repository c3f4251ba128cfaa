import { seriousProblems } from "./axe.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { codeBase, pack } from "./code-bases.ts";
import { finishReview, give, reaches, SCREENSHOTS, startDemo, skip, type Demo } from "./demo.ts";

const SIZES = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } } as const;
const SCHEMES = ["light", "dark"] as const;

describe("The demo's looks", { skip }, () => {
  let demo: Demo;
  let archive: Uint8Array;
  before(async () => {
    demo = await startDemo();
    archive = await pack(codeBase({ files: 150, lines: 120, faults: 1 }));
  });
  after(() => demo.close());

  for (const [size, viewport] of Object.entries(SIZES))
    for (const colorScheme of SCHEMES)
      it(`has nothing that keeps people out, ${size} and ${colorScheme}`, async () => {
        const visit = await demo.visit({ viewport, colorScheme });
        const page = await visit.open();
        const look = async (name: string): Promise<void> => {
          await page.screenshot({ path: join(SCREENSHOTS, `${name}-${size}-${colorScheme}.png`), fullPage: true });
          assert.deepEqual(await seriousProblems(page), [], name);
          assert.equal(await overflow(page), 0, `${name} scrolls sideways`);
        };
        await page.locator(".stage-picture").waitFor();
        await look("start");
        await give(page, "marketplace-web-2.4.1.tgz", archive);
        await page.locator(".cell-running").first().waitFor();
        await look("run");
        await reaches(page, "waiting");
        await page.locator("#finding-list").focus();
        await page.keyboard.press("a");
        await page.keyboard.press("d");
        await look("review");
        await finishReview(page);
        await page.frameLocator(".report-frame").getByRole("heading", { level: 1 }).waitFor();
        await look("report");
        await page.getByRole("link", { name: "New audit" }).click();
        await give(page, "broken.zip", new Uint8Array(9));
        await reaches(page, "failed");
        await look("failed");
        await visit.close();
      });
});

/** Pixels by which the page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
}
