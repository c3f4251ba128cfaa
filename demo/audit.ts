/** The one door between this page and the audit plugin: agents, workflow, findings, decisions, reports. */
import * as v from "valibot";
import type { BlobRef, ErrorData, Runtime } from "../src/index.ts";
import {
  createAuditWorkflow,
  FindingSchema,
  LimitsSchema,
  SummarySchema,
  type Decisions,
  type Finding,
  type Summary,
} from "../src/plugins/audit/index.ts";
import { REPORT_INFO, REPORT_KINDS, type ReportFile, type ReportFiles, type ReportKind } from "./report/files.ts";
import type { ReviewState } from "./review/review.ts";

export {
  packFiles,
  SEVERITIES,
  type Finding,
  type PackedFile,
  type Severity,
  type Summary,
} from "../src/plugins/audit/index.ts";

/** Who audits a code base here is mostly who reviews it. */
export const WORKFLOW = createAuditWorkflow({ selfApproval: true });
export const LIMITS = v.parse(LimitsSchema, {});
export const SAMPLE = {
  file: "sample.tgz",
  name: "http-proxy-0.8.7.tgz",
  about: "The sample is a real npm package of 2012, with what has been learned since.",
};

/** How each step is called here, and what it is for, in a few words. */
export const STEPS: Readonly<Record<string, { readonly title: string; readonly about: string }>> = {
  unpack: { title: "Unpack", about: "opens the archive, refuses bombs" },
  secrets: { title: "Secret scan", about: "every text file, for keys and passwords" },
  static: { title: "Static analysis", about: "JavaScript and TypeScript, for exploits" },
  dependencies: { title: "Dependencies", about: "lockfile against advisories, licences" },
  merge: { title: "Merge & rank", about: "one list, worst first" },
  review: { title: "Review", about: "you accept or dismiss" },
  report: { title: "Report", about: "HTML, JSON, SARIF" },
};

/** The six agents: their files beside the page, and how many workers each may have. */
function agentsFor(cores: number): readonly (readonly [file: string, workers: number])[] {
  const many = Math.max(1, Math.min(4, Math.floor(cores / 2)));
  return [
    ["unpack", 1],
    ["secrets", many],
    ["static", many],
    ["dependencies", 1],
    ["merge", 1],
    ["report", 1],
  ];
}

/** Tells the runtime what an audit is, and offers this page's workers for it. Each agent is isolated, and told apart when it fails. */
export async function registerAudit(
  runtime: Runtime,
  base: URL,
  failed: (file: string, error: unknown) => void,
): Promise<void> {
  runtime.registerWorkflow(WORKFLOW);
  await Promise.all(
    agentsFor(navigator.hardwareConcurrency).map(([file, workers]) =>
      runtime // the code that comes with this page, whatever an earlier page of the same version had
        .registerAgent({ url: new URL(`agents/${file}.js`, base), workers, replace: true })
        .catch((error: unknown) => {
          failed(file, error);
        }),
    ),
  );
}

/** Stores the archive's bytes for a run, and starts it; gives the run's id. */
export async function startAudit(
  runtime: Runtime,
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
  id = runtime.createId(),
): Promise<string> {
  const archive = await runtime.blobs.write(id, bytes);
  runtime.startWorkflow(WORKFLOW.id, { archive, name: name.slice(0, 200) }, { id });
  return id;
}

const PayloadSchema = v.object({ findings: v.array(FindingSchema), summary: SummarySchema });

/** The findings that an approval asks about. */
export function findingsOf(payload: unknown): readonly Finding[] {
  return v.parse(PayloadSchema, payload).findings;
}

/** A review as the answer to its approval. What is undecided stays open in the report. */
export function answerOf(
  { findings, decisions, remark }: Pick<ReviewState, "findings" | "decisions" | "remark">,
  { approved, by }: { readonly approved: boolean; readonly by: string },
): Parameters<Runtime["answer"]>[1] {
  const data: Decisions = {
    accepted: findings.filter(({ id }) => decisions.get(id)?.verdict === "accepted").map(({ id }) => id),
    dismissed: findings.flatMap(({ id }) => {
      const decision = decisions.get(id);
      if (decision?.verdict !== "dismissed") return [];
      return [decision.reason === undefined ? { id } : { id, reason: decision.reason }];
    }),
    by,
  };
  const reason = remark.trim();
  return { approved, by, ...(reason !== "" && { reason }), ...(approved && { data }) };
}

const BlobSchema = v.object({ blob: v.string(), size: v.number(), offset: v.optional(v.number()) });
const OutputSchema = v.object({ html: BlobSchema, json: BlobSchema, sarif: BlobSchema });

export type DecidedFinding = Finding & { readonly decision: "open" | "accepted" | "dismissed" };

const JsonReportSchema = v.object({
  summary: SummarySchema,
  findings: v.array(
    v.object({
      ...FindingSchema.entries,
      decision: v.pipe(
        v.object({ kind: v.picklist(["open", "accepted", "dismissed"]) }),
        v.transform(({ kind }) => kind),
      ),
    }),
  ),
});

export interface AuditReport {
  readonly files: ReportFiles;
  readonly findings: readonly DecidedFinding[];
  readonly summary: Summary;
}

/** Reads the three files that a finished run's output names. */
export async function reportOf(output: unknown, blobs: Runtime["blobs"]): Promise<AuditReport> {
  const refs = v.parse(OutputSchema, output);
  const read = async (kind: ReportKind): Promise<[ReportKind, ReportFile]> => [
    kind,
    { kind, name: REPORT_INFO[kind].file, type: REPORT_INFO[kind].type, bytes: await bytesOf(blobs, refs[kind]) },
  ];
  const files = Object.fromEntries(await Promise.all(REPORT_KINDS.map(read))) as Readonly<
    Record<ReportKind, ReportFile>
  >;
  const { findings, summary } = v.parse(JsonReportSchema, JSON.parse(new TextDecoder().decode(files.json.bytes)));
  return { files, findings, summary };
}

async function bytesOf(blobs: Runtime["blobs"], ref: BlobRef): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blobs.read(ref)); // a copy of its own, which a Blob can take
}

const FilesSchema = v.object({
  texts: v.array(v.object({ path: v.string() })),
  sources: v.array(v.object({ path: v.string() })),
});

/** The paths that each map went over, in its order: by them a cell of the picture knows its file. */
export async function pathsOf(runtime: Runtime, run: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const task = await runtime.archive.task(`${run}/unpack`);
  const parsed = v.safeParse(FilesSchema, task?.output);
  if (!parsed.success) return new Map();
  const { texts, sources } = parsed.output;
  return new Map([
    ["secrets", texts.map(({ path }) => path)],
    ["static", sources.map(({ path }) => path)],
  ]);
}

/** What is shown of a report that could not be read. */
export type ReportFailure = ErrorData;
