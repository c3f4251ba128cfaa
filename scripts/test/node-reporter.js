/**
 * A reporter for `node --test`: a line per file, failures in full, and the counts as JSON in the file named by RESULTS.
 */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { inspect } from "node:util";
import { ROOT } from "../toolchain.js";

/** @import { TestEvent } from "node:test/reporters" */

/**
 * @param {AsyncIterable<TestEvent>} events
 * @returns {AsyncGenerator<string>}
 */
export default async function* nodeReporter(events) {
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    else if (type === "test:fail" && !isEcho(data)) yield failure(data);
    else if (type === "test:summary") yield summary(data);
  }
}

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

/** @param {{ file?: string | undefined, counts: { passed: number, cancelled: number, skipped: number, tests: number, todo: number } }} data */
function summary({ file, counts }) {
  const { passed, skipped, todo } = counts;
  const failed = counts.tests - passed - skipped - todo;
  if (file === undefined) {
    const results = process.env["RESULTS"];
    if (results !== undefined) writeFileSync(results, JSON.stringify({ passed, failed, skipped: skipped + todo }));
    return "";
  }
  const bad = failed > 0 ? `, ${failed} FAILED` : "";
  return `node     ${relative(ROOT, file)}: ${passed} passed${bad}${skipped > 0 ? `, ${skipped} skipped` : ""}\n`;
}
