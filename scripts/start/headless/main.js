/** The audit without a window: the same page, in a browser that nobody sees, told what to do by its address. */
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { startServer } from "../server.js";
import { watchAncestors } from "../ancestors.js";
import { Refusal } from "../refusal.js";
import { NAME, startBrowser } from "./browser.js";
import { readInput } from "./input.js";
import { openProfile } from "./profile.js";
import { createProgress } from "./progress.js";
import { createSession, keyOf } from "./session.js";

/** @import { Options } from "../options.js" */
/** @import { News, Summary } from "./session.js" */
/** @typedef {Options & { headless: string }} HeadlessOptions */

/** How long the page may take to say that it has begun, in milliseconds. */
const START = 90_000;
const REVIEWER = "npm start --headless";
const INTERRUPTED = 130;

/**
 * Audits what the options name.
 * @param {HeadlessOptions} options
 * @param {(quiet: boolean) => Promise<void>} build
 * @returns {Promise<number>} the exit code
 */
export async function runHeadless(options, build) {
  const started = Date.now();
  const path = options.headless;
  await build(process.stdout.isTTY !== true);
  const input = await readInput(path);
  const profile = await openProfile(options.profile);
  const interruption = new AbortController();
  const stop = () => {
    interruption.abort();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  const unwatch = watchAncestors(stop);
  try {
    const key = keyOf(input, options.approve);
    const known = profile.remembered?.key === key && !profile.remembered.finished ? profile.remembered : undefined;
    const run = known?.run ?? `audit-${randomUUID()}`;
    const outcome = await audit({
      options,
      input,
      profile,
      run,
      key,
      known: known?.port,
      interruption: interruption.signal,
    });
    writeReports(options.report, outcome.reports);
    profile.remember({ key, run, port: outcome.port, finished: true });
    tellSummary(options.report, outcome.summary, Date.now() - started);
    return 0;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    console.error(
      options.profile === undefined ? "Interrupted." : "Interrupted. The same command goes on where it was.",
    );
    return INTERRUPTED;
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
    unwatch();
    profile.close();
  }
}

const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * @typedef {object} Audit
 * @property {HeadlessOptions} options
 * @property {import("./input.js").Input} input
 * @property {import("./profile.js").Profile} profile
 * @property {string} run
 * @property {string} key
 * @property {number | undefined} known the port of the run that is taken up
 * @property {AbortSignal} interruption
 */

/**
 * @param {Audit} audit
 * @returns {Promise<{ reports: Map<string, Buffer>, summary: Summary, port: number }>}
 */
async function audit({ options, input, profile, run, key, known, interruption }) {
  /** @type {Map<string, Buffer>} */
  const reports = new Map();
  const ending = createEnding(options, interruption);
  const session = createSession({
    job: { id: run, name: input.name, approve: options.approve, reviewer: REVIEWER },
    input,
    onNews: ending.hear,
    onReport: (file, bytes) => reports.set(file, bytes),
  });
  const server = await startServer({ port: known ?? 0, route: session.route, names: [NAME] });
  profile.remember({ key, run, port: server.port, finished: false });
  const browser = await startBrowser({
    engine: options.browser,
    profile: profile.path,
    temporary: profile.temporary,
    port: server.port,
    hash: session.hash,
  });
  profile.lockedBy(browser.pid);
  void browser.gone.then((complaint) => {
    ending.fail(new Refusal(`The browser ended by itself.${complaint === "" ? "" : `\n${complaint.trim()}`}`));
  });
  try {
    return { reports, summary: await ending.promise, port: server.port };
  } finally {
    ending.close();
    await browser.close();
    await server.close();
  }
}

/**
 * Listens to the page until the run has ended, one way or another.
 * @param {HeadlessOptions} options
 * @param {AbortSignal} interruption
 */
function createEnding({ timeout, headless, profile }, interruption) {
  const progress = createProgress(process.stdout);
  /** @type {(summary: Summary) => void} */
  let done = () => undefined;
  /** @type {(error: Error) => void} */
  let fail = () => undefined;
  /** @type {Promise<Summary>} */
  const promise = new Promise((resolve, reject) => {
    done = resolve;
    fail = reject;
  });
  promise.catch(() => undefined); // whoever awaits it comes a little later
  const later = (/** @type {number} */ ms, /** @type {string} */ reason) =>
    setTimeout(() => {
      fail(new Refusal(reason));
    }, ms);
  const start = later(START, `The page did not begin within ${START / 1000} s.`);
  const goOn = profile === undefined ? "" : " The same command goes on where it was.";
  const end = later(timeout, `${headless}: not done within ${timeout / 1000} s.${goOn}`);
  interruption.addEventListener("abort", () => {
    fail(new Error("interrupted"));
  });
  return {
    promise,
    fail,
    /** @param {News} news */
    hear(news) {
      clearTimeout(start);
      if (news.kind === "begun") tellBeginning(headless, news);
      if (news.steps) progress.show(news.steps);
      if (news.kind === "done" && news.summary) done(news.summary);
      if (news.kind === "failed") fail(new Refusal(`${headless}: ${reasonOf(news)}`));
    },
    close() {
      progress.end();
      clearTimeout(start);
      clearTimeout(end);
    },
  };
}

/** @param {News} news */
function reasonOf({ code = "unknown", message = "the audit failed" }) {
  return message.startsWith(code) ? message : `${message} (${code})`;
}

/**
 * @param {string} path
 * @param {News} news
 */
function tellBeginning(path, { run = "", resumed }) {
  if (resumed === undefined) console.log(`Auditing ${path}`);
  else {
    const [done, total] = [resumed.done, resumed.total].map((value) => value.toLocaleString("en"));
    console.log(`Resumed run ${run}: ${done} of ${total} file checks were already done and are kept`);
  }
}

/**
 * @param {string} folder
 * @param {Map<string, Buffer>} reports
 */
function writeReports(folder, reports) {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, bytes] of reports) writeFileSync(join(folder, name), bytes);
  } catch (error) {
    throw new Refusal(`The reports could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * @param {string} folder
 * @param {Summary} summary
 * @param {number} ms
 */
function tellSummary(folder, { files, total, bySeverity, accepted, dismissed }, ms) {
  const counts = Object.entries(bySeverity).map(([severity, count]) => `${count.toLocaleString("en")} ${severity}`);
  console.log("");
  console.log(`${total.toLocaleString("en")} findings: ${counts.join(", ")}`);
  console.log(`${accepted.toLocaleString("en")} accepted, ${dismissed.toLocaleString("en")} dismissed`);
  console.log(`${files.toLocaleString("en")} files in ${(ms / 1000).toFixed(1)} s`);
  const near = relative(process.env["INIT_CWD"] ?? process.cwd(), resolve(folder)) || ".";
  const shown = near.startsWith("..") ? resolve(folder) : near;
  console.log(`Reports: ${["report.html", "report.json", "report.sarif"].map((name) => join(shown, name)).join("  ")}`);
}
