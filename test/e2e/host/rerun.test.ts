/**
 * The process that runs the SharedWorker is killed under two tabs: the tab that is left gets its answers, each once.
 * Only Chromium's can be: WebKit's driver ends its session with the process. `test/browser/host/hosts.test.ts` plays
 * that WebKit re-runs the script under old ports, in every engine.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines, launch } from "../../harness/browsers.ts";
import { newName, openSite } from "./site.ts";

const COUNT = 20;

for (const engine of engines().filter((each) => each === "chromium"))
  describe(`the SharedWorker's process is killed in ${engine}`, { timeout: 120_000 }, () => {
    it("and the other tab goes on: commands decided once, the run finished", async () => {
      const site = await openSite();
      const browser = await launch(engine);
      const name = newName("rerun");
      const first = await browser.newPage(`${site.origin}/page`);
      await first.evaluate((of) => Suite.begin({ name: of, modes: ["shared"] }), name);
      const second = await browser.newPage(`${site.origin}/page`);
      await second.evaluate((of) => Suite.begin({ name: of, modes: ["shared"] }), name);
      await second.evaluate((count) => Suite.start("run", count, 100), COUNT);
      await second.evaluate(() => Suite.completed(2));
      await Promise.race([first.goto("chrome://crash").catch(() => undefined), sleep(3_000)]);
      const own = await second.evaluate(() =>
        Suite.handle().createTask({ capabilities: ["work"], input: { do: "echo", value: "after" } }),
      );
      assert.equal(await second.evaluate((of) => Suite.result(of), own), '"after"');
      await second.evaluate(() => Suite.result("run"));
      const told = await second.evaluate(() => Suite.told().map(({ type }) => type));
      await second.evaluate(() => Suite.close());
      const tally = await second.evaluate((of) => Suite.tally(of), name);
      assert.equal(tally.tasks, COUNT + 2);
      assert.ok(tally.completions.length === COUNT + 2 && tally.completions.every((times) => times === 1));
      console.log(`${engine}: ${String(tally.epochs.length)} hosts, told ${told.join() || "nothing"}`);
      await browser.kill();
      await site.close();
    });
  });
