/** Runs the audit as the runtime does: its workflow's own expressions, JSON in and out, schemas at both doors, bytes in blobs. */
import assert from "node:assert/strict";
import { RuntimeError } from "../../../src/core/errors.ts";
import { evaluateExpression, parseExpression } from "../../../src/core/expressions/index.ts";
import { MAX_PAYLOAD } from "../../../src/core/json.ts";
import type { AgentContext, AgentDefinition, BlobRef } from "../../../src/core/plugin.ts";
import type { WorkflowNode } from "../../../src/core/workflows/definition.ts";
import { planWorkflow } from "../../../src/core/workflows/plan.ts";
import { dependenciesAgent } from "../../../src/plugins/audit/dependencies.ts";
import type { Finding, Summary } from "../../../src/plugins/audit/findings.ts";
import { createAuditWorkflow, type AuditWorkflowOptions } from "../../../src/plugins/audit/index.ts";
import { mergeAgent } from "../../../src/plugins/audit/merge.ts";
import { packFiles } from "../../../src/plugins/audit/pack.ts";
import { reportAgent } from "../../../src/plugins/audit/report.ts";
import { secretsAgent } from "../../../src/plugins/audit/secrets.ts";
import { staticAgent } from "../../../src/plugins/audit/static.ts";
import { unpackAgent, type UnpackOutput } from "../../../src/plugins/audit/unpack.ts";

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
    stream: () => Promise.resolve(),
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

const AGENTS = [
  unpackAgent,
  secretsAgent,
  staticAgent,
  dependenciesAgent,
  mergeAgent,
  reportAgent,
] as readonly AgentDefinition[];

export interface AuditOptions {
  readonly blobs?: Blobs;
  readonly options?: AuditWorkflowOptions;
  /** Items of maps that fail, as if their agent had. */
  readonly fail?: (node: string, path: string) => boolean;
  readonly decisions?: unknown;
  /** Changes the order in which things were seen, where that is up to chance. */
  readonly shuffle?: <T>(things: T[]) => T[];
}

export interface Audited {
  readonly blobs: Blobs;
  readonly unpacked: UnpackOutput;
  readonly findings: readonly Finding[];
  readonly summary: Summary;
  readonly counts: Record<string, unknown>;
  readonly html: string;
  readonly json: string;
  readonly sarif: string;
  /** The output of each node, as JSON. */
  readonly outputs: Readonly<Record<string, string>>;
  /** The processor time of each node in milliseconds: on a busy machine the clock says little. */
  readonly times: Readonly<Record<string, number>>;
}

/** Runs the workflow over an archive, node by node. */
export async function audit(archive: Uint8Array, given: AuditOptions = {}): Promise<Audited> {
  const { blobs = createBlobs(), decisions = null, shuffle = <T>(things: T[]): T[] => things } = given;
  const plan = planWorkflow(createAuditWorkflow(given.options));
  const input = { archive: blobs.put(archive), name: "code" };
  const nodes: Record<string, { output: unknown }> = {};
  const times: Record<string, number> = {};
  const scoped = (expression: string, more = {}) =>
    evaluateExpression(parseExpression(expression), { input, nodes, ...more });
  for (const { node } of plan.nodes.values()) {
    const started = process.cpuUsage();
    nodes[node.id] = { output: await outputOf(node, { scoped, blobs, decisions, fail: given.fail }) };
    const { user, system } = process.cpuUsage(started);
    times[node.id] = (user + system) / 1_000;
    if (node.id === "unpack" || node.id === "dependencies") shuffleFindings(nodes[node.id]?.output, shuffle);
  }
  const merged = nodes["merge"]?.output as { findings: Finding[]; summary: Summary };
  const report = nodes["report"]?.output as {
    html: BlobRef;
    json: BlobRef;
    sarif: BlobRef;
    counts: Record<string, unknown>;
  };
  const text = async (ref: BlobRef): Promise<string> => new TextDecoder().decode(await blobs.blobs.read(ref));
  return {
    blobs,
    unpacked: nodes["unpack"]?.output as UnpackOutput,
    ...merged,
    counts: report.counts,
    html: await text(report.html),
    json: await text(report.json),
    sarif: await text(report.sarif),
    outputs: Object.fromEntries(Object.entries(nodes).map(([id, { output }]) => [id, JSON.stringify(output)])),
    times,
  };
}

function shuffleFindings(output: unknown, shuffle: NonNullable<AuditOptions["shuffle"]>): void {
  const holder = output as { findings: unknown[] };
  holder.findings = shuffle(holder.findings);
}

interface Running {
  readonly scoped: (expression: string, more?: object) => unknown;
  readonly blobs: Blobs;
  readonly decisions: unknown;
  readonly fail: AuditOptions["fail"];
}

async function outputOf(node: WorkflowNode, { scoped, blobs, decisions, fail }: Running): Promise<unknown> {
  if (node.type === "task") return run(agentFor(node.capabilities), scoped(node.input), blobs);
  if (node.type === "approval") return { approved: true, by: "ann", reason: "", data: decisions };
  if (node.type !== "map" || !node.task) return null;
  const { task } = node;
  const outputs: unknown[] = [];
  const items = scoped(node.items) as readonly { readonly path: string }[];
  for (const [index, item] of items.entries()) {
    const failed = fail?.(node.id, item.path) === true;
    const value = scoped(task.input, { item, index });
    outputs.push(
      failed
        ? { error: { code: "task/timeout", message: "no answer" } }
        : await run(agentFor(task.capabilities), value, blobs),
    );
  }
  return outputs;
}

function agentFor(capabilities: readonly string[]): AgentDefinition {
  const agent = AGENTS.find((one) => capabilities.every((name) => one.capabilities.includes(name)));
  return agent ?? assert.fail(`no agent offers ${capabilities.join()}`);
}

/** The text in UTF-16, without a mark. */
export const utf16Of = (text: string, bigEndian = false): number[] =>
  Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).flatMap((unit) =>
    bigEndian ? [unit >> 8, unit & 0xff] : [unit & 0xff, unit >> 8],
  );

export const latin1Of = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

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

/** What a promise ends in: the code of a RuntimeError, or a sentence. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof RuntimeError ? error.code : `not a RuntimeError: ${String(error)}`;
  }
  return "no error";
}

/** Repeatable chance: the same seed, the same numbers. */
export function createChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
