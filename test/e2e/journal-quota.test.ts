/** A real quota: Chromium's, set over its debugging protocol, and Firefox's, set by preferences. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { engines, makeProfile } from "../harness/browsers.ts";
import { CHROMIUM_ARGS, findEngine } from "../harness/engines.ts";
import { serveJournals, type JournalPage } from "./journal-page.ts";

declare const journals: JournalPage; // in the page

const MiB = 1_024 * 1_024;

/** What pages of Playwright and of Puppeteer have in common. */
interface QuotaPage {
  evaluate<T>(run: () => T | Promise<T>): Promise<T>;
}

async function ballastBecomes(page: QuotaPage, bytes: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await page.evaluate(() => journals.ballast())) === bytes) return;
    await sleep(50);
  }
  assert.equal(await page.evaluate(() => journals.ballast()), bytes, "the bytes of the reserve");
}

/** Fills the storage until an append fails, and goes on behind the reserve; gives the head. */
async function fillUp(page: QuotaPage): Promise<number> {
  await page.evaluate(() => journals.open("quota"));
  assert.equal(await page.evaluate(() => journals.append(30, 20_000)), 30);
  await ballastBecomes(page, 4 * MiB);
  assert.equal(await page.evaluate(() => journals.append(1_000, 50_000)), "journal/quota");
  assert.equal(await page.evaluate(() => journals.ballast()), 0, "the reserve is spent");
  const head = await page.evaluate(() => journals.read());
  assert.ok(head > 30, `the head is ${head}`);
  const small = await page.evaluate(() => journals.append(100, 300));
  assert.equal(small, head + 100, "what was appended after the reserve was spent");
  return small;
}

const only = (engine: "chromium" | "firefox"): string | false => (engines().includes(engine) ? false : "not asked for");

it(
  "chromium: a full quota fails one append, the reserve lets others pass, and comes back with space",
  {
    skip: only("chromium"),
  },
  async () => {
    const server = await serveJournals();
    const executablePath = findEngine("chromium")?.executable ?? "";
    const context = await chromium.launchPersistentContext(makeProfile(), { executablePath, args: [...CHROMIUM_ARGS] });
    try {
      const page = await context.newPage();
      await page.goto(server.origin);
      const cdp = await context.newCDPSession(page);
      // Before anything is stored: Chromium believes for 30 s what it last heard of the space that is left.
      await cdp.send("Storage.overrideQuotaForOrigin", { origin: server.origin, quotaSize: 12 * MiB });
      const head = await fillUp(page);
      await cdp.send("Storage.overrideQuotaForOrigin", { origin: server.origin });
      assert.equal(await page.evaluate(() => journals.append(150, 300)), head + 150);
      await ballastBecomes(page, 4 * MiB);
      await page.reload();
      assert.equal(await page.evaluate(() => journals.open("quota")), head + 150);
      assert.equal(await page.evaluate(() => journals.read()), head + 150);
    } finally {
      await context.close();
      await server.close();
    }
  },
);

it("firefox: a full quota fails one append, and the reserve lets others pass", { skip: only("firefox") }, async () => {
  const server = await serveJournals();
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: findEngine("firefox")?.executable ?? "",
    extraPrefsFirefox: { "dom.quotaManager.temporaryStorage.fixedLimit": 5 * 14 * 1_024 }, // KiB; a site gets a fifth
  });
  try {
    const page = await browser.newPage();
    await page.goto(server.origin);
    const head = await fillUp(page);
    await page.reload();
    assert.equal(await page.evaluate(() => journals.open("quota")), head);
    assert.equal(await page.evaluate(() => journals.read()), head);
  } finally {
    await browser.close();
    await server.close();
  }
});
