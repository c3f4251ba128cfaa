import { dirname, resolve } from "node:path";
import { rollup } from "rollup";
import { bundlePlugins, minified } from "./plugins.js";

/** @import { Plugin } from "rollup" */

const PREFIX = "inline:";
const VIRTUAL = "\0inline:";

/**
 * `import text from "inline:../workers/shared-worker.ts"` gives the bundled script as a string, to be started from a
 * blob: URL.
 * @returns {Plugin}
 */
export function inlineScripts() {
  return {
    name: "inline-scripts",
    resolveId(id, importer) {
      if (!id.startsWith(PREFIX) || importer === undefined) return null;
      return VIRTUAL + resolve(dirname(importer), id.slice(PREFIX.length));
    },
    async load(id) {
      if (!id.startsWith(VIRTUAL)) return null;
      const { code, inputs } = await bundle(id.slice(VIRTUAL.length));
      for (const input of inputs) this.addWatchFile(input);
      return { code: `export default ${JSON.stringify(code)};`, map: { mappings: "" } };
    },
  };
}

/** @param {string} input */
async function bundle(input) {
  const build = await rollup({ input, plugins: [bundlePlugins(), minified()] });
  try {
    const { output } = await build.generate({ format: "iife", inlineDynamicImports: true });
    return { code: output[0].code, inputs: build.watchFiles };
  } finally {
    await build.close();
  }
}
