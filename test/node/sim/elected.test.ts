/** Found by the simulator: an elected tab whose host dies before any page knows it has to start another. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { loadEntries } from "../../../src/simulation-entries.ts";
import { createSite } from "../../../src/testing/simulation/site.ts";

/** How many hosts of the page are killed, each when it has done so many things that others can see. */
for (const fuel of [0, 1, 3])
  it(`starts another host when one dies after ${fuel} steps that others see`, async () => {
    const site = createSite({ seed: 1, entries: await loadEntries(), agents: new Map() });
    try {
      const { world } = site;
      const page = site.openPage("page", ["elected"], () => undefined);
      await world.run(() => site.living("host").length > 0);
      for (const host of site.living("host")) host.fuel = fuel;
      await world.run(() => page.runtime !== undefined || world.now() > 120_000);
      assert.equal(page.runtime?.mode, "elected");
      assert.ok(world.now() > 25_000 && world.now() < 40_000, `${world.now()} ms`);
    } finally {
      site.close();
    }
  });
