import { journalConformance } from "../../../src/testing.ts";
import { cannot, openHarness } from "./indexeddb-harness.ts";

const seed = 1 + (Date.now() % 100_000); // a new one each time; it is part of the name

describe("journal in IndexedDB, in a page", () => {
  const open = () => Promise.resolve(openHarness());
  for (const { name, skip, run } of journalConformance({ open, cannot, seed })) {
    if (skip === undefined) it(name, run);
    else it.skip(`${name}: ${skip}`);
  }
});
