/**
 * Holds the sizes of what users load against scripts/budgets.json: gzip -9 of self-contained minified bundles.
 */
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { rollup } from "rollup";
import { bundlePlugins, minified } from "../build/plugins.js";

const KB = 1024;

/** @type {Record<string, { file: string, bundle: boolean, kB: number }>} */
const budgets = JSON.parse(readFileSync(new URL("../budgets.json", import.meta.url), "utf8"));

for (const [name, { file, bundle, kB }] of Object.entries(budgets)) {
  if (!existsSync(file)) {
    console.log(`FAILED ${name}: ${file} was not built`);
    process.exitCode = 1;
    continue;
  }
  const code = bundle ? await bundled(file) : readFileSync(file, "utf8");
  const size = gzipSync(code, { level: 9 }).length / KB;
  const isWithin = size <= kB;
  console.log(`${isWithin ? "ok    " : "FAILED"} ${name}: ${size.toFixed(2)} of ${kB} kB (${file})`);
  if (!isWithin) process.exitCode = 1;
}

/**
 * What is loaded with the entry: its chunk, and the chunks that it imports. What it imports later, on demand, is not.
 * @param {string} input
 */
async function bundled(input) {
  const build = await rollup({ input, plugins: [bundlePlugins(), minified()], onwarn: () => undefined });
  const { output } = await build.generate({ format: "es" });
  await build.close();
  const chunks = new Map(output.flatMap((part) => (part.type === "chunk" ? [[part.fileName, part]] : [])));
  const loaded = [output[0].fileName];
  for (const name of loaded)
    for (const next of chunks.get(name)?.imports ?? [])
      if (chunks.has(next) && !loaded.includes(next)) loaded.push(next);
  return loaded.map((name) => chunks.get(name)?.code ?? "").join("");
}
