/** The sign-off of a finished audit: a workflow of its own, so that audits don't wait for it and know nothing of it. */
import * as v from "valibot";
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";
import type { ExecutionView, Runtime } from "../../src/index.ts";
import { SEVERITIES, type AuditReport } from "../audit.ts";

const MINUTE = 60_000;

export const RISKS = ["low", "medium", "high"] as const;
export type Risk = (typeof RISKS)[number];

/** A maintainer and somebody of security have to approve; when they don't in time, a lead decides. */
export const SIGN_OFF = {
  id: "sign-off",
  title: "Sign off an audit",
  nodes: [
    {
      id: "decision",
      title: "Sign off",
      type: "approval",
      message:
        "Release {{ input.name }}? Findings that stand: {{ input.standing }}, of them critical or high: {{ input.grave }}.",
      payload: "input.proposal",
      approvers: [{ role: "maintainer" }, { role: "security" }],
      need: "all",
      needReason: "rejection",
      edit: {
        type: "object",
        properties: {
          risk: { type: "string", title: "Risk", enum: RISKS },
          note: { type: "string", title: "Release note", minLength: 1, maxLength: 2_000 },
        },
        required: ["risk", "note"],
      },
      remind: 30 * MINUTE,
      timeout: 120 * MINUTE,
      escalation: [{ approvers: [{ role: "lead" }], need: 1, timeout: 1_440 * MINUTE, onTimeout: "reject" }],
      onReject: "continue",
    },
  ],
  output: "nodes.decision.output",
} satisfies WorkflowInput;

const count = v.number();
const ProposalSchema = v.object({
  findings: v.object({ critical: count, high: count, medium: count, low: count, info: count }),
  accepted: count,
  dismissed: count,
  undecided: count,
  risk: v.picklist(RISKS),
  note: v.string(),
});
export type Proposal = v.InferOutput<typeof ProposalSchema>;

const VoteSchema = v.object({
  id: v.string(),
  by: v.string(),
  approved: v.boolean(),
  level: v.string(),
  reason: v.optional(v.string()),
});

const InputSchema = v.object({ name: v.string(), proposal: ProposalSchema });
const OutputSchema = v.object({
  approved: v.boolean(),
  by: v.string(),
  reason: v.nullable(v.string()),
  votes: v.optional(v.array(VoteSchema), []),
  payload: ProposalSchema,
});
export type Outcome = v.InferOutput<typeof OutputSchema>;

/** A sign-off that has ended: with its outcome, unless it was taken back or failed. */
export interface SignedOff {
  readonly id: string;
  readonly status: ExecutionView["status"];
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly askedBy: string | undefined;
  readonly proposal: Proposal;
  readonly outcome: Outcome | undefined;
}

const NUMBERED = /^(.+)\.sign-off-(\d+)(?:\/.*)?$/u;

/** The id of an audit's sign-off, counted from 1: two tabs that ask at the same moment ask once. */
export const signOffId = (audit: string, number: number): string => `${audit}.sign-off-${String(number)}`;

/** The audit that a sign-off is of, by the id of the sign-off or of a part of it; undefined for all else. */
export const auditOf = (id: string): string | undefined => NUMBERED.exec(id)?.[1];

export const isSignOff = ({ workflow }: Pick<ExecutionView, "workflow">): boolean => workflow === SIGN_OFF.id;

/** What is proposed of a report, before anybody writes. */
export function proposalOf({ findings, summary }: AuditReport, name: string): Proposal {
  const standing = findings.filter(({ decision }) => decision !== "dismissed");
  const of = (how: string): number => findings.filter(({ decision }) => decision === how).length;
  const [critical = 0, high = 0, medium = 0, low = 0, info = 0] = SEVERITIES.map(
    (severity) => standing.filter((one) => one.severity === severity).length,
  );
  const risk = critical > 0 ? "high" : high > 0 ? "medium" : "low";
  const words = `${name}: ${String(summary.files)} files audited, ${String(of("accepted"))} findings accepted.`;
  return {
    findings: { critical, high, medium, low, info },
    ...{ accepted: of("accepted"), dismissed: of("dismissed"), undecided: of("open") },
    risk,
    note: words,
  };
}

/** Begins the sign-off of an audit. */
export function startSignOff(runtime: Runtime, id: string, name: string, proposal: Proposal): void {
  const { critical, high, medium, low, info } = proposal.findings;
  const [standing, grave] = [critical + high + medium + low + info, critical + high];
  runtime.startWorkflow(SIGN_OFF.id, { audit: auditOf(id) ?? "", name, standing, grave, proposal }, { id });
}

/** Reads a sign-off that has ended; undefined when it is none that this page has made. */
export function signedOff(execution: ExecutionView): SignedOff | undefined {
  const { id, status, startedAt, finishedAt = startedAt, startedBy: askedBy, input, output } = execution;
  const asked = v.safeParse(InputSchema, input);
  if (!asked.success) return undefined;
  const outcome = v.safeParse(OutputSchema, output);
  const { proposal } = asked.output;
  return {
    id,
    status,
    startedAt,
    finishedAt,
    askedBy,
    proposal,
    outcome: outcome.success ? outcome.output : undefined,
  };
}
