/**
 * A tab that is frozen, as by a system that is short of memory: its process is stopped, so its workers stand still too,
 * and it still holds its locks. What it had is done in the other tab; when it thaws, its late answers change nothing.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import { busiest, eventually } from "../../harness/processes.ts";
import { newName, openSite } from "./site.ts";

const COUNT = 6;

async function open(browser: Browser, url: string, name: string): Promise<Page> {
  const page = await browser.newPage(url);
  await page.evaluate((options) => Suite.begin(options), { name, modes: ["elected"] as const });
  return page;
}

/** The process of the page, if it isn't the other one's as well. */
async function processOf(browser: Browser, page: Page, other: Page): Promise<number | undefined> {
  const compute = (one: Page) => () =>
    one.evaluate(() => {
      for (const end = performance.now() + 1_000; performance.now() < end;);
    });
  const found = await busiest(browser.pid ?? 0, compute(page));
  return found === (await busiest(browser.pid ?? 0, compute(other))) ? undefined : found;
}

/** Tasks that would take their time, and may each be tried for two seconds. */
function create(page: Page, count: number): Promise<string[]> {
  return page.evaluate(async (many) => {
    const ids = Array.from({ length: many }, (_, value) =>
      Suite.handle().createTask({
        capabilities: ["work"],
        input: { do: "wait", ms: 600, value },
        timeout: 2_000,
        retry: { maxAttempts: 20, base: 5, jitter: "none" },
      }),
    );
    await Suite.handle().settled();
    return ids;
  }, count);
}

const resultsOf = (page: Page, ids: readonly string[]): Promise<string[]> =>
  page.evaluate((all) => Promise.all(all.map((id) => Suite.result(id))), ids);

/** Both tabs have a worker up. */
async function warmUp(pages: readonly Page[]): Promise<void> {
  const [first] = pages;
  assert.ok(first);
  await resultsOf(first, await create(first, 4));
  await eventually("a worker in each tab", async () => {
    const frames = await Promise.all(
      pages.map((page) => page.evaluate(() => document.querySelectorAll("iframe").length)),
    );
    return frames.every((count) => count === 1) || undefined;
  });
}

for (const engine of engines())
  describe(`a frozen tab in ${engine}`, { timeout: 120_000 }, () => {
    it("holds nothing up: its tasks are done in the other one, each once, and it is of use again when it thaws", async (context) => {
      const site = await openSite();
      const browser = await launch(engine);
      try {
        await browser.newPage(); // it stays open: WebDriver ends with the last one
        const name = newName("frozen");
        const host = await open(browser, `${site.origin}/page`, name);
        const tab = await open(browser, `${site.origin}/page`, name);
        await warmUp([host, tab]);
        const pid = await processOf(browser, tab, host);
        if (pid === undefined) {
          context.skip(`${engine} has both tabs in one process`);
          return;
        }
        const ids = await create(tab, COUNT);
        process.kill(pid, "SIGSTOP");
        try {
          const late = sleep(60_000, undefined, { ref: false }).then(() =>
            assert.fail("a frozen tab holds everything up"),
          );
          const own = await create(host, COUNT);
          const results = await Promise.race([resultsOf(host, [...ids, ...own]), late]);
          assert.deepEqual(results, [...ids, ...own].map((_, at) => String(at % COUNT))); // prettier-ignore
        } finally {
          process.kill(pid, "SIGCONT");
        }
        assert.deepEqual(await resultsOf(tab, await create(tab, 1)), ["0"]);
        await tab.evaluate(() => Suite.close());
        await host.evaluate(() => Suite.close());
        const { tasks, completions, assignments } = await host.evaluate((of) => Suite.tally(of), name);
        assert.equal(tasks, 4 + 2 * COUNT + 1);
        assert.ok(assignments.some((times) => times > 1), "it had an attempt when it froze"); // prettier-ignore
        assert.deepEqual(completions, Array.from({ length: tasks }, () => 1)); // prettier-ignore
      } finally {
        await browser.kill();
        await site.close();
      }
    });
  });
