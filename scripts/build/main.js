/**
 * `npm run build [-- --if-needed] [-- --no-types]`: dist/ and demo/dist from the sources.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rollup } from "rollup";
import { makeSample } from "../make-sample.js";
import { ROOT } from "../toolchain.js";
import { prepareOffline } from "./offline.js";
import { writeSchema } from "./schema.js";
import { buildTypes } from "./types.js";

/** @import { OutputOptions } from "rollup" */

const STAMP = join(ROOT, ".cache/built");
const INPUTS = ["src", "demo", "scripts/build", "scripts/start/headers.js", "rollup.config.js", "package-lock.json"];

process.chdir(ROOT);
const flags = new Set(process.argv.slice(2));

if (flags.has("--if-needed") && isFresh()) {
  console.log("dist/ is up to date");
} else {
  const started = Date.now();
  await buildScripts();
  console.log(`Built dist/ in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  mkdirSync(".cache", { recursive: true });
  writeFileSync(STAMP, "");
}
if (!flags.has("--no-types") && !(await buildTypes())) process.exitCode = 1;

async function buildScripts() {
  for (const name of existsSync("dist") ? readdirSync("dist") : []) {
    if (name !== "types") rmSync(join("dist", name), { recursive: true });
  }
  rmSync("demo/dist", { recursive: true, force: true });
  rmSync(STAMP, { force: true });
  const { default: configs } = await import("../../rollup.config.js");
  for (const config of configs) {
    const bundle = await rollup({ ...config, onwarn });
    await bundle.write(/** @type {OutputOptions} */ (config.output));
    await bundle.close();
  }
  await writeSchema();
  if (existsSync("demo/dist")) {
    await makeSample({ to: "demo/dist/sample.tgz" });
    prepareOffline("demo/dist");
  }
}

/**
 * Names whatever an own source does wrong; what dependencies do among themselves is theirs.
 * @param {import("rollup").RollupLog} warning
 */
function onwarn(warning) {
  const theirs = ["CIRCULAR_DEPENDENCY", "EVAL", "THIS_IS_UNDEFINED"].includes(warning.code ?? "");
  const files = [warning.id, warning.loc?.file, ...(warning.ids ?? [])].filter((file) => file !== undefined);
  if (theirs && files.every((file) => file.includes("node_modules"))) return;
  console.warn(`warning ${warning.code}: ${warning.message}`);
}

/** Whether no input is newer than the last complete build. */
function isFresh() {
  if (!existsSync(STAMP) || !existsSync("dist")) return false;
  const built = statSync(STAMP).mtimeMs;
  return INPUTS.every((input) => !existsSync(input) || newest(input) <= built);
}

/**
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const inside = readdirSync(path).filter((name) => name !== "dist");
  return Math.max(stats.mtimeMs, ...inside.map((name) => newest(join(path, name))));
}
