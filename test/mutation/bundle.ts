/** The tests with what they import, as one set of plain modules that share the core: a process loads them at once. */
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

const HARNESS = resolve("test/mutation/harness.ts");
export const CHILD = "test/mutation/child.ts";

/** Bundles the child and its tests into `folder`, with these sources instead of those on the disk. */
export async function bundle(
  folder: string,
  tests: readonly string[],
  sources: ReadonlyMap<string, string>,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await build({
    entryPoints: [CHILD, ...tests.map((file) => relative(process.cwd(), resolve(file)))],
    outdir: folder,
    outbase: process.cwd(),
    bundle: true,
    splitting: true,
    chunkNames: "test/node/chunks/[name]-[hash]", // as deep as the tests, so that what these read beside themselves is found
    format: "esm",
    platform: "node",
    target: "node22",
    packages: "external",
    logLevel: "error",
    plugins: [mutated(sources)],
  });
  for (const read of ["docs", "test/docs"])
    if (!existsSync(join(folder, read))) symlinkSync(resolve("docs"), join(folder, read));
}

function mutated(sources: ReadonlyMap<string, string>): Plugin {
  return {
    name: "mutated",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^node:test$/ }, ({ importer }) =>
        importer === HARNESS ? { path: "node:test", external: true } : { path: HARNESS },
      );
      onLoad({ filter: /\/src\/core\/.*\.ts$/ }, ({ path }) => ({
        contents: sources.get(relative(process.cwd(), path)) ?? readFileSync(path, "utf8"),
        loader: "ts",
      }));
    },
  };
}
