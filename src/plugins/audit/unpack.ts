/** The agent that takes an archive apart, trusting none of it. */
import * as v from "valibot";
import { BlobRefSchema, defineAgent, type AgentContext } from "../../core/plugin.ts";
import { openArchive, type ArchiveEntry } from "./archive/archive.ts";
import { createBlobPacker, type Packed } from "./blob-packer.ts";
import {
  byPath,
  checkPath,
  DECEPTIVE,
  FileSchema,
  isSource,
  isText,
  kindOf,
  leavesRoot,
  type AuditFile,
  type Kind,
} from "./files.ts";
import { clip, ObservationSchema, weightiest, type Observation, type Severity } from "./findings.ts";
import { createBudget, LimitsSchema, tooLarge, type Budget, type Limits } from "./limits.ts";
import { visible } from "./source-text.ts";
import { UNPACK_RULES, type UnpackRule } from "./unpack-rules.ts";

export const UnpackInputSchema = v.object({
  archive: BlobRefSchema,
  name: v.pipe(v.string(), v.maxLength(200)),
  limits: v.optional(LimitsSchema, {}),
  /** Whether to read what is in node_modules; by default it is counted and left out. */
  includeNodeModules: v.optional(v.boolean(), false),
});

export const UnpackOutputSchema = v.object({
  /** By path. */
  files: v.array(FileSchema),
  /** Those of the files that hold text, and those that the static analyser reads, in the same order. */
  texts: v.array(FileSchema),
  sources: v.array(FileSchema),
  /** The folder that held everything, which the paths leave out; "" when there was none. */
  root: v.string(),
  /** Folders that were left out on purpose. */
  skipped: v.array(v.object({ path: v.string(), files: v.number() })),
  bytes: v.number(),
  findings: v.array(ObservationSchema),
});
export type UnpackOutput = v.InferOutput<typeof UnpackOutputSchema>;

export const unpackAgent = defineAgent({
  name: "audit-unpack",
  version: "1.0.0",
  capabilities: ["audit.unpack"],
  description: "Reads a .zip, .tar or .tar.gz and keeps its files, refusing bombs and paths that lead out of it.",
  input: UnpackInputSchema,
  output: UnpackOutputSchema,
  async run({ archive, limits, includeNodeModules }, context) {
    if (archive.size > limits.archiveBytes)
      throw tooLarge("archiveBytes", { max: limits.archiveBytes, size: archive.size });
    const bytes = await context.blobs.read(archive);
    const budget = createBudget(limits);
    const unpacking = createUnpacking(budget, context, { includeNodeModules });
    for await (const entry of openArchive(bytes, budget)) {
      context.signal.throwIfAborted();
      await unpacking.take(entry);
    }
    return unpacking.finish();
  },
});

interface Kept {
  readonly packed: Packed;
  readonly size: number;
  readonly kind: Kind;
}

/** The most odd things that are told one by one. */
const MAX_FINDINGS = 200;
const MAX_SKIPPED = 100;

function createUnpacking(
  budget: Budget,
  context: Pick<AgentContext, "blobs" | "progress">,
  { includeNodeModules }: { readonly includeNodeModules: boolean },
) {
  const packer = createBlobPacker(context);
  const kept = new Map<string, Kept>();
  const skipped = new Map<string, number>();
  const observed: Observation[] = [];
  let bytes = 0;

  const observe = (path: string, problem: Problem): void => {
    observed.push(observationOf(path, problem));
  };

  const keep = async (path: string, entry: ArchiveEntry): Promise<void> => {
    budget.file(path, entry.size);
    const content = await entry.read();
    const kind = kindOf(path, content);
    bytes += content.length;
    for (const oddity of odditiesOf(path, { kind, size: content.length, known: kept.has(path) })) observe(path, oddity);
    kept.set(path, { packed: await packer.add(content), size: content.length, kind });
    context.progress(bytes / budget.limits.totalBytes, path);
  };

  return {
    async take(entry: ArchiveEntry): Promise<void> {
      const checked = checkPath(entry.path, budget.limits);
      if ("reason" in checked) {
        observe(entry.path, { rule: checked.problem, message: `Not unpacked: ${checked.reason}.` });
        return;
      }
      const { path } = checked;
      if (path === "" || entry.type === "directory" || skip(skipped, path, includeNodeModules)) return;
      const obstacle = entryProblem(entry, path, budget.limits);
      if (obstacle) observe(path, obstacle);
      else await keep(path, entry);
    },
    async finish(): Promise<UnpackOutput> {
      await packer.finish();
      for (const [path, others] of collisions([...kept.keys()]))
        observe(path, { rule: "case-collision", message: `Also: ${others.join(", ")}.` });
      const root = rootOf([...kept.keys()]);
      const files = [...kept].map(([path, one]) => fileOf(path.slice(root.length), one)).sort(byPath);
      return {
        files,
        texts: files.filter(isText),
        sources: files.filter(isSource),
        root: root.slice(0, -1),
        skipped: [...skipped].map(([path, count]) => ({
          path: path.slice(path.startsWith(root) ? root.length : 0),
          files: count,
        })),
        bytes,
        findings: capped(observed.map((one) => withoutRoot(one, root))),
      };
    },
  };
}

