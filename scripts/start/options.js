import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Refusal } from "./refusal.js";

export const HELP = `
npm start                              serve the demo on 127.0.0.1 and open it
  -- --port 4173                       the port to try first; the next free one is taken
  -- --no-open                         don't open a browser

npm start -- --headless <path>         audit a folder, a .zip or a .tgz without a window
  --report <dir>                       where the reports go (default ./troupe-report)
  --approve all|none                   all: accept every finding (default); none: dismiss every finding
  --profile <dir>                      keep the run there: killed at any moment, the same command goes on
  --browser chromium|firefox           default chromium
  --timeout <seconds>                  give up after this time (default 1800)

Exit code 0: the reports are written. 2: refused or failed, with one reason. 130: interrupted.
`.trim();

/**
 * @typedef {object} Options
 * @property {boolean} help
 * @property {string | undefined} headless path to audit
 * @property {number} port
 * @property {boolean} open
 * @property {string} report folder
 * @property {"all" | "none"} approve
 * @property {string | undefined} profile folder
 * @property {"chromium" | "firefox"} browser
 * @property {number} timeout milliseconds
 */

/**
 * Reads the command line.
 * @param {string[]} args
 * @returns {Options}
 */
export function readOptions(args) {
  const values = parse(args);
  return {
    help: values.help ?? false,
    headless: fromHere(values.headless),
    port: number("port", values.port ?? "4173", 65_535),
    open: !values["no-open"],
    report: fromHere(values.report ?? "troupe-report"),
    approve: oneOf("approve", values.approve ?? "all", ["all", "none"]),
    profile: fromHere(values.profile),
    browser: oneOf("browser", values.browser ?? "chromium", ["chromium", "firefox"]),
    timeout: number("timeout", values.timeout ?? "1800", 7 * 86_400) * 1_000,
  };
}

/**
 * A path as it was meant where the command was typed; npm changes the folder before it runs a script.
 * @template {string | undefined} T
 * @param {T} path
 */
function fromHere(path) {
  const here = process.env["INIT_CWD"] ?? process.cwd();
  return /** @type {T} */ (path === undefined || path === "" ? path : resolve(here, path));
}

/** @param {string[]} args */
function parse(args) {
  const text = { type: /** @type {const} */ ("string") };
  const flag = { type: /** @type {const} */ ("boolean") };
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { ...flag, short: "h" },
        headless: text,
        port: text,
        "no-open": flag,
        report: text,
        approve: text,
        profile: text,
        browser: text,
        timeout: text,
      },
    });
    return values;
  } catch (error) {
    throw new Refusal(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} max
 */
function number(name, text, max) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= max) return value;
  throw new Refusal(`--${name} ${text}: a whole number from 1 to ${max} is needed`);
}

/**
 * @template {string} T
 * @param {string} name
 * @param {string} text
 * @param {readonly T[]} choices
 * @returns {T}
 */
function oneOf(name, text, choices) {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new Refusal(`--${name} ${text}: one of ${choices.join(", ")} is needed`);
}
