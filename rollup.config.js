/**
 * What is built, from what is there. Three kinds of output:
 * the library (ES modules, bare imports external), self-contained scripts (workers, cell, agents), and the script-tag build.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { assetUrls } from "./scripts/build/asset-urls.js";
import { copyFiles } from "./scripts/build/copy-files.js";
import { inlineScripts } from "./scripts/build/inline-scripts.js";
import { bundlePlugins, libraryPlugins, minified, quickMinified } from "./scripts/build/plugins.js";

/** @import { RollupOptions } from "rollup" */

const manifest = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const external = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];

/** @param {string} id */
const isExternal = (id) => external.some((name) => id === name || id.startsWith(`${name}/`));

/** @param {string} pattern */
const files = (pattern) =>
  globSync(pattern)
    .filter((file) => !file.endsWith(".d.ts"))
    .sort();

/** Library entries: name in dist/ → source. */
const library = Object.fromEntries(
  [
    ["index", "src/index.ts"],
    ["core", "src/core/index.ts"],
    ["host", "src/host.ts"],
    ["agent", "src/agent.ts"],
    ["approvals", "src/approvals.ts"],
    ["batch", "src/batch.ts"],
    ["advice", "src/advice.ts"],
    ["health", "src/health.ts"],
    ["messages", "src/messages.ts"],
    ["discovery", "src/discovery.ts"],
    ["workflow", "src/workflow.ts"],
    ["inbox", "src/inbox.ts"],
    ["testing", "src/testing.ts"],
    ...files("src/plugins/*/index.ts").map((file) => [`plugins/${basename(dirname(file))}`, file]),
  ].filter(([, file]) => existsSync(String(file))),
);

/** Scripts that stand alone: file in dist/ → source. The same table tells where `new URL("…", import.meta.url)` leads. */
const workers = {
  "shared-worker.js": "src/workers/shared-worker.ts",
  "elected-worker.js": "src/workers/elected-worker.ts",
  "cell.js": "src/cell/cell.ts",
};
const agents = Object.fromEntries(
  files("src/plugins/*/agents/*.ts").map((file) => [`agents/${basename(file, ".ts")}.js`, file]),
);
const demoAgents = Object.fromEntries(
  files("demo/agents/*.ts").map((file) => [`demo-agents/${basename(file, ".ts")}.js`, file]),
);
const assets = { ...workers, ...agents, ...demoAgents, "cell.html": "src/cell/cell.html" };

/**
 * @param {Record<string, string>} table
 * @param {string} dir
 * @param {RollupOptions["plugins"]} minify
 * @returns {RollupOptions[]}
 */
const standalone = (table, dir, minify) =>
  Object.entries(table)
    .filter(([, input]) => existsSync(input))
    .map(([name, input]) => ({
      input,
      plugins: [inlineScripts(), assetUrls(assets), bundlePlugins(), minify],
      output: { file: `${dir}/${name}`, format: "iife", sourcemap: true, inlineDynamicImports: true },
    }));

/** @type {RollupOptions[]} */
const libraryBuild =
  Object.keys(library).length === 0
    ? []
    : [
        {
          input: library,
          external: isExternal,
          plugins: [
            inlineScripts(),
            assetUrls(assets),
            libraryPlugins(),
            copyFiles({ "src/cell/cell.html": "dist/cell.html" }),
          ],
          output: { dir: "dist", format: "es", sourcemap: true, chunkFileNames: "chunks/[name].js" },
        },
      ];

/** @type {RollupOptions[]} */
const globalBuild = existsSync("src/global.ts")
  ? [
      {
        input: "src/global.ts",
        plugins: [inlineScripts(), assetUrls(assets), bundlePlugins(), minified()],
        output: {
          file: "dist/troupe.global.js",
          format: "iife",
          name: "Troupe",
          sourcemap: true,
          inlineDynamicImports: true,
        },
      },
    ]
  : [];

/** @type {RollupOptions[]} */
const demoBuild = existsSync("demo/main.ts")
  ? [
      ...standalone(demoAgents, "demo/dist", minified()),
      ...standalone({ "offline.js": "demo/offline/worker.ts" }, "demo/dist", minified()),
      {
        input: "demo/main.ts",
        plugins: [
          assetUrls(assets),
          bundlePlugins(),
          minified(),
          copyFiles({
            "demo/*.{html,css,svg,png,ico,webmanifest}": "demo/dist/",
            "dist/{shared-worker,elected-worker,cell}.js": "demo/dist/",
            "dist/cell.html": "demo/dist/",
            "dist/agents/{dependencies,merge,report,secrets,static,unpack}.js": "demo/dist/agents/",
          }),
        ],
        output: { file: "demo/dist/main.js", format: "es", sourcemap: true, inlineDynamicImports: true },
      },
    ]
  : [];

export default [
  ...libraryBuild,
  ...standalone(workers, "dist", minified()),
  ...standalone(agents, "dist", quickMinified()),
  ...globalBuild,
  ...demoBuild,
];
