/** The agents as they run in a browser: bundled, in a realm with nothing of Node, and with no way to make code of texts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createContext, Script, type Context } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import * as v from "valibot";
import type { BlobRef } from "../../../src/core/plugin.ts";
import { LimitsSchema } from "../../../src/plugins/audit/limits.ts";
import { bytesOf, createBlobs, folder, type Blobs } from "./harness.ts";
import { zip } from "./archives.ts";

/** What a worker has, as far as an agent may use it. A cell's origin is opaque: no WebCrypto, no storage. */
const WORKER = {
  AbortController,
  Blob,
  DecompressionStream,
  PerformanceObserver,
  ReadableStream,
  TextDecoder,
  TextEncoder,
  TransformStream,
  URL,
  WritableStream,
  atob,
  btoa,
  clearTimeout,
  console,
  performance,
  queueMicrotask,
  setTimeout,
  structuredClone,
};

const stub = (name: string): string => new URL(`../../../scripts/build/stubs/${name}.js`, import.meta.url).pathname;
const empty = ["util", "tty", "os", "fs", "perf_hooks", "url"].flatMap((name) => [name, `node:${name}`]);

async function bundleOf(agent: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../../../src/plugins/audit/${agent}.ts`, import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "bundle",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"', "import.meta.url": '"https://x/agent.js"' },
    alias: Object.fromEntries([
      ...empty.map((name) => [name, stub("empty")]),
      ...["path", "node:path"].map((name) => [name, stub("path")]),
    ]),
  });
  return outputFiles[0]?.text ?? assert.fail("nothing was built");
}

function realm(): Context {
  const globals: Record<string, unknown> = { ...WORKER };
  globals["self"] = globals;
  return createContext(globals, { codeGeneration: { strings: false, wasm: false } });
}

interface Served {
  run(input: unknown, context: unknown): Promise<unknown>;
}

/** What an agent gives back, as an object of this realm. */
const answer = async <T>(agent: Served, input: unknown, blobs: Blobs): Promise<T> =>
  JSON.parse(JSON.stringify(await agent.run(input, contextOf(blobs)))) as T;

const contextOf = ({ blobs }: Blobs) => ({
  blobs,
  signal: { throwIfAborted: () => undefined },
  progress: () => undefined,
});

async function serve(agent: string): Promise<{ readonly agent: Served; readonly context: Context }> {
  const context = realm();
  new Script(await bundleOf(agent), { filename: `${agent}.js` }).runInContext(context);
  return { agent: new Script(`bundle.${agent}Agent`).runInContext(context) as Served, context };
}

interface Findings {
  readonly findings: readonly { readonly rule: string }[];
}

const rules = ({ findings }: Findings): readonly string[] => findings.map(({ rule }) => rule).sort();

describe("in a worker with a strict policy", () => {
  it("has a realm in which code cannot be made of texts, and which has nothing of Node", () => {
    const context = realm();
    for (const code of [
      "eval('1')",
      "new Function('1')",
      "require",
      "process",
      "Buffer",
      "(() => {}).constructor('1')",
    ])
      assert.throws(() => {
        new Script(code).runInContext(context);
      }, code);
  });

  it("unpacks zip and tar.gz", async () => {
    const { agent } = await serve("unpack");
    const limits = v.parse(LimitsSchema, {});
    const packed = new Uint8Array(gzipSync(await folder({ "a.js": "eval(x)" })));
    for (const archive of [zip([{ name: "a.js", body: "eval(x)" }]), packed]) {
      const blobs = createBlobs();
      const input = { archive: blobs.put(archive), name: "x", limits, includeNodeModules: false };
      const output = await answer<{ files: { path: string }[] }>(agent, input, blobs);
      assert.deepEqual(
        output.files.map(({ path }) => path),
        ["a.js"],
      );
    }
  });

  it("finds secrets", async () => {
    const { agent } = await serve("secrets");
    const blobs = createBlobs();
    const ref = blobs.put(bytesOf("const u = 'postgres://app:s3cr3tpassw0rd@db.corp.dev/x';"));
    const found = await answer<Findings>(agent, { path: "a.js", ref, kind: "javascript" }, blobs);
    assert.deepEqual(rules(found), ["secrets/PostgreSQLConnection"]);
  });

  it("analyses JavaScript and TypeScript with the rules of ESLint itself and of plugins", async () => {
    const { agent, context } = await serve("static");
    const before: unknown = new Script("Function").runInContext(context);
    for (const path of ["a.js", "b.ts", "c.tsx", "a.js"]) {
      const blobs = createBlobs();
      const ref = blobs.put(bytesOf("setTimeout('go()');\nnew Buffer(a);\nel.innerHTML = b;"));
      const kind = path.endsWith("js") ? "javascript" : "typescript";
      const { more } = await answer<{ more: BlobRef }>(agent, { path, ref, kind }, blobs);
      const text = new TextDecoder().decode(await blobs.blobs.read(more)); // too long for the answer itself
      const found = { findings: JSON.parse(text) as Findings["findings"] };
      assert.deepEqual(rules(found), ["static/detect-new-buffer", "static/html-injection", "static/no-implied-eval"]);
    }
    assert.equal(new Script("Function").runInContext(context), before);
  });

  it("checks dependencies", async () => {
    const { agent } = await serve("dependencies");
    const blobs = createBlobs();
    const ref = blobs.put(bytesOf('{"name": "a", "license": "(MIT OR", "dependencies": {"ws": "8.17.0"}}'));
    const files = [{ path: "package.json", size: ref.size, ref, kind: "json" }];
    const found = await answer<Findings>(agent, { files, policy: {} }, blobs);
    const expected = ["GHSA-3h5v-q93c-6h6q", "licence-unknown", "no-lockfile"].map((name) => `dependencies/${name}`);
    assert.deepEqual(rules(found), expected);
  });

  it("merges and reports", async () => {
    const blobs = createBlobs();
    const { agent: merge } = await serve("merge");
    const { agent: report } = await serve("report");
    const seen = [{ rule: "unpack/link", message: "m", path: "a" }];
    const unpack = { texts: [], files: 1, skipped: [], findings: seen };
    const input = { unpack, secrets: [], static: [], dependencies: { findings: [] }, limit: 10 };
    const merged = await answer<Findings>(merge, input, blobs);
    assert.deepEqual(rules(merged), ["unpack/link"]);
    const reporting = { name: "n", ...merged, decisions: null, by: null };
    const { counts } = await answer<{ counts: { open: number } }>(report, reporting, blobs);
    assert.equal(counts.open, 1);
  });
});
