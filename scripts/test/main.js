/**
 * `npm test`: all suites, and as the last line `N passed, N failed`.
 *   --only node|browser|e2e   --browsers chromium,firefox   --grep PATTERN   --files GLOB|PART   --no-build
 */
import { globSync } from "node:fs";
import { parseArgs } from "node:util";
import { ENGINES } from "../../test/harness/engines.ts";
import { ROOT, runScript } from "../toolchain.js";
import { installBrowsers } from "./install-browsers.js";
import { runBrowserSuite, runNodeSuite } from "./suites.js";

/** @import { Row } from "./suites.js" */

const KINDS = /** @type {const} */ (["node", "browser", "e2e"]);
const MINUTE = 60_000;

/** End-to-end files that wait more than they compute: two of them at a time do each other no harm. */
const WAITING = ["host/bounds", "host/page", "host/rerun", "host/tabs", "cells/", "demo/", "e2e/journal", "matrix/"];

const deadline = Date.now() + 26 * MINUTE; // for all suites together, so that a hung browser ends in a result

process.chdir(ROOT);
const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    browsers: { type: "string" },
    grep: { type: "string" },
    files: { type: "string" },
    "no-build": { type: "boolean" },
  },
});
const kinds = KINDS.filter((kind) => options.only === undefined || options.only.split(",").includes(kind));
const files = Object.fromEntries(KINDS.map((kind) => [kind, kinds.includes(kind) ? select(kind) : []]));
const needsBrowsers = [...(files["browser"] ?? []), ...(files["e2e"] ?? [])].length > 0;

/** @type {Row[]} */
const rows = [];
try {
  rows.push(...(await build()), ...(await runAll(await engines())));
} catch (error) {
  console.error(error);
  rows.push(failedRow("the runner itself"));
}
report(rows);

/** @param {string} kind */
function select(kind) {
  const all = globSync(`test/${kind}/**/*.test.ts`).sort();
  if (options.files === undefined) return all;
  const matched = new Set(globSync(options.files));
  return all.filter((file) => matched.has(file) || file.includes(options.files ?? ""));
}

/** @returns {Promise<Row[]>} */
async function build() {
  if (!needsBrowsers || options["no-build"]) return [];
  const { code } = await runScript("scripts/build/main.js", ["--if-needed", "--no-types"], { timeout: 5 * MINUTE });
  return code === 0 ? [] : [failedRow("build")];
}

/** The engines to use, and a failed row for each that cannot be had. */
async function engines() {
  const chosen = (options.browsers ?? process.env["BROWSERS"])?.split(",");
  const wanted = ENGINES.filter((engine) => chosen?.includes(engine) ?? true);
  const missing = needsBrowsers ? await installBrowsers(wanted) : [];
  const names = wanted.filter((engine) => !missing.includes(engine));
  return { names, rows: missing.map((engine) => failedRow(`browser ${engine}`, "not installed, and cannot be had")) };
}

/** @param {number} most milliseconds */
function within(most) {
  return Math.max(Math.min(most, deadline - Date.now()), MINUTE / 4);
}

/** @param {Awaited<ReturnType<typeof engines>>} available */
async function runAll({ names, rows }) {
  const request = { grep: options.grep, engines: names };
  const [node = [], browser = [], e2e = []] = KINDS.map((kind) => files[kind]);
  const all = [...rows];
  if (node.length > 0) {
    const limits = { concurrency: 2, timeout: within(10 * MINUTE) };
    all.push(...(await runNodeSuite("node", { ...request, files: node }, limits)));
  }
  if (browser.length > 0 && names.length > 0) {
    all.push(...(await runBrowserSuite({ ...request, files: browser }, within)));
  }
  const waiting = e2e.filter((file) => WAITING.some((part) => file.includes(part)));
  const working = e2e.filter((file) => !waiting.includes(file));
  if (waiting.length > 0) {
    const limits = { concurrency: 2, timeout: within(10 * MINUTE) };
    all.push(...(await runNodeSuite("e2e, two at a time", { ...request, files: waiting }, limits)));
  }
  if (working.length > 0) {
    const limits = { concurrency: 1, timeout: within(14 * MINUTE) };
    all.push(...(await runNodeSuite("e2e", { ...request, files: working }, limits)));
  }
  return all;
}

/**
 * @param {string} suite
 * @param {string} [note]
 * @returns {Row}
 */
function failedRow(suite, note) {
  return { suite, passed: 0, failed: 1, skipped: 0, ...(note !== undefined && { note }) };
}

/** @param {Row[]} all */
function report(all) {
  const sum = (/** @type {"passed" | "failed"} */ field) => all.reduce((total, row) => total + row[field], 0);
  const ran = sum("passed") + sum("failed") > 0;
  console.log("");
  if (!ran) console.log("FAILED: no test matches");
  for (const { suite, passed, failed, skipped, note } of all) {
    const details = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
    console.log(`${failed > 0 ? "FAILED" : "ok    "} ${suite}: ${details}${note === undefined ? "" : ` (${note})`}`);
  }
  console.log(`${sum("passed")} passed, ${sum("failed") + (ran ? 0 : 1)} failed`);
  process.exitCode = sum("failed") > 0 || !ran ? 1 : 0;
}
