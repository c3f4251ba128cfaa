/** Chromium's tab and its whole process are killed at random moments of one audit, on one profile, until it is done. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines, launch, makeProfile, type Browser, type Page } from "../../harness/browsers.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { newName, openSite } from "./site.ts";

const KILLS = 20;
const FILES = 700;
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** The same moments for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("kills in chromium", { skip: !engines().includes("chromium"), timeout: 175_000 }, () => {
  let site: StaticServer;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  it(`tab and browser killed ${String(KILLS)} times (SEED=${String(SEED)}): the same reports, each task completed once`, async () => {
    const random = createRandom(SEED);
    const profile = makeProfile();
    const name = newName("kills");
    let browser = await launch("chromium", { profile });
    let midway = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const page = await browser.newPage(`${site.origin}/page`);
      const working = audit(page, name).then(
        () => true,
        () => false,
      ); // it is killed, or done
      if (!(await Promise.race([working, sleep(400 + random() * 1_000, false)]))) midway++;
      if (kill % 2 === 0) await crash(page);
      else {
        await browser.kill();
        browser = await launch("chromium", { profile });
      }
      await working;
    }
    const { reports, tally } = await finish(browser, site, name);
    const calm = await finish(browser, site, newName("calm"));
    await browser.close();
    assert.ok(reports.includes("src/more/0.js") && reports.includes("sarif"));
    assert.equal(reports, calm.reports);
    assert.equal(tally.tasks, calm.tally.tasks);
    assert.equal(tally.completions.length, calm.tally.tasks);
    assert.ok(tally.completions.every((times) => times === 1));
    assert.deepEqual(
      tally.epochs,
      [...new Set(tally.epochs)].sort((a, b) => a - b),
    );
    assert.ok(midway > KILLS / 2, `only ${String(midway)} kills came before the end`);
    console.log(`${String(midway)} of ${String(KILLS)} kills before the end, ${String(tally.epochs.length)} hosts`);
  });
});

/** Works on the audit in the page, to its reports; rejects when the page dies before. */
async function audit(page: Page, name: string): Promise<string> {
  return page.evaluate((of, files) => Suite.audit(of, "audit", files), name, FILES);
}

/** Ends the renderer as a crash does; the page object is of no use afterwards. */
async function crash(page: Page): Promise<void> {
  await Promise.race([page.goto("chrome://crash").catch(() => undefined), sleep(3_000)]);
  await Promise.race([page.close().catch(() => undefined), sleep(3_000)]);
}

async function finish(
  browser: Browser,
  site: StaticServer,
  name: string,
): Promise<{ reports: string; tally: Awaited<ReturnType<typeof Suite.tally>> }> {
  const page = await browser.newPage(`${site.origin}/page`);
  const reports = await audit(page, name);
  await page.evaluate(() => Suite.close());
  return { reports, tally: await page.evaluate((of) => Suite.tally(of), name) };
}
