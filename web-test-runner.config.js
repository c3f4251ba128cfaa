/**
 * The browser suites, in up to three engines. `npm test` starts this; by hand: `BROWSERS=firefox npx wtr` (Node 22).
 * BROWSERS, TEST_FILES and GREP narrow what runs; RESULTS names the file that gets one line of JSON per session.
 */
import { esbuildPlugin } from "@web/dev-server-esbuild";
import { playwrightLauncher } from "@web/test-runner-playwright";
import { reporter } from "./scripts/test/browser-reporter.js";
import { runAuditScript } from "./test/harness/audit-script.ts";
import { bundle } from "./test/harness/bundles.ts";
import { CHROMIUM_ARGS, findEngine } from "./test/harness/engines.ts";
import { firefoxLauncher } from "./test/harness/firefox-launcher.ts";
import { webkitLauncher } from "./test/harness/webkit-launcher.ts";

/**
 * @import { BrowserLauncher } from "@web/test-runner-core"
 * @import { TestRunnerConfig } from "@web/test-runner"
 */

const wanted = (process.env["BROWSERS"] ?? "chromium,firefox,webkit").split(",");
const chromium = findEngine("chromium")?.executable;
const firefox = findEngine("firefox")?.executable;
const webkit = findEngine("webkit")?.executable;

/** @type {BrowserLauncher[]} */
const browsers = [];
if (wanted.includes("chromium") && chromium !== undefined) {
  const launchOptions = { executablePath: chromium, headless: true, args: [...CHROMIUM_ARGS] };
  browsers.push(playwrightLauncher({ product: "chromium", concurrency: 2, launchOptions }));
}
if (wanted.includes("firefox") && firefox !== undefined) browsers.push(firefoxLauncher({ executablePath: firefox }));
if (wanted.includes("webkit") && webkit !== undefined) browsers.push(webkitLauncher());

/** A sandboxed cell has no origin, so its sources are cross-origin to it. */
const anyOrigin = (/** @type {any} */ context, /** @type {() => Promise<void>} */ next) => {
  context.set("access-control-allow-origin", "*");
  return next();
};

/** An isolated agent is one self-contained script: `/bundled/test/fixtures/…` is made of that file. */
const bundled = async (/** @type {any} */ context, /** @type {() => Promise<void>} */ next) => {
  const [, entry] = /^\/bundled\/(.+)$/u.exec(context.path) ?? [];
  if (entry === undefined) return next();
  context.type = "text/javascript";
  context.body = await bundle(entry);
};

/** `SEED=…` plays a suite of chance again. */
const seed = async (/** @type {any} */ context, /** @type {() => Promise<void>} */ next) => {
  if (context.path !== "/seed") return next();
  context.body = process.env["SEED"] ?? "none";
};

/** What the script of docs/audit.md says to the log that a page posts. */
const auditScript = async (/** @type {any} */ context, /** @type {() => Promise<void>} */ next) => {
  if (context.path !== "/audit-script") return next();
  const parts = [];
  for await (const part of context.req) parts.push(part);
  context.body = runAuditScript(Buffer.concat(parts), context.query["kept"]?.split(","));
};

/** @type {TestRunnerConfig} */
export default {
  files: process.env["TEST_FILES"]?.split(",") ?? "test/browser/**/*.test.ts",
  hostname: "127.0.0.1",
  staticLogging: true,
  nodeResolve: true,
  browsers,
  concurrentBrowsers: 3,
  browserStartTimeout: 60_000,
  testsStartTimeout: 60_000,
  testsFinishTimeout: 260_000,
  testFramework: { config: { timeout: 40_000, ...(process.env["GREP"] && { grep: process.env["GREP"] }) } },
  reporters: [reporter({ results: process.env["RESULTS"] })],
  middleware: [anyOrigin, bundled, seed, auditScript],
  plugins: [esbuildPlugin({ ts: true, target: "es2022" })],
};
