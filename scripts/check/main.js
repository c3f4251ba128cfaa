/**
 * `npm run check [-- --only types,lint,…]`: everything that is not a test. Each step says whether it passed.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { entriesOf } from "../exports.js";
import { installBrowsers } from "../test/install-browsers.js";
import { ROOT, run, runCompiler, runScript } from "../toolchain.js";

/** @typedef {{ code: number, output: string }} Outcome */

const MINUTE = 60_000;
const PACK = ".cache/pack";
const ATTW = ["--profile", "esm-only", "--no-emoji", "--no-summary", "--format", "ascii"];

/** @type {Record<string, () => Promise<Outcome>>} */
const steps = {
  types: () => runCompiler(["-b", "--pretty", "false"], { quiet: true, timeout: 8 * MINUTE }),
  lint: () => tool("eslint", ["."]),
  format: () => tool("prettier", ["--check", "--log-level=warn", "."]),
  architecture: () => script("test/architecture/check.ts"),
  build: () => script("scripts/build/main.js", "--if-needed"),
  sizes: () => script("scripts/check/sizes.js"),
  publint: async () => withTarball((tarball) => tool("publint", ["run", tarball, "--strict"])),
  attw: async () => withTarball((tarball) => tool("attw", [tarball, ...ATTW, "--entrypoints", ...typedEntries()])),
  budget: async () => {
    await installBrowsers(["chromium"]);
    return script("bench/run.ts", "--budget");
  },
  readme: () => script("scripts/check/readme/main.js"),
};

process.chdir(ROOT);
const { values: options } = parseArgs({ options: { only: { type: "string" } } });
const chosen = options.only?.split(",") ?? Object.keys(steps);

const failed = chosen.filter((name) => !(name in steps));
for (const name of failed) console.log(`FAILED ${name}: there is no such step`);
const { lint, ...others } = steps;
await Promise.all([take({ lint }), take(others)]); // the linter keeps one processor busy as long as much of the rest does
console.log(failed.length === 0 ? "All checks passed" : `Checks FAILED: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** @param {Partial<typeof steps>} some one after the other */
async function take(some) {
  for (const [name, step] of Object.entries(some)) {
    if (!step || !chosen.includes(name)) continue;
    const started = Date.now();
    const { code, output } = await step();
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
    const isTelling = code !== 0 || name === "sizes";
    if (isTelling && output.trim() !== "") console.log(output.trimEnd().replace(/^/gmu, "    "));
    if (code !== 0) failed.push(name);
  }
}

/** The entries that promise types; the others are scripts and pages. */
function typedEntries() {
  return entriesOf()
    .filter(({ hasTypes }) => hasTypes)
    .map(({ path }) => path);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function tool(command, args) {
  return run(command, args, { quiet: true, timeout: 8 * MINUTE });
}

/**
 * @param {string} path
 * @param {string[]} args
 */
function script(path, ...args) {
  return runScript(path, args, { quiet: true, timeout: 8 * MINUTE });
}

/**
 * Packs what would be published, without building it once more.
 * @param {(tarball: string) => Promise<Outcome>} use
 * @returns {Promise<Outcome>}
 */
async function withTarball(use) {
  rmSync(PACK, { recursive: true, force: true });
  mkdirSync(PACK, { recursive: true });
  const packed = await tool("npm", ["pack", "--ignore-scripts", "--silent", `--pack-destination=${PACK}`]);
  const [tarball] = readdirSync(PACK);
  return packed.code === 0 && tarball !== undefined ? use(join(PACK, tarball)) : { ...packed, code: packed.code || 1 };
}