/** What is odd about an entry. */
interface Problem {
  readonly rule: UnpackRule;
  readonly message: string;
  readonly severity?: Severity;
}

const observationOf = (path: string, { rule, message, severity }: Problem): Observation => ({
  rule: `unpack/${rule}`,
  message: clip(visible(message), 500),
  path: clip(path, 600),
  ...(severity && { severity }),
});

/** What keeps an entry from being unpacked, if anything does. */
function entryProblem(
  { type, size, target = "" }: ArchiveEntry,
  path: string,
  { fileBytes }: Limits,
): Problem | undefined {
  if (type === "symlink" || type === "hardlink") {
    const where = target === "" ? "" : `, to ${target}`;
    return leavesRoot(type === "symlink" ? path : "", target)
      ? { rule: "unsafe-path", message: `Not unpacked: a ${type}${where}, which leads out of the archive.` }
      : { rule: "link", message: `Not unpacked: a ${type}${where}.` };
  }
  if (type === "device") return { rule: "link", message: "Not unpacked: a device or pipe.", severity: "medium" };
  if (type === "unsupported")
    return { rule: "unreadable-entry", message: "It is encrypted, or neither stored nor deflated." };
  if (size <= fileBytes) return undefined;
  return { rule: "file-too-large", message: `${String(size)} bytes; up to ${String(fileBytes)} are read.` };
}

/** What is odd about a file that was unpacked all the same. */
function odditiesOf(
  path: string,
  { kind, size, known }: { readonly kind: Kind; readonly size: number; readonly known: boolean },
): readonly Problem[] {
  const odd: Problem[] = [];
  if (known) odd.push({ rule: "duplicate-path", message: "The archive has several entries of this path." });
  if (kind === "archive") odd.push({ rule: "nested-archive", message: `${String(size)} bytes.` });
  if (DECEPTIVE.test(path)) odd.push({ rule: "deceptive-path", message: `It is written ${path}.` });
  return odd;
}

/** Counts what lies in a folder that is left out, by the outermost such folder. */
function skip(skipped: Map<string, number>, path: string, includeNodeModules: boolean): boolean {
  const parts = path.split("/");
  const at = parts.findIndex((part) => part === ".git" || (part === "node_modules" && !includeNodeModules));
  if (at === -1) return false;
  const folder = parts.slice(0, at + 1).join("/");
  const listed = skipped.has(folder) || skipped.size < MAX_SKIPPED ? folder : "other such folders";
  skipped.set(listed, (skipped.get(listed) ?? 0) + 1);
  return true;
}

/** "package/" of an npm archive, "name-branch/" of one from GitHub: a folder that holds every file. */
function rootOf(paths: readonly string[]): string {
  const [first = ""] = paths;
  const root = first.slice(0, first.indexOf("/") + 1);
  return root !== "" && paths.every((path) => path.startsWith(root)) ? root : "";
}

const withoutRoot = (one: Observation, root: string): Observation =>
  one.path?.startsWith(root) === true ? { ...one, path: one.path.slice(root.length) } : one;

const fileOf = (path: string, { packed, size, kind }: Kept): AuditFile => ({ path, size, ref: packed.ref(), kind });

function collisions(paths: readonly string[]): readonly (readonly [string, readonly string[]])[] {
  const byForm = new Map<string, string[]>();
  for (const path of [...paths].sort()) {
    const form = path.normalize("NFC").toLowerCase();
    const same = byForm.get(form);
    if (same) same.push(path);
    else byForm.set(form, [path]);
  }
  return [...byForm.values()].flatMap(([first = "", ...others]) =>
    others.length > 0 ? [[first, others] as const] : [],
  );
}

const severityOf = ({ severity, rule }: Observation): Severity =>
  severity ?? Object.entries(UNPACK_RULES).find(([name]) => rule === `unpack/${name}`)?.[1].severity ?? "low";

function capped(observed: readonly Observation[]): Observation[] {
  const left = observed.length - MAX_FINDINGS;
  if (left <= 0) return [...observed];
  return [
    ...weightiest(observed, MAX_FINDINGS, severityOf),
    { rule: "unpack/more-findings", message: `${String(left)} more are not listed.` },
  ];
}
