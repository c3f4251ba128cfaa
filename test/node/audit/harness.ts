/** Runs the audit's agents as the runtime does: JSON in, JSON out, schemas at both doors, bytes in blobs. */
import assert from "node:assert/strict";
import { RuntimeError } from "../../../src/core/errors.ts";
import { MAX_PAYLOAD } from "../../../src/core/json.ts";
import type { AgentContext, AgentDefinition, BlobRef } from "../../../src/core/plugin.ts";
import { dependenciesAgent } from "../../../src/plugins/audit/dependencies.ts";
import type { Finding } from "../../../src/plugins/audit/findings.ts";
import { mergeAgent } from "../../../src/plugins/audit/merge.ts";
import { packFiles } from "../../../src/plugins/audit/pack.ts";
import { reportAgent } from "../../../src/plugins/audit/report.ts";
import { secretsAgent } from "../../../src/plugins/audit/secrets.ts";
import { staticAgent } from "../../../src/plugins/audit/static.ts";
import { unpackAgent } from "../../../src/plugins/audit/unpack.ts";

export interface Blobs {
  readonly blobs: AgentContext["blobs"];
  /** Everything that was written, to be searched for what must not be there. */
  readonly written: ReadonlyMap<string, Uint8Array>;
  put(bytes: Uint8Array): BlobRef;
}

export function createBlobs(): Blobs {
  const written = new Map<string, Uint8Array>();
  const put = (bytes: Uint8Array): BlobRef => {
    const blob = `blob-${String(written.size)}`;
    written.set(blob, bytes.slice());
    return { blob, size: bytes.length };
  };
  return {
    written,
    put,
    blobs: {
      read({ blob, size, offset = 0 }) {
        const bytes = written.get(blob);
        if (!bytes) return Promise.reject(new RuntimeError("blob/unknown", { blob }));
        if (offset + size > bytes.length) return Promise.reject(new RuntimeError("blob/range", { blob }));
        return Promise.resolve(bytes.slice(offset, offset + size));
      },
      write: (bytes) => Promise.resolve(put(bytes)),
    },
  };
}

function contextOf({ blobs }: Blobs): AgentContext {
  const { signal } = new AbortController();
  return {
    signal,
    task: { id: "t", attempt: 1, idempotencyKey: "t", capability: "audit" },
    checkpointed: undefined,
    checkpoint: () => Promise.resolve(),
    progress: () => undefined,
    log: () => undefined,
    once: async (_key, effect) => effect(),
    blobs,
  };
}

/** One attempt of an agent. Input and output pass through JSON and the schemas. */
export async function run<I, O>(agent: AgentDefinition<I, O>, input: unknown, blobs: Blobs): Promise<O> {
  const given = await checked(agent.input, input, `input of ${agent.name}`);
  const output: unknown = await agent.run(given, contextOf(blobs));
  return checked(agent.output, output, `output of ${agent.name}`);
}

async function checked<T>(schema: AgentDefinition<T>["input"], value: unknown, what: string): Promise<T> {
  const text = JSON.stringify(value);
  assert.ok(text.length <= MAX_PAYLOAD, `${what}: ${String(text.length)} characters are too many`);
  const parsed: unknown = JSON.parse(text);
  assert.deepEqual(parsed, value, `${what} is not plain JSON`);
  const result = await schema["~standard"].validate(parsed);
  if (result.issues)
    assert.fail(`${what}: ${JSON.stringify(result.issues.map(({ message, path }) => [message, path]))}`);
  return result.value;
}

/** What the workflow does, without its review. `shuffle` changes the order in which a map's items are done. */
export async function audit(
  archive: Uint8Array,
  { blobs = createBlobs(), unpack = {}, fail = () => false, decisions = null } = {},
) {
  const unpacked = await run(unpackAgent, { archive: blobs.put(archive), name: "code", ...unpack }, blobs);
  const map = async (agent: typeof secretsAgent, items: typeof unpacked.texts, broken: (path: string) => boolean) => {
    const outputs: unknown[] = [];
    for (const item of items)
      outputs.push(
        broken(item.path) ? { error: { code: "task/timeout", message: "x" } } : await run(agent, item, blobs),
      );
    return outputs;
  };
  const input = {
    unpack: {
      texts: unpacked.texts.map(({ path, kind }) => ({ path, kind })),
      files: unpacked.files.length,
      skipped: unpacked.skipped,
      findings: unpacked.findings,
    },
    secrets: await map(secretsAgent, unpacked.texts, fail),
    static: await map(staticAgent, unpacked.sources, fail),
    dependencies: await run(dependenciesAgent, { files: unpacked.files }, blobs),
  };
  const merged = await run(mergeAgent, input, blobs);
  const report = await run(reportAgent, { name: "code", ...merged, decisions }, blobs);
  const text = async (ref: BlobRef): Promise<string> => new TextDecoder().decode(await blobs.blobs.read(ref));
  return {
    blobs,
    unpacked,
    input,
    ...merged,
    report,
    html: await text(report.html),
    json: await text(report.json),
    sarif: await text(report.sarif),
  };
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A folder as an archive: path → content. */
export const folder = (files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> =>
  packFiles(
    Object.entries(files).map(([path, content]) => ({
      path,
      bytes: typeof content === "string" ? bytesOf(content) : content,
    })),
  );

/** "rule path:line" of each finding, for comparing. */
export const placed = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ rule, path, line }) => `${rule} ${path ?? ""}:${String(line ?? "")}`);

/** The code of the error that a promise ends in. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof RuntimeError ? error.code : `not a RuntimeError: ${String(error)}`;
  }
  return "no error";
}
