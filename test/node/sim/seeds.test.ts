/** A few seeds of the simulator; `npm run sim` runs as many as one likes. Each is a process of its own: globals are replaced. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { digest } from "../../../src/testing/simulation/sha256.ts";

const MAIN = fileURLToPath(new URL("../../simulation/main.ts", import.meta.url));

function sim(...args: readonly string[]): {
  readonly code: number | null;
  readonly told: string;
  readonly last: string;
} {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", MAIN, ...args],
    {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  );
  return { code: status, told: stdout + stderr, last: stdout.trim().split("\n").at(-1) ?? "" };
}

describe("the simulator", () => {
  it("finds nothing in its first seeds, and ends with the totals", () => {
    const { code, told, last } = sim("--seeds", "8", "--jobs", "1");
    assert.equal(code, 0, told);
    assert.match(last, /^8 seeds, \d{4,} steps, \d{4,} events, \d+ faults \(.*\), [\d.]+ s, 0 violations$/u);
  });

  it("runs a seed the same way every time", () => {
    const parts = (text: string): string => text.replace(/, [\d.]+ s,/u, "");
    assert.equal(parts(sim("--seed", "5").last), parts(sim("--seed", "5").last));
  });

  it("does what is kept of a plan only, and stops where it is told to", () => {
    assert.match(sim("--seed", "5", "--keep", "1").last, / 0 faults /u);
    assert.match(sim("--seed", "5", "--steps", "200").last, /^1 seeds, 200 steps/u);
  });

  it("refuses a number that is none", () => {
    const { code, told } = sim("--seeds", "many");
    assert.notEqual(code, 0);
    assert.match(told, /--seeds many/u);
  });

  it("finds a bug that was planted, and tells how to have it again", () => {
    const { code, told } = sim("--planted", "dead-path");
    assert.equal(code, 0, told);
    assert.match(told, /found {2}dead-path-lost after \d+ seeds.*\n1 planted bugs, 1 found/u);
  });
});

describe("the simulation's SHA-256", () => {
  it("is Node's", () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 1_000, 70_000]) {
      const text = "é\u{1f600}x".repeat(length);
      assert.equal(digest(text), createHash("sha256").update(text).digest("hex"));
    }
  });
});
