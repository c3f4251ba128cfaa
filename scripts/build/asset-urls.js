import { dirname, posix, relative, resolve, sep } from "node:path";

/** @import { Plugin } from "rollup" */

const URL_OF_FILE = /(new URL\(\s*)(["'])(\.{1,2}\/[^"']+)\2(\s*,\s*import\.meta\.url\s*,?\s*\))/gu;
const MARK = /troupe-asset:([\w./-]+)/gu;

/**
 * Sources name the workers where they stand (`new URL("../workers/shared-worker.ts", import.meta.url)`), which a
 * development server can serve. Here that name becomes the one in dist/, in the literal form that bundlers follow.
 * @param {Readonly<Record<string, string>>} assets file in dist/ → source
 * @returns {Plugin}
 */
export function assetUrls(assets) {
  const outputOf = new Map(Object.entries(assets).map(([output, source]) => [resolve(source), output]));
  return {
    name: "asset-urls",
    transform(code, id) {
      if (!code.includes("import.meta.url")) return null;
      const marked = code.replace(URL_OF_FILE, (whole, open, quote, path, close) => {
        const output = outputOf.get(resolve(dirname(id), path));
        return output === undefined ? whole : `${open}${quote}troupe-asset:${output}${quote}${close}`;
      });
      return { code: marked, map: null }; // replaced within a line: lines keep their numbers
    },
    renderChunk(code, chunk) {
      if (!code.includes("troupe-asset:")) return null;
      const from = posix.dirname(chunk.fileName);
      const named = code.replace(MARK, (_, output) => relativeUrl(from, String(output)));
      return { code: named, map: null };
    },
  };
}

/**
 * @param {string} from folder
 * @param {string} to file
 */
function relativeUrl(from, to) {
  const path = relative(from, to).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}
