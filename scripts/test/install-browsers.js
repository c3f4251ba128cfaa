/**
 * Browsers for the suites: those that are there, or else the system's packages, or else what npm tools can download.
 */
import { join } from "node:path";
import { findEngine } from "../../test/harness/engines.ts";
import { ROOT, run } from "../toolchain.js";

/** @import { Engine } from "../../test/harness/engines.ts" */

/** Debian's and Ubuntu's names; libgtk-3-bin brings broadwayd, a display for WebKit where there is none. */
const PACKAGES = {
  chromium: ["chromium"],
  firefox: ["firefox-esr"],
  webkit: ["webkit2gtk-driver", "libgtk-3-bin"],
};

const DOWNLOADS = {
  chromium: ["playwright-core", "install", "chromium"],
  firefox: ["browsers", "install", "firefox@stable", "--path", join(ROOT, ".cache/browsers")],
  webkit: undefined,
};

const MINUTE = 60_000;

/**
 * Sees to it that the engines are installed.
 * @param {readonly Engine[]} wanted
 * @returns {Promise<Engine[]>} those that cannot be had
 */
export async function installBrowsers(wanted) {
  await installPackages(missing(wanted));
  for (const engine of missing(wanted)) await download(engine);
  return missing(wanted);
}

/** @param {readonly Engine[]} engines */
const missing = (engines) => engines.filter((engine) => findEngine(engine) === undefined);

/** @param {readonly Engine[]} engines */
async function installPackages(engines) {
  const names = engines.flatMap((engine) => PACKAGES[engine]);
  const isRoot = process.getuid?.() === 0;
  if (names.length === 0 || !isRoot || (await run("apt-get", ["--version"], { quiet: true })).code !== 0) return;
  console.log(`Installing ${names.join(" ")} (apt-get) …`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { quiet: true, env, timeout: 5 * MINUTE });
  for (const engine of engines) {
    // one by one: a package that this release does not have must not keep the others away
    const args = ["install", "-y", "-qq", "--no-install-recommends", ...PACKAGES[engine]];
    const { code, output } = await run("apt-get", args, { quiet: true, env, timeout: 10 * MINUTE });
    if (code !== 0) console.log(output.trim().split("\n").slice(-5).join("\n"));
  }
}

/** @param {Engine} engine */
async function download(engine) {
  const [command, ...args] = DOWNLOADS[engine] ?? [];
  if (command === undefined) return;
  console.log(`Downloading ${engine} (${command}) …`);
  const { code, output } = await run(command, args, { quiet: true, timeout: 10 * MINUTE });
  if (code !== 0) console.log(output.trim().split("\n").slice(-5).join("\n"));
}
