import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ROOT } from "../../toolchain.js";

const BARE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["']([a-z@][^"':]*)["']/gu;

/**
 * An import map with which a page loads the built package as an application's bundler would.
 * @returns {{ imports: Record<string, string> }}
 */
export function importMap() {
  const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  /** @type {Record<string, string>} */
  const imports = {};
  for (const [path, target] of Object.entries(manifest.exports)) {
    const file = typeof target === "string" ? target : target.import;
    const name = manifest.name + path.slice(1);
    if (!file.includes("*")) imports[name] = file.slice(1);
    else for (const [key, value] of expand(name, file)) imports[key] = value;
  }
  for (const file of globSync("dist/{*.js,{chunks,plugins}/*.js}", { cwd: ROOT })) addBareImports(`/${file}`, imports);
  return { imports };
}

/**
 * `troupe/plugins/*` for each plugin that was built.
 * @param {string} name
 * @param {string} pattern
 * @returns {[string, string][]}
 */
function expand(name, pattern) {
  const [before = "", after = ""] = pattern.split("*");
  return globSync(pattern, { cwd: ROOT }).map((file) => {
    const star = `./${file}`.slice(before.length, `./${file}`.length - after.length);
    return [name.replace("*", star), `/${file}`];
  });
}

/**
 * @param {string} path of a module, from the root of the server
 * @param {Record<string, string>} imports
 */
function addBareImports(path, imports) {
  if (!existsSync(ROOT + path)) return;
  const text = readFileSync(ROOT + path, "utf8");
  for (const [, specifier = ""] of text.matchAll(BARE_IMPORT)) {
    if (specifier in imports) continue;
    const target = resolved(specifier);
    if (target === undefined) continue;
    imports[specifier] = target;
    addBareImports(target, imports);
  }
}

/** @param {string} specifier */
function resolved(specifier) {
  try {
    const file = fileURLToPath(import.meta.resolve(specifier));
    return file.startsWith(ROOT) ? file.slice(ROOT.length) : undefined;
  } catch {
    return undefined; // the text only looked like an import
  }
}
