/** Starts a browser without a window on one page. It needs no remote control: the page itself knows what to do. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHROMIUM_ARGS, findEngine } from "../../../test/harness/engines.ts";
import { installBrowsers } from "../../test/install-browsers.js";
import { Refusal } from "../refusal.js";

/** A name that leads to this machine in the browser alone. The origin, and with it what is stored, has no port in it. */
export const NAME = "audit.localhost";

const KEEPER = fileURLToPath(new URL("keeper.js", import.meta.url));

/**
 * @typedef {object} Launch
 * @property {"chromium" | "firefox"} engine
 * @property {string} profile folder
 * @property {boolean} temporary whether the folder goes with the browser
 * @property {number} port of the server
 * @property {string} hash the part of the address after "#"
 */

/**
 * Starts the browser.
 * @param {Launch} launch
 * @returns {Promise<{ pid: number, gone: Promise<string>, close: () => Promise<void> }>} `gone` gives what it complained about
 */
export async function startBrowser(launch) {
  const executable = await executableOf(launch.engine);
  const args = launch.engine === "chromium" ? chromiumArgs(launch) : firefoxArgs(launch);
  const discard = launch.temporary ? launch.profile : "";
  const keeper = spawn(process.execPath, [KEEPER, discard, executable, ...args], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  let complaint = "";
  keeper.stdout.on("data", (chunk) => (complaint += String(chunk)));
  const gone = new Promise((resolve) => {
    keeper.once("close", () => {
      resolve(complaint);
    });
  });
  return {
    pid: keeper.pid ?? 0,
    gone,
    async close() {
      keeper.stdin.end();
      await gone;
    },
  };
}

/** @param {Launch["engine"]} engine */
async function executableOf(engine) {
  if (findEngine(engine) === undefined) await installBrowsers([engine]);
  const found = findEngine(engine);
  if (found !== undefined) return found.executable;
  const variable = engine.toUpperCase();
  throw new Refusal(
    `No ${engine} was found, and none could be installed. Install one, or name its executable in ${variable}.`,
  );
}

/** @param {Launch} launch */
function chromiumArgs({ profile, port, hash }) {
  const isRoot = process.getuid?.() === 0;
  const args = CHROMIUM_ARGS.filter((arg) => isRoot || arg !== "--no-sandbox"); // only root can't have the sandbox
  return [
    "--headless",
    ...args,
    `--user-data-dir=${profile}`,
    `--host-resolver-rules=MAP ${NAME}:80 127.0.0.1:${port}, MAP * ~NOTFOUND`,
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    `http://${NAME}/${hash}`,
  ];
}

const FIREFOX_PREFS = `
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("app.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
`;

/** @param {Launch} launch */
function firefoxArgs({ profile, port, hash }) {
  writeFileSync(join(profile, "user.js"), FIREFOX_PREFS.trimStart());
  return ["--headless", "--no-remote", "--profile", profile, `http://127.0.0.1:${port}/${hash}`];
}
