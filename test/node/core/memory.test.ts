/** What a measurement of memory says of a page's workers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { workerBytes } from "../../../src/core/agents/memory.ts";

describe("a measurement of memory", () => {
  const of = (bytes: number, ...attribution: readonly { url: string; scope: string }[]): object => ({
    bytes,
    attribution,
  });
  const worker = (url: string): { url: string; scope: string } => ({ url, scope: "DedicatedWorkerGlobalScope" });
  const measured = {
    breakdown: [
      of(1, worker("https://x/a.js#1")),
      of(2, worker("https://x/a.js#2")),
      of(4, { url: "https://x/a.js#1", scope: "Window" }),
      of(8, { url: "https://x/", scope: "Window" }, worker("https://x/b.js#1")),
      of(16),
    ],
  } as Parameters<typeof workerBytes>[0];

  it("counts workers, those of a mark or all", () => {
    assert.equal(workerBytes(measured), 11);
    assert.equal(workerBytes(measured, "#1"), 9);
    assert.equal(workerBytes(measured, "#3"), 0);
  });
});
