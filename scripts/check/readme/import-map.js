import { build } from "esbuild";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { entriesOf } from "../../exports.js";
import { ROOT } from "../../toolchain.js";

const BARE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["']([a-z@][^"':]*)["']/gu;
const MODULES = "dist/{*.js,{chunks,plugins}/*.js}";

/**
 * What a page needs to load the built package as a bundled application would: the package's own modules from dist/, and
 * each dependency as one script.
 * @returns {Promise<{ imports: Record<string, string>, scripts: Record<string, string> }>} scripts by path
 */
export async function importMap() {
  /** @type {Record<string, string>} */
  const imports = {};
  /** @type {Record<string, string>} */
  const scripts = {};
  for (const { specifier, file } of entriesOf()) imports[specifier] = file.slice(1);
  for (const specifier of dependencies()) {
    const path = `/vendor/${specifier.replaceAll("/", "-")}.js`;
    imports[specifier] = path;
    scripts[path] = await bundled(specifier);
  }
  return { imports, scripts };
}

/** The packages that the library's modules import; self-contained scripts import none. */
function dependencies() {
  const { dependencies: declared } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const texts = globSync(MODULES, { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), "utf8"));
  const found = texts.flatMap((text) => [...text.matchAll(BARE_IMPORT)].map(([, specifier = ""]) => specifier));
  return new Set(found.filter((specifier) => Object.keys(declared).includes(specifier.split("/")[0] ?? "")));
}

/** @param {string} specifier */
async function bundled(specifier) {
  const options = /** @type {const} */ ({ bundle: true, format: "esm", platform: "browser", target: "es2022" });
  const { outputFiles } = await build({ ...options, entryPoints: [specifier], absWorkingDir: ROOT, write: false });
  return outputFiles[0]?.text ?? "";
}
