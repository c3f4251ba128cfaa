/** The agent that writes the report, three times: for people, for programs and for tools. */
import * as v from "valibot";
import { BlobRefSchema, defineAgent } from "../../core/plugin.ts";
import { FindingSchema, SummarySchema } from "./findings.ts";
import { encodeText } from "./platform.ts";
import { decide, DecisionsSchema, type Decided } from "./report/decisions.ts";
import { renderHtml, type ReportContent } from "./report/html.ts";
import { renderSarif } from "./report/sarif.ts";

export const ReportInputSchema = v.object({
  name: v.pipe(v.string(), v.maxLength(200)),
  findings: v.array(FindingSchema),
  summary: SummarySchema,
  /** Null when nobody was asked, or when the answer came by a timeout. */
  decisions: v.optional(v.nullable(DecisionsSchema), null),
  /** Who approved, when the decisions do not say. */
  by: v.optional(v.nullable(v.string()), null),
});

export const ReportOutputSchema = v.object({
  html: BlobRefSchema,
  json: BlobRefSchema,
  sarif: BlobRefSchema,
  counts: v.object({
    findings: v.number(),
    accepted: v.number(),
    dismissed: v.number(),
    open: v.number(),
    bySeverity: SummarySchema.entries.bySeverity,
  }),
});

export const reportAgent = defineAgent({
  name: "audit-report",
  version: "1.0.0",
  capabilities: ["audit.report"],
  description: "Writes the report as HTML, JSON and SARIF. The same findings and decisions give the same bytes.",
  input: ReportInputSchema,
  output: ReportOutputSchema,
  async run({ name, findings, summary, decisions, by }, context) {
    const given = decisions ?? { accepted: [], dismissed: [] };
    const reviewer = given.by ?? by ?? undefined;
    const content: ReportContent = {
      name,
      summary,
      decided: decide(findings, given),
      decisions: { ...given, ...(reviewer !== undefined && { by: reviewer }) },
    };
    const write = (text: string) => context.blobs.write(encodeText(text));
    return {
      html: await write(renderHtml(content)),
      json: await write(renderJson(content)),
      sarif: await write(renderSarif(content)),
      counts: countsOf(content),
    };
  },
});

function renderJson({ name, decided, summary, decisions }: ReportContent): string {
  const findings = decided.map(({ finding, decision }) => ({ ...finding, decision }));
  const report = { format: "troupe-audit", version: 1, name, reviewedBy: decisions.by, summary, findings };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function countsOf({ decided, summary }: ReportContent) {
  const count = (kind: Decided["decision"]["kind"]): number =>
    decided.filter(({ decision }) => decision.kind === kind).length;
  return {
    findings: decided.length,
    accepted: count("accepted"),
    dismissed: count("dismissed"),
    open: count("open"),
    bySeverity: summary.bySeverity,
  };
}
