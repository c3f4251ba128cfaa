/**
 * Ten thousand tasks over eight agents in two tabs, while workers are killed, tabs close and come back, and the host is
 * killed: every task is completed once, none is lost. `SEED=…` before the command plays a run again.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createChance, type Chance } from "../../node/core/chance.ts";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import { CROWD, newName, openSite } from "./site.ts";

const TASKS = Number(process.env["TASKS"] ?? 10_000);
const MISFORTUNES = 20;
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

interface Crowd {
  readonly browser: Browser;
  readonly url: string;
  readonly name: string;
  readonly chance: Chance;
  /** In Chromium the host is in a SharedWorker, elsewhere in the worker of a tab, so that it can be killed with it. */
  readonly mode: "shared" | "elected";
  readonly tabs: Page[];
  readonly done: Map<string, number>;
}

async function come({ browser, url, name, mode, tabs }: Crowd): Promise<void> {
  const page = await browser.newPage(url);
  assert.equal(await page.evaluate((options) => Suite.connect(options), { name, modes: [mode] }), mode);
  await page.evaluate((agents) => Suite.enlist(agents), CROWD);
  tabs.push(page);
}

/** A tab goes, whatever it was doing, and another one comes. */
async function leave(crowd: Crowd, tab: Page, how: (tab: Page) => Promise<unknown>): Promise<void> {
  crowd.tabs.splice(crowd.tabs.indexOf(tab), 1);
  await Promise.race([how(tab).catch(() => undefined), sleep(3_000)]);
  await come(crowd);
}

/** The process of the tab ends as in a crash; in Chromium the first tab's runs the SharedWorker too. */
async function crash(tab: Page): Promise<void> {
  await Promise.race([tab.goto("chrome://crash").catch(() => undefined), sleep(1_000)]);
  await tab.close();
}

async function misfortune(crowd: Crowd, round: number): Promise<string> {
  const { tabs, chance, browser } = crowd;
  if (round % 5 < 3) {
    const hit = await chance.pick(tabs).evaluate((random) => Suite.strike(random), chance.next());
    return hit ? "worker killed" : "nobody hit";
  }
  const [oldest] = tabs;
  const isOldest = round % 5 === 3; // it has the host
  const tab = isOldest && oldest ? oldest : chance.pick(tabs);
  const isCrash = browser.engine === "chromium" && isOldest;
  await leave(crowd, tab, isCrash ? crash : (one) => one.close());
  return isOldest ? "host killed" : "tab closed";
}

async function live(crowd: Crowd): Promise<void> {
  const { tabs, done, chance } = crowd;
  await come(crowd);
  await come(crowd);
  await Promise.all(
    tabs.map((tab, at) => tab.evaluate((from, count) => Suite.sow(from, count), at * (TASKS / 2), TASKS / 2)),
  );
  for (let round = 0; round < MISFORTUNES; round++) {
    const pause = chance.below(TASKS / MISFORTUNES / 2);
    if (!(await tabs.at(-1)?.evaluate((count) => Suite.seeEnd(count), pause))) break;
    const what = await misfortune(crowd, round);
    done.set(what, (done.get(what) ?? 0) + 1);
  }
  await tabs[0]?.evaluate(() => Suite.seeEnd(Infinity));
}

/** Every task is in the archive with what its agent told, and the journal has completed it once since it began. */
async function check({ tabs }: Crowd, name: string): Promise<void> {
  const [page, other] = tabs;
  assert.ok(page && other);
  const found = await page.evaluate(() => Suite.inspect());
  assert.deepEqual(found, { numbers: TASKS, rows: TASKS, faults: [] });
  await other.evaluate(() => Suite.close());
  await page.evaluate(() => Suite.close());
  const counts = await page.evaluate((of) => Suite.counted(of), name);
  assert.deepEqual(counts, { created: TASKS, completed: TASKS, failed: 0, live: 0 });
}

for (const engine of engines())
  describe(`a crowd in ${engine}`, { timeout: 175_000 }, () => {
    it(`${String(TASKS)} tasks over ${String(CROWD)} agents in two tabs, with kills (SEED=${String(SEED)}): every task once, none lost`, async () => {
      const site = await openSite();
      const browser = await launch(engine);
      try {
        await browser.newPage(); // it stays open: WebDriver ends with the last one
        const name = newName("crowd");
        const mode: Crowd["mode"] = engine === "chromium" ? "shared" : "elected";
        const more = { name, mode, chance: createChance(SEED), done: new Map<string, number>() };
        const crowd: Crowd = { browser, url: `${site.origin}/page`, ...more, tabs: [] };
        const started = performance.now();
        await live(crowd);
        const took = Math.round(performance.now() - started);
        await check(crowd, name);
        for (const what of ["worker killed", "host killed", "tab closed"])
          assert.ok(crowd.done.get(what), `nothing came of it: ${what}`);
        const told = [...crowd.done].map(([what, times]) => `${String(times)} × ${what}`).join(", ");
        console.log(`${engine}: ${String(took)} ms, ${told}`);
      } finally {
        await browser.kill();
        await site.close();
      }
    });
  });
