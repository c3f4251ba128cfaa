/**
 * The three kinds of suites. Each gives rows for the summary; what crashed, hung or never reported is a failure.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run, toolNode } from "../toolchain.js";

/** @import { SessionResult } from "./browser-reporter.js" */

/**
 * A line of the summary.
 * @typedef {{ suite: string, passed: number, failed: number, skipped: number, note?: string }} Row
 */

/** @typedef {{ files: string[], grep: string | undefined, engines: string[] }} Request */

const MINUTE = 60_000;
const RESULTS = join(ROOT, ".cache/test");
const NO_WARNING = "--disable-warning=ExperimentalWarning";

/**
 * Suites that run in Node itself: `node --test` strips the types.
 * @param {string} suite "node" or "e2e"
 * @param {Request} request
 * @param {{ concurrency: number, timeout: number }} limits
 * @returns {Promise<Row[]>}
 */
export async function runNodeSuite(suite, { files, grep, engines }, { concurrency, timeout }) {
  const results = freshFile(`${suite}.json`);
  const args = [NO_WARNING, "--test", `--test-concurrency=${concurrency}`, "--test-timeout=180000"];
  args.push(`--test-reporter=${join(ROOT, "scripts/test/node-reporter.js")}`, "--test-reporter-destination=stdout");
  if (grep !== undefined) args.push(`--test-name-pattern=${grep}`);
  const env = { RESULTS: results, BROWSERS: engines.join(","), TEST_FILES: files.join(",") };
  const { code } = await run(toolNode(), [...args, ...files], { timeout, env });
  if (!existsSync(results)) return [{ suite, passed: 0, failed: 1, skipped: 0, note: `no result, exit code ${code}` }];
  const counts = JSON.parse(readFileSync(results, "utf8"));
  if (code !== 0 && counts.failed === 0) return [{ suite, ...counts, failed: 1, note: `exit code ${code}` }];
  return [{ suite, ...counts }];
}

/**
 * Suites that run in pages. A session that never started gets one more chance, in a browser of its own.
 * @param {Request} request
 * @param {(most: number) => number} within how long a run may take, at most so many milliseconds
 * @returns {Promise<Row[]>}
 */
export async function runBrowserSuite({ files, grep, engines }, within) {
  const results = await runSessions(files, engines, grep, within(14 * MINUTE));
  for (const engine of engines) {
    const lost = files.filter((file) => !resultFor(results, engine, file)?.started);
    if (lost.length === 0) continue;
    console.log(`${engine}: once more, as it did not start: ${lost.join(" ")}`);
    const second = await runSessions(lost, [engine], grep, within(2 * MINUTE));
    for (const [name, result] of second) results.set(name, result);
  }
  return engines.map((engine) => rowOf(engine, files, results));
}

/**
 * @param {string} engine
 * @param {string[]} files
 * @param {SessionResults} results
 * @returns {Row}
 */
function rowOf(engine, files, results) {
  const row = { suite: `browser ${engine}`, passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    const result = resultFor(results, engine, file);
    if (result === undefined) console.log(`  FAILED ${engine} ${file}: no result, it hung or its browser died`);
    row.passed += result?.passed ?? 0;
    row.failed += result?.failed ?? 1;
    row.skipped += result?.skipped ?? 0;
  }
  return row;
}

/** @typedef {Map<string, SessionResult>} SessionResults by engine and file */

const key = (/** @type {string} */ engine, /** @type {string} */ file) => `${engine} ${file}`;

/**
 * @param {SessionResults} results
 * @param {string} engine
 * @param {string} file
 */
const resultFor = (results, engine, file) => results.get(key(engine, file));

/**
 * @param {string[]} files
 * @param {string[]} engines
 * @param {string | undefined} grep
 * @param {number} timeout
 * @returns {Promise<SessionResults>}
 */
async function runSessions(files, engines, grep, timeout) {
  const results = freshFile(`browser-${engines.join("-")}.jsonl`);
  const env = { RESULTS: results, BROWSERS: engines.join(","), TEST_FILES: files.join(","), GREP: grep ?? "" };
  const runner = join(ROOT, "node_modules/@web/test-runner/dist/bin.js");
  const { code } = await run(toolNode(), [NO_WARNING, runner], { timeout, env });
  if (code === 124) console.log(`The browsers were stopped after ${timeout / MINUTE} minutes`);
  const lines = existsSync(results) ? readFileSync(results, "utf8").split("\n").filter(Boolean) : [];
  return new Map(lines.map((line) => JSON.parse(line)).map((result) => [key(result.engine, result.file), result]));
}

/** @param {string} name */
function freshFile(name) {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, name);
  rmSync(file, { force: true });
  return file;
}
