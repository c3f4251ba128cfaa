import alias from "@rollup/plugin-alias";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import nodeResolve from "@rollup/plugin-node-resolve";
import replace from "@rollup/plugin-replace";
import terser from "@rollup/plugin-terser";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import esbuild, { minify } from "rollup-plugin-esbuild";

const TARGET = "es2022";

/**
 * The plugins are CommonJS typed as ES modules; here is the one place where the types are put right.
 * @template T
 * @param {T} plugin
 * @returns {T extends { default: infer F } ? F : T}
 */
const callable = (plugin) => /** @type {never} */ (plugin);

/** @param {string} name */
const stub = (name) => fileURLToPath(new URL(`stubs/${name}.js`, import.meta.url));

/** Node built-ins that bundled analysers mention; a worker has none of them. */
const builtins = [
  { find: /^(node:)?path$/u, replacement: stub("path") },
  { find: /^(node:)?(util|tty|os|fs|perf_hooks|url)$/u, replacement: stub("empty") },
];

/**
 * `import bytes from "package/wasm"` gives the module's bytes, which stand in the script: a cell can load nothing.
 * @returns {import("rollup").Plugin}
 */
const wasmBytes = () => ({
  name: "wasm-bytes",
  load(id) {
    if (!id.endsWith(".wasm")) return null;
    const text = JSON.stringify(readFileSync(id, "base64"));
    return `export default Uint8Array.from(atob(${text}), (unit) => unit.charCodeAt(0));`;
  },
  // Emscripten's part looks where it stands, for a file that isn't there; a worker has no `document` to ask.
  resolveImportMeta: (property, { moduleId }) =>
    property === "url" && moduleId.includes("emscripten-module") ? '""' : null,
});

/** Strips types, and leaves the rest to the consumer's bundler. */
export const libraryPlugins = () => [
  nodeResolve({ extensions: [".ts", ".js"] }),
  esbuild({ target: TARGET, tsconfig: false }),
];

/** Everything into one file that runs in any worker or page. */
export const bundlePlugins = () => [
  wasmBytes(),
  callable(alias)({ entries: builtins }),
  nodeResolve({ browser: true, preferBuiltins: false, extensions: [".ts", ".mjs", ".js", ".json"] }),
  callable(commonjs)(),
  callable(json)(),
  callable(replace)({ preventAssignment: true, values: { "process.env.NODE_ENV": JSON.stringify("production") } }),
  esbuild({ target: TARGET, tsconfig: false }),
];

/** The smallest output: for what every page loads. Functions without `this` become arrows, and a property that
 * is read for nothing goes: none of ours is called with `new`, or does something when it is read. */
export const minified = () =>
  callable(terser)({
    ecma: 2020,
    compress: { passes: 2, pure_getters: true, unsafe_arrows: true, unsafe_methods: true },
  });

/** A quicker one: for megabytes of analysers that are loaded on demand. */
export const quickMinified = () => minify({ target: TARGET });
