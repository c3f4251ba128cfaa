/** Chromium's tab and its whole process are killed at random moments of one run, on one profile, until it is done. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines, launch, makeProfile, type Browser, type Page } from "../../harness/browsers.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { newName, openSite } from "./site.ts";

const KILLS = 20;
const TASKS = 600;
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

  it(`tab and browser killed ${String(KILLS)} times (SEED=${String(SEED)}): one report, each task completed once`, async () => {
    const random = createRandom(SEED);
    const profile = makeProfile();
    const name = newName("kills");
    let browser = await launch("chromium", { profile });
    let midway = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const page = await browser.newPage(`${site.origin}/page`);
      const working = work(page, name);
      const isDone = await Promise.race([working, sleep(300 + random() * 2_000, false)]);
      if (!isDone) midway++;
      if (kill % 2 === 0) await crash(page);
      else {
        await browser.kill();
        browser = await launch("chromium", { profile });
      }
      await working;
    }
    const report = await finish(browser, site, name);
    const values = Array.from({ length: TASKS }, (_, at) => at);
    const sum = (TASKS * (TASKS - 1)) / 2;
    assert.deepEqual(JSON.parse(report.text), { report: { squares: values, by: "suite" }, sum });
    assert.equal(report.tally.tasks, TASKS + 1);
    assert.equal(report.tally.completions.length, TASKS + 1);
    assert.ok(report.tally.completions.every((times) => times === 1));
    assert.deepEqual(
      report.tally.epochs,
      [...new Set(report.tally.epochs)].sort((a, b) => a - b),
    );
    assert.ok(midway > KILLS / 4, `only ${String(midway)} kills came before the end`);
    console.log(
      `${String(midway)} of ${String(KILLS)} kills before the end, ${String(report.tally.epochs.length)} hosts`,
    );
    await browser.close();
  });
});

/** Resolves with whether the run has ended; false when the page dies before. */
function work(page: Page, name: string): Promise<boolean> {
  return page
    .evaluate(
      async (of, tasks) => {
        await Suite.begin({ name: of });
        await Suite.start("run", tasks, 70);
        await Suite.result("run");
        return true;
      },
      name,
      TASKS,
    )
    .catch(() => false);
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
): Promise<{ text: string; tally: Awaited<ReturnType<typeof Suite.tally>> }> {
  const page = await browser.newPage(`${site.origin}/page`);
  await page.evaluate((of) => Suite.begin({ name: of }), name);
  const text = await page.evaluate(() => Suite.result("run"));
  await page.evaluate(() => Suite.close());
  return { text, tally: await page.evaluate((of) => Suite.tally(of), name) };
}
