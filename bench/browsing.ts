/** One suite in one browser, from its start to the figures. */
import { launch, makeProfile, type Browser, type Page } from "../test/harness/browsers.ts";
import type { Engine } from "../test/harness/engines.ts";
import { startServer } from "../test/harness/servers.ts";
import { draw, isKept, keep, loadNow, machineOf, nameOf, print, type Options } from "./machine.ts";
import type { Bench } from "./page/index.ts";
import { profile } from "./profile.ts";
import type { Results, Row } from "./row.ts";

declare const bench: Bench; // in the page

/** Suites whose page is isolated from other origins: clocks of browsers are only exact there (5 to 20 µs, not 1 ms). */
const EXACT = ["document"];
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

/** How often the page is asked whether it is done; drivers give up on one call that takes minutes. */
const PACE = 500;

export interface BenchPage {
  readonly browser: Browser;
  readonly page: Page;
  /** Where the browser's profile is. */
  readonly folder: string;
}

/** Starts a browser with the page of the benchmarks, and ends it when the work is done. */
export async function withPage<T>(engine: Engine, exact: boolean, work: (one: BenchPage) => Promise<T>): Promise<T> {
  const server = await startServer({
    routes: { "/bench.html": '<!doctype html><meta charset="utf-8" /><script src="/bench/dist/page.js"></script>' },
    ...(exact && { headers: ISOLATED }),
  });
  const folder = makeProfile();
  const browser = await launch(engine, engine === "webkit" ? {} : { profile: folder });
  try {
    return await work({ browser, page: await browser.newPage(`${server.origin}/bench.html`), folder });
  } finally {
    await browser.close();
    await server.close();
  }
}

export async function runSuite(suite: string, engine: Engine, options: Options): Promise<void> {
  await withPage(engine, EXACT.includes(suite), async ({ page, folder }) => {
    const results = await measure(page, suite, { ...options, engine, folder });
    await finish(page, results, engine, options);
  });
}

/** Draws and keeps what was found. */
export async function finish(page: Page, results: Results, engine: Engine, options: Options): Promise<void> {
  const name = nameOf(results.suite, engine);
  if (engine === "chromium") await picture(page, name, results.rows, options);
  if (isKept(options)) await keep(results, name);
}

/** Draws what was found without a browser; the bundles must be there. */
export async function drawRows(name: string, rows: readonly Row[], options: Options): Promise<void> {
  await withPage("chromium", false, ({ page }) => picture(page, name, rows, options));
}

/** Where lines are in the rows, they are drawn. */
async function picture(page: Page, name: string, rows: readonly Row[], options: Options): Promise<void> {
  const drawn = await page.evaluate((some) => bench.plot(some), rows);
  if (drawn !== undefined) await draw(name, drawn, isKept(options));
}

type Measuring = Options & { readonly engine: Engine; readonly folder: string };

/** All benchmarks of the suite, one after the other. */
export async function measure(page: Page, suite: string, options: Measuring): Promise<Results> {
  const { quick, rounds, only, engine, folder, quiet = false } = options;
  const before = { load: loadNow(), calibration: await page.evaluate(() => bench.calibrate()) };
  const names = await page.evaluate((name, scale) => bench.open(name, scale), suite, { quick, rounds });
  const rows: Row[] = [];
  for (const [place, name] of names.entries()) {
    if (!name.includes(only)) continue;
    const work = (): Promise<readonly Row[]> => runOne(page, place, engine);
    const found = options.profile ? await profile(folder, name, work) : await work();
    if (!quiet) for (const row of found) print(row);
    rows.push(...found);
  }
  const calibration = await page.evaluate(() => bench.calibrate());
  const machine = machineOf(await nameOfBrowser(page), before, calibration);
  if (!quiet) console.log(`calibration ${machine.calibration.join(" → ")}, load ${machine.load.join(" → ")}`);
  return { suite, command: commandOf(suite, engine), machine, rows };
}

/** Chromium's driver waits as long as it takes; of the others it is asked from time to time. */
async function runOne(page: Page, place: number, engine: Engine): Promise<readonly Row[]> {
  if (engine === "chromium") return page.evaluate((at) => bench.run(at), place);
  await page.evaluate((at) => {
    bench.begin(at);
  }, place);
  for (;;) {
    const found = await page.evaluate(() => bench.found());
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, PACE));
  }
}

export function commandOf(suite: string, where: string): string {
  return `npm run bench -- ${suite}${where === "chromium" ? "" : ` --browser ${where}`}`;
}

export function nameOfBrowser(page: Page): Promise<string> {
  return page.evaluate(
    () =>
      /(?:Headless)?(?:Chrome|Firefox)\/[\d.]+/u.exec(navigator.userAgent)?.[0] ??
      /AppleWebKit\/[\d.]+/u.exec(navigator.userAgent)?.[0] ??
      "",
  );
}
