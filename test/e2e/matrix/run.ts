/** One run that a fault strikes: 13 tasks and an approval, and what became of them. */
import assert from "node:assert/strict";
import { launch, makeProfile, type Browser, type LaunchOptions, type Page } from "../../harness/browsers.ts";
import type { Engine } from "../../harness/engines.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { newName } from "../host/site.ts";

const COUNT = 12;
const REPORT = JSON.stringify({
  report: { squares: Array.from({ length: COUNT }, (_, at) => at), by: "suite" },
  sum: (COUNT * (COUNT - 1)) / 2,
});

/** What a fault's function gets. */
export interface Scene {
  readonly engine: Engine;
  readonly site: StaticServer;
  /** Of the runtime, so of its database. */
  readonly name: string;
  /** Storage outlives the browser in it. */
  readonly profile: string;
  /** The browser of all faults that leave it as it is, or one of its own with these options. */
  open(options?: LaunchOptions): Promise<Browser>;
  end(): Promise<void>;
}

export type Mode = "shared" | "elected";

export function sceneOf(engine: Engine, site: StaticServer, shared: Browser): Scene {
  const own = new Set<Browser>();
  const pages = new Set<Page>();
  return {
    engine,
    site,
    name: newName("matrix"),
    profile: makeProfile(),
    async open(options) {
      if (!options) return { ...shared, newPage: async (url) => noted(pages, await shared.newPage(url)) };
      const browser = await launch(engine, options);
      own.add(browser);
      await browser.newPage(); // it stays open: WebDriver ends with the last one
      return browser;
    },
    async end() {
      for (const browser of own) await browser.kill();
      for (const page of pages) await page.close().catch(() => undefined); // the fault may have closed it
    },
  };
}

function noted(pages: Set<Page>, page: Page): Page {
  pages.add(page);
  return page;
}

/** A tab in which the run is, or can be, gone on with. */
export async function tab(scene: Scene, browser: Browser, modes?: readonly Mode[], path = "/page"): Promise<Page> {
  const page = await browser.newPage(`${scene.site.origin}${path}`);
  await begin(scene, page, modes);
  return page;
}

export async function begin({ name }: Scene, page: Page, modes?: readonly Mode[]): Promise<string> {
  return page.evaluate((options) => Suite.begin(options), { name, ...(modes && { modes }) });
}

/** Starts the run, and waits until a part of it is done. */
export async function midway(page: Page, workflow = "flow"): Promise<void> {
  await page.evaluate((count, which) => Suite.start("run", count, 120, which), COUNT, workflow);
  await page.evaluate(() => Suite.completed(3));
}

/**
 * The run ends with what it would have given without a fault, each task completed once, under one host after the other.
 * `others`: how many tasks there were beside its own.
 */
export async function judge({ name }: Scene, page: Page, others = 0): Promise<"goes on"> {
  assert.equal(await page.evaluate(() => Suite.result("run")), REPORT);
  await page.evaluate(() => Suite.close());
  const { tasks, completions, epochs } = await page.evaluate((of) => Suite.tally(of), name);
  assert.equal(tasks, COUNT + 1 + others);
  assert.deepEqual(completions, Array.from({ length: tasks }, () => 1)); // prettier-ignore
  assert.deepEqual(
    epochs,
    [...new Set(epochs)].sort((a, b) => a - b),
    "hosts follow each other",
  );
  return "goes on";
}

/** Connects, and gives the mode, or the code of the error. */
export function attempt(page: Page, name: string): Promise<string> {
  return page.evaluate(
    (of) =>
      Suite.connect({ name: of, timeout: 12_000 }).catch((error: unknown) =>
        String((error as { code?: unknown }).code),
      ),
    name,
  );
}
