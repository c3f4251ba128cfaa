import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";

/** @import { Plugin } from "rollup" */

/**
 * Copies static files once the bundle is written. In HTML the names of the sources become those of the built scripts.
 * @param {Readonly<Record<string, string>>} table pattern → file, or folder ending with "/"
 * @returns {Plugin}
 */
export function copyFiles(table) {
  return {
    name: "copy-files",
    writeBundle() {
      for (const [pattern, target] of Object.entries(table)) {
        for (const source of globSync(pattern)) copy(source, target.endsWith("/") ? target + basename(source) : target);
      }
    },
  };
}

/**
 * @param {string} source
 * @param {string} target
 */
function copy(source, target) {
  mkdirSync(dirname(target), { recursive: true });
  if (source.startsWith("src/") && source.endsWith(".html")) {
    writeFileSync(target, classicHtml(readFileSync(source, "utf8")));
  } else if (source.endsWith(".html")) {
    writeFileSync(target, builtHtml(readFileSync(source, "utf8")));
  } else {
    copyFileSync(source, target);
  }
}

/** @param {string} html */
const builtHtml = (html) => html.replace(/(<script\b[^>]*\bsrc="[^"]+)\.ts"/gu, '$1.js"');

/**
 * The cell's script becomes a classic one: its frame is sandboxed and has no origin, so a module would need CORS.
 * @param {string} html
 */
const classicHtml = (html) => builtHtml(html).replace(/(<script\b[^>]*)\stype="module"/gu, "$1 defer");
