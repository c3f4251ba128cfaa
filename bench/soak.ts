/** `npm run bench -- messages --soak MINUTES [--batched]`: messages in Chromium while tabs and their agents are closed and crashed. */
import { launch, type Page } from "../test/harness/browsers.ts";
import { startServer } from "../test/harness/servers.ts";
import { bundle } from "./bundle.ts";
import type { Bench } from "./page/index.ts";

declare const bench: Bench; // in the page

const TABS = 2;
/** Milliseconds between two kills. */
const PACE = 4_000;

export async function runSoak(minutes: number, batched: boolean): Promise<void> {
  await bundle(true);
  const server = await startServer({
    routes: { "/bench.html": '<!doctype html><meta charset="utf-8" /><script src="/bench/dist/page.js"></script>' },
  });
  const browser = await launch("chromium");
  const open = async (): Promise<Page> => {
    const page = await browser.newPage(`${server.origin}/bench.html`);
    await page.evaluate((...given) => bench.consume(...given), "soak", batched);
    return page;
  };
  try {
    const main = await browser.newPage(`${server.origin}/bench.html`);
    const result = main.evaluate((...given) => bench.soak(...given), "soak", minutes * 60_000, batched);
    const life = { over: false };
    const over = result.finally(() => (life.over = true)).catch(() => undefined);
    const tabs = [];
    for (let at = 0; at < TABS; at++) tabs.push(await open());
    let kills = 0;
    while (!life.over) {
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, PACE))]);
      const victim = tabs.shift();
      if (kills++ % 2 === 0) await victim?.close();
      else await crash(victim);
      tabs.push(await open());
    }
    const found = await result;
    console.log(JSON.stringify({ minutes, batched, kills, ...found }, null, 2));
    if (found.lost > 0 || found.problems.length > 0 || found.acked === 0) process.exitCode = 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Its renderer dies, as when it has run out of memory; the tab is closed then. */
async function crash(page: Page | undefined): Promise<void> {
  const patience = new Promise((resolve) => setTimeout(resolve, 1_000));
  await Promise.race([page?.goto("chrome://crash").catch(() => undefined), patience]);
  await page?.close().catch(() => undefined);
}
