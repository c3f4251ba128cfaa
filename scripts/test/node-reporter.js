/**
 * A reporter for `node --test`: a line per file, failures in full, and the counts as JSON in the file named by RESULTS.
 * A file of TEST_FILES that never said how it ended is a failure: its process may have died with results untold.
 */
import { writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { inspect } from "node:util";
import { ROOT } from "../toolchain.js";

/** @import { TestEvent } from "node:test/reporters" */

/**
 * @param {AsyncIterable<TestEvent>} events
 * @returns {AsyncGenerator<string>}
 */
export default async function* nodeReporter(events) {
  const silent = new Set((process.env["TEST_FILES"] ?? "").split(",").filter(Boolean).map(absolute));
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    else if (type === "test:fail" && !isEcho(data)) yield failure(data);
    else if (type === "test:summary" && data.file !== undefined) {
      silent.delete(data.file);
      yield summary(data.file, data.counts, data.duration_ms);
    } else if (type === "test:summary") {
      for (const file of silent) yield `  FAILED node ${relative(ROOT, file)}: it never said how it ended\n`;
      keep(data.counts, silent.size);
    }
  }
}

const absolute = (/** @type {string} */ file) => resolve(ROOT, file);

/**
 * A suite fails because a test in it did; that test has told already.
 * @param {import("node:test/reporters").TestEvent extends infer E ? E extends { type: "test:fail", data: infer D } ? D : never : never} data
 */
const isEcho = ({ details }) =>
  /** @type {{ failureType?: string }} */ (details.error).failureType === "subtestsFailed";

/** @param {Parameters<typeof isEcho>[0]} data */
function failure({ name, file, details }) {
  const cause = details.error.cause ?? details.error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
  const where = file === undefined ? "" : `${relative(ROOT, file)} › `;
  return `  FAILED node ${where}${name}\n${text.replace(/^/gmu, "      ")}\n`;
}

/** @typedef {{ passed: number, cancelled: number, skipped: number, tests: number, todo: number }} Counts */

const failed = (/** @type {Counts} */ { tests, passed, skipped, todo }) => tests - passed - skipped - todo;

/**
 * @param {string} file
 * @param {Counts} counts
 * @param {number} took milliseconds
 */
function summary(file, counts, took) {
  const { passed, skipped } = counts;
  const bad = failed(counts) > 0 ? `, ${failed(counts)} FAILED` : "";
  const rest = `${skipped > 0 ? `, ${skipped} skipped` : ""} (${(took / 1_000).toFixed(1)} s)`;
  return `node     ${relative(ROOT, file)}: ${passed} passed${bad}${rest}\n`;
}

/**
 * @param {Counts} counts of all files
 * @param {number} silent how many files never told
 */
function keep(counts, silent) {
  const results = process.env["RESULTS"];
  if (results === undefined) return;
  const { passed, skipped, todo } = counts;
  writeFileSync(results, JSON.stringify({ passed, failed: failed(counts) + silent, skipped: skipped + todo }));
}
