import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { ROOT } from "../toolchain.js";

/** @import { Reporter, TestResultError, TestSession, TestSuiteResult } from "@web/test-runner-core" */

const MAX_LINES = 40;
const MAX_WIDTH = 400;

/**
 * The runner buffers the console to draw its progress, which leaves control characters in a log.
 * @param {string} text
 */
const say = (text) => process.stdout.write(`${text}\n`);

/**
 * What one engine made of one file.
 * @typedef {object} SessionResult
 * @property {string} engine
 * @property {string} file
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {boolean} started whether the page ever answered
 */

/**
 * Reports each session as it ends, so that nothing is lost when a later one hangs.
 * @param {{ results: string | undefined }} options a file that gets one line of JSON per session
 * @returns {Reporter}
 */
export function reporter({ results }) {
  const reported = new Set();
  const begun = new Map();
  return {
    start({ sessions }) {
      sessions.on("session-status-updated", (session) => {
        if (!begun.has(session.id) && session.status !== "SCHEDULED") begun.set(session.id, performance.now());
        if (session.status !== "FINISHED" || reported.has(session.id)) return;
        reported.add(session.id);
        const result = resultOf(session);
        if (results !== undefined) appendFileSync(results, `${JSON.stringify(result)}\n`);
        print(session, result, performance.now() - begun.get(session.id));
      });
    },
  };
}

/**
 * @param {TestSession} session
 * @returns {SessionResult}
 */
function resultOf(session) {
  const tests = session.testResults === undefined ? [] : flatten(session.testResults);
  const failed = tests.filter(({ test }) => hasFailed(test)).length;
  return {
    engine: session.browser.name.toLowerCase(),
    file: relative(ROOT, session.testFile),
    passed: tests.filter(({ test }) => test.passed).length,
    failed: failed === 0 && session.passed !== true && !isFiltered(session) ? 1 : failed,
    skipped: tests.filter(({ test }) => !test.passed && !hasFailed(test)).length,
    started: session.testResults !== undefined || session.passed === true || session.errors.some(isFromPage),
  };
}

/**
 * Tests that a pattern leaves out make a session fail that ran well.
 * @param {TestSession} session
 */
const isFiltered = ({ testResults }) => testResults !== undefined && (process.env["GREP"] ?? "") !== "";

/**
 * What a pattern leaves out has neither passed, nor been skipped, nor an error.
 * @param {TestSuiteResult["tests"][number]} test
 */
const hasFailed = ({ passed, skipped, error }) =>
  !passed && !skipped && !(error === undefined && process.env["GREP"] !== undefined && process.env["GREP"] !== "");

/**
 * Whether an error means that the page ran: everything else is a browser that never came up, or was lost.
 * @param {TestResultError} error
 */
const isFromPage = ({ message }) => /Could not import your test module|tests did not finish within/u.test(message);

/**
 * @param {TestSuiteResult} suite
 * @param {string} path
 * @returns {{ name: string, test: TestSuiteResult["tests"][number] }[]}
 */
function flatten(suite, path = "") {
  const prefix = [path, suite.name].filter(Boolean).join(" › ");
  const own = suite.tests.map((test) => ({ name: [prefix, test.name].filter(Boolean).join(" › "), test }));
  return [...own, ...suite.suites.flatMap((inner) => flatten(inner, prefix))];
}

/**
 * @param {TestSession} session
 * @param {SessionResult} result
 * @param {number} took milliseconds
 */
function print(session, { engine, file, passed, failed, skipped }, took) {
  const counts = `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ""}${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  say(`${engine.padEnd(8)} ${file}: ${counts} (${(took / 1_000).toFixed(1)} s)`);
  if (failed === 0) return;
  for (const { name, test } of session.testResults === undefined ? [] : flatten(session.testResults)) {
    if (hasFailed(test)) printError(`FAILED ${engine} ${file} › ${name}`, test.error);
  }
  for (const error of session.errors) printError(`FAILED ${engine} ${file}`, error);
  for (const url of session.request404s) say(`    404 ${url}`);
  for (const line of session.logs) say(`    log ${line.map(String).join(" ")}`);
}

/**
 * Browsers that fail to start tell their whole command line, more than once.
 * @param {string} text
 */
function excerpt(text) {
  const lines = text.trimEnd().split("\n");
  const rest = lines.length > MAX_LINES ? [`… ${lines.length - MAX_LINES} more lines`] : [];
  return [...lines.slice(0, MAX_LINES), ...rest].map((line) => `      ${line.slice(0, MAX_WIDTH)}`).join("\n");
}

/**
 * @param {string} title
 * @param {TestResultError | undefined} error
 */
function printError(title, error) {
  const { message = "", stack = "", expected, actual } = error ?? {};
  const text = stack.includes(message) ? stack : `${message}\n${stack}`;
  say(`  ${title}\n${excerpt(text)}`);
  if (expected !== undefined || actual !== undefined) {
    say(`      expected: ${String(expected)}\n      actual:   ${String(actual)}`);
  }
}
