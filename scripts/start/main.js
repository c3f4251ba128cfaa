/**
 * `npm start`: the demo in the browser; `npm start -- --headless <path>`: the same audit in a browser without a window.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runScript } from "../toolchain.js";
import { watchAncestors } from "./ancestors.js";
import { runHeadless } from "./headless/main.js";
import { openBrowser } from "./open-browser.js";
import { HELP, readOptions } from "./options.js";
import { startServer } from "./server.js";
import { Refusal } from "./refusal.js";

/** Exit code of a refusal. */
const REFUSED = 2;

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else if (options.headless === undefined) await serve(options);
  else process.exitCode = await runHeadless({ ...options, headless: options.headless }, build);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = REFUSED;
}

/** @param {boolean} [quiet] */
async function build(quiet = false) {
  if (!quiet && !existsSync(join(ROOT, "demo/dist")))
    console.log("Building the library and the demo, which takes a minute …");
  const { code, output } = await runScript("scripts/build/main.js", ["--if-needed", "--no-types"], { quiet });
  if (code !== 0) throw new Refusal(`The build failed.\n${output}`);
}

/** @param {import("./options.js").Options} options */
async function serve({ port, open }) {
  await build();
  const server = await startServer({ port });
  console.log(`\n  Troupe, code audit:  ${server.origin}/\n`);
  console.log("  Everything runs in the browser; this process only hands out files. Ctrl-C ends it.");
  if (open) openBrowser(`${server.origin}/`);
  const stop = () => {
    void server.close().then(() => process.exit(0));
  };
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.once(signal, stop);
  watchAncestors(stop);
}
