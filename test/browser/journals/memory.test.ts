import { journalConformance } from "../../../src/testing.ts";
import { cannotInMemory, openMemoryHarness } from "./memory-harness.ts";

const seed = 1 + (Date.now() % 100_000); // a new one each time; it is part of the name

describe("journal in memory, in a page", () => {
  const open = () => Promise.resolve(openMemoryHarness());
  for (const { name, skip, run } of journalConformance({ open, cannot: cannotInMemory, seed })) {
    if (skip === undefined) it(name, run);
    else it.skip(`${name}: ${skip}`);
  }
});
