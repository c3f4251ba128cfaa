/** Bundles the pages and workers of the benchmarks into `bench/dist`. */
import { build, type BuildOptions } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../test/harness/servers.ts";

const OUT = join(ROOT, "bench/dist");

/** Classic scripts, as isolated agents must be; a module may be one too. */
const SCRIPTS: Readonly<Record<string, string>> = {
  page: "bench/page/index.ts",
  "echo-agent": "bench/echo-agent.ts",
  "mail-agent": "bench/mail-agent.ts",
  "single-agent": "bench/storing/single-agent.ts",
  "batch-agent": "bench/storing/batch-agent.ts",
  "bound-host": "bench/bound/host.ts",
  "bound-agent": "bench/bound/agent.ts",
  "comlink-agent": "bench/peers/comlink-agent.ts",
  "raw-agent": "bench/peers/raw-agent.ts",
  "stream-agent": "bench/stream-agent.ts",
  "raw-stream": "bench/peers/raw-stream.ts",
  "workerpool-agent": "bench/peers/workerpool-agent.ts",
  "host/shared-worker": "src/workers/shared-worker.ts",
  "host/cell": "src/cell/cell.ts",
};

/** Entries that import others only for what these do: what the package says of its side effects would leave them out. */
const COUNTED: Readonly<Record<string, string>> = {
  "counted/shared-worker": "bench/counted/shared-worker.ts",
  "counted-agent": "bench/counted/agent.ts",
};

/** Minified as what is published, or with its names for a profile. */
export async function bundle(minify: boolean): Promise<void> {
  await bundleAll(SCRIPTS, { minify });
  await bundleAll(COUNTED, { minify, ignoreAnnotations: true });
  await mkdir(join(OUT, "host"), { recursive: true });
  await writeFile(
    join(OUT, "host/cell.html"),
    '<!doctype html><meta charset="utf-8" /><script src="cell.js"></script>',
  );
}

async function bundleAll(scripts: Readonly<Record<string, string>>, options: BuildOptions): Promise<void> {
  await build({
    entryPoints: Object.fromEntries(Object.entries(scripts).map(([name, file]) => [name, join(ROOT, file)])),
    outdir: OUT,
    bundle: true,
    format: "iife",
    target: "es2022",
    ...options,
    define: { "process.env.NODE_ENV": '"production"', "import.meta.url": "location.href" },
    external: ["child_process", "os", "path", "url", "worker_threads"], // workerpool asks for them in Node only
    logLevel: "error",
  });
}
