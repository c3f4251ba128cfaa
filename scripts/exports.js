import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./toolchain.js";

/**
 * A way into the package.
 * @typedef {{ path: string, specifier: string, file: string, hasTypes: boolean }} Entry
 */

/**
 * The `exports` of package.json, with each pattern spelled out for the files that were built.
 * @returns {Entry[]}
 */
export function entriesOf() {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return Object.entries(exports).flatMap(([path, target]) => {
    const file = typeof target === "string" ? target : target.import;
    const hasTypes = typeof target !== "string";
    return starsOf(file).map((star) => {
      const spelled = path.replace("*", star);
      return { path: spelled, specifier: name + spelled.slice(1), file: file.replace("*", star), hasTypes };
    });
  });
}

/**
 * What the star of a pattern stands for; a name without a star is itself.
 * @param {string} pattern
 */
function starsOf(pattern) {
  const [before = "", after] = pattern.slice(2).split("*");
  if (after === undefined) return [""];
  const files = globSync(pattern, { cwd: ROOT, exclude: (file) => String(file).endsWith(".map") });
  return files.map((file) => file.slice(before.length, file.length - after.length)).sort();
}
