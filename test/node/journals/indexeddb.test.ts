/** The IndexedDB adapter over an IndexedDB in memory: not a browser, but quick, and where no browser is. */
import "fake-indexeddb/auto";
import { describe, it } from "node:test";
import { journalConformance } from "../../../src/testing.ts";
import { cannot, openHarness } from "../../browser/journals/indexeddb-harness.ts";

describe("journal in fake-indexeddb", () => {
  for (const seed of [1, 2, 3]) {
    const open = () => Promise.resolve(openHarness());
    for (const { name, skip, run } of journalConformance({ open, cannot, seed })) {
      if (seed === 1 || name.includes("seed")) it(name, { skip: skip ?? false }, run);
    }
  }
});
