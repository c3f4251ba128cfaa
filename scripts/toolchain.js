/**
 * The way from a fresh clone to a running script: dependencies, then the Node that the tools need.
 * Runs on Node 20 without node_modules, so it imports nothing but Node.
 */
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BIN = join(ROOT, "node_modules/.bin");
const LOCKFILE = join(ROOT, "package-lock.json");
const INSTALLED = join(ROOT, "node_modules/.package-lock.json");
const NODE = join(ROOT, "node_modules/node/bin/node");
const WANTED = [22, 13];
const GRACE = 5_000;

/**
 * @typedef {object} RunOptions
 * @property {number} [timeout] milliseconds until the whole process group is killed
 * @property {NodeJS.ProcessEnv} [env] added to the environment
 * @property {boolean} [quiet] collects the output instead of showing it
 */

/**
 * Runs a command to its end. Never throws: a command that cannot start has code 127, one that was killed 124.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { timeout = 0, env = {}, quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env, PATH: `${BIN}:${process.env["PATH"] ?? ""}` },
      stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
      detached: timeout > 0,
    });
    let output = "";
    let killed = false;
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    const stop = () => {
      killed = true;
      signalGroup(child.pid, "SIGTERM"); // lets it end its browsers, which lead groups of their own
      setTimeout(signalGroup, GRACE, child.pid, "SIGKILL").unref();
    };
    const timer = timeout > 0 ? setTimeout(stop, timeout) : undefined;
    const settle = (/** @type {number} */ code) => {
      clearTimeout(timer);
      if (timeout > 0) signalGroup(child.pid, "SIGKILL"); // what it left behind
      resolve({ code, output });
    };
    child.once("error", (error) => {
      output += `${error.message}\n`;
      settle(127);
    });
    child.once("exit", (code) => setImmediate(settle, killed ? 124 : (code ?? 1)));
  });
}

/**
 * @param {number | undefined} pid leader of a process group
 * @param {NodeJS.Signals} signal
 */
function signalGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // the group is gone already
  }
}

/** Installs the dependencies when there are none, or when the lockfile is newer than what is installed. */
export async function ensureInstalled() {
  const fresh = existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(LOCKFILE).mtimeMs;
  if (fresh) return;
  console.log("Installing dependencies (npm ci) …");
  const { code } = await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) throw new Error("npm ci failed: the tools need their dependencies, see the messages above");
}

/** The Node that the tools run on: the installed one, or this one when it is new enough. */
export function toolNode() {
  if (existsSync(NODE)) return NODE;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > Number(WANTED[0]) || (major === WANTED[0] && minor >= Number(WANTED[1]))) return process.execPath;
  throw new Error(`The tools need Node ${WANTED.join(".")} or newer; this is ${process.version}`);
}

/**
 * Runs one of our scripts on the tools' Node, which also strips the types of TypeScript files.
 * @param {string} script path from the root of the repository
 * @param {readonly string[]} [args]
 * @param {RunOptions} [options]
 */
export function runScript(script, args = [], options = {}) {
  return run(toolNode(), ["--disable-warning=ExperimentalWarning", join(ROOT, script), ...args], options);
}

/**
 * The compiler, version 7: four times as fast as the one that the linter stands on.
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function runCompiler(args, options = {}) {
  return runScript("node_modules/typescript7/bin/tsc", args, options);
}

/**
 * The life of a command of package.json: install, run the script with the caller's arguments, exit with its code.
 * @param {string} script
 * @param {string} [lastWords] printed if the script could not even start
 */
export async function main(script, lastWords = "") {
  try {
    await ensureInstalled();
    const { code } = await runScript(script, process.argv.slice(2));
    process.exitCode = code;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (lastWords !== "") console.log(lastWords);
    process.exitCode = 1;
  }
}
