/** What an agent's workers may use: of a processor in every engine, of memory where the browser tells it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import { bundle } from "../../harness/bundles.ts";
import type { StaticServer } from "../../harness/servers.ts";
import { newName, openSite } from "./site.ts";

/** Without them no browser tells a page anything of its memory. */
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

/** A page on which other agents are registered, of the same code under other names. */
async function open(browser: Browser, site: StaticServer): Promise<Page> {
  const page = await browser.newPage(`${site.origin}/page`);
  await page.evaluate((options) => Suite.begin(options), { name: newName("bounds") });
  return page;
}

async function withPage(browser: Browser, use: (page: Page) => Promise<void>): Promise<void> {
  const code = await bundle("test/fixtures/host/worker.agent.ts");
  const named = (name: string): string => code.replace(/name: "worker"/u, `name: "${name}"`).replace('["work"', `["${name}"`); // prettier-ignore
  const site = await openSite({
    headers: browser.engine === "webkit" ? {} : ISOLATED, // WebKit starts no worker in a cell of such a page
    routes: Object.fromEntries(["toiler", "isolated", "trusted"].map((name) => [`/${name}.js`, named(name)])),
  });
  try {
    await browser.newPage(); // it stays open: WebDriver ends with the last one
    await use(await open(browser, site));
  } finally {
    await browser.kill();
    await site.close();
  }
}

for (const engine of engines())
  describe(`bounds of workers in ${engine}`, { timeout: 120_000 }, () => {
    it("a worker that computes more than it may gets no new work until it computes less", async () => {
      await withPage(await launch(engine), async (page) => {
        const { toil, echo } = await page.evaluate(async () => {
          const runtime = Suite.handle();
          await runtime.registerAgent({ url: "/toiler.js", slots: 2, resourceLimits: { maxCPUPercent: 40 } });
          const busy = runtime.createTask({ capabilities: ["toiler"], input: { do: "toil", ms: 60 } });
          for (;;) {
            const next = runtime.createTask({ capabilities: ["toiler"], input: { do: "echo", value: "done" } });
            await new Promise((resolve) => setTimeout(resolve, 500));
            if (runtime.tasks.get(next)?.status === "queued") return { toil: busy, echo: next };
          }
        });
        const why = await page.evaluate((id) => Suite.handle().whyWaiting(id), echo);
        assert.match(why.text, /strained/u);
        const { maxCPUPercent } = await page.evaluate(
          () => Suite.handle().agents.get("toiler@1.0.0")?.enforcement ?? {},
        );
        assert.equal(maxCPUPercent?.state, "enforced");
        await page.evaluate((id) => {
          Suite.handle().cancelTask(id);
        }, toil);
        assert.equal(await page.evaluate((id) => Suite.result(id), echo), JSON.stringify("done"));
      });
    });

    it("a worker that holds more memory than it may is ended, or its agent says that nobody can tell", async () => {
      const args = engine === "chromium" ? ["--enable-blink-features=ForceEagerMeasureMemory"] : [];
      await withPage(await launch(engine, { args }), async (page) => {
        const states = await page.evaluate(async () => {
          const runtime = Suite.handle();
          for (const name of ["isolated", "trusted"])
            await runtime.registerAgent({
              url: `/${name}.js`,
              trusted: name === "trusted",
              resourceLimits: { maxMemoryMB: 100 },
            });
          return ["isolated", "trusted"].map((name) => runtime.agents.get(`${name}@1.0.0`)?.enforcement.maxMemoryMB);
        });
        const state = engine === "chromium" ? "enforced" : "not enforceable here";
        assert.deepEqual(states.map((one) => one?.state), [state, state]); // prettier-ignore
        const outcome = (name: string, megabytes: number, ms: number): Promise<unknown> =>
          page.evaluate(
            (capability, value, wait) => {
              const order = { do: "hold", value, ms: wait };
              const runtime = Suite.handle();
              return runtime
                .result(runtime.createTask({ capabilities: [capability], input: order, retry: { maxAttempts: 1 } }))
                .catch((error: unknown) => (error as { code: string }).code);
            },
            name,
            megabytes,
            ms,
          );
        const waits = engine === "chromium" ? 60_000 : 100;
        const expected = engine === "chromium" ? "agent/memory-exceeded" : 150;
        const check = async (name: string): Promise<void> => {
          assert.equal(await outcome(name, 150, waits), expected, name);
          assert.equal(await outcome(name, 10, 100), 10, `${name}, which has a new worker`);
        };
        await Promise.all(["isolated", "trusted"].map(check)); // most of it is waiting for the next measurement
      });
    });
  });
