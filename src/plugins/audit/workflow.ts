/** The audit as a workflow: data that the runtime registers. */
import type { WorkflowInput } from "../../core/workflows/definition.ts";
import type { LicencePolicy } from "./dependencies/licence-policy.ts";
import type { Limits } from "./limits.ts";

export interface AuditWorkflowOptions {
  /** Default "audit". */
  readonly id?: string;
  readonly limits?: Partial<Limits>;
  readonly includeNodeModules?: boolean;
  readonly licences?: LicencePolicy;
  /** Files that are analysed at once, by each of the two analysers. Default 8. */
  readonly concurrency?: number;
  /** Who may decide on the findings. Default: anybody. */
  readonly approvers?: readonly string[];
  /** Whoever has started the audit may decide on its findings, too. Default false. */
  readonly selfApproval?: boolean;
  /** How long the review may take, in milliseconds, and what comes then. Default: without end. */
  readonly review?: { readonly timeout: number; readonly onTimeout: "approve" | "reject" };
}

const MINUTE = 60_000;

/**
 * Unpack, then secrets and code file by file beside the dependencies, then one list, a review by people, and the report.
 * The run's input is `{archive, name}`; its output is the report's. The review's data are the decisions:
 * `{accepted: [id], dismissed: [{id, reason?}], by?}`.
 */
export function createAuditWorkflow(options: AuditWorkflowOptions = {}): WorkflowInput {
  return {
    id: options.id ?? "audit",
    title: "Audit a code base",
    nodes: [
      unpackNode(options),
      ...analyses(options),
      { id: "joined", type: "join" },
      mergeNode(),
      ...reporting(options),
    ],
    edges: [
      { from: "unpack", to: "secrets" },
      { from: "unpack", to: "static" },
      { from: "unpack", to: "dependencies" },
      { from: "secrets", to: "joined" },
      { from: "static", to: "joined" },
      { from: "dependencies", to: "joined" },
      { from: "joined", to: "merge" },
      { from: "merge", to: "review" },
      { from: "review", to: "report" },
    ],
    output: "nodes.report.output",
  };
}

type Node = WorkflowInput["nodes"][number];

const unpackNode = ({ limits = {}, includeNodeModules = false }: AuditWorkflowOptions): Node => ({
  id: "unpack",
  title: "Unpack",
  type: "task",
  capabilities: ["audit.unpack"],
  input: mapping({
    archive: "input.archive",
    name: "input.name",
    limits: JSON.stringify(limits),
    includeNodeModules: String(includeNodeModules),
  }),
  timeout: 5 * MINUTE,
});

function analyses({ concurrency = 8, licences = {} }: AuditWorkflowOptions): readonly Node[] {
  const perFile = { input: "item", retry: { maxAttempts: 2 }, timeout: MINUTE };
  return [
    {
      id: "secrets",
      title: "Look for credentials",
      type: "map",
      items: "nodes.unpack.output.texts",
      concurrency,
      onError: "collect",
      task: { capabilities: ["audit.secrets"], ...perFile },
    },
    {
      id: "static",
      title: "Analyse the code",
      type: "map",
      items: "nodes.unpack.output.sources",
      concurrency,
      onError: "collect",
      task: { capabilities: ["audit.static"], ...perFile },
    },
    {
      id: "dependencies",
      title: "Check the dependencies",
      type: "task",
      capabilities: ["audit.dependencies"],
      input: mapping({ files: "nodes.unpack.output.files", policy: JSON.stringify(licences) }),
      timeout: 2 * MINUTE,
    },
  ];
}

const mergeNode = (): Node => ({
  id: "merge",
  title: "Make one list",
  type: "task",
  capabilities: ["audit.merge"],
  input: mapping({
    unpack: mapping({
      texts: "nodes.unpack.output.texts",
      files: "size(nodes.unpack.output.files)",
      skipped: "nodes.unpack.output.skipped",
      findings: "nodes.unpack.output.findings",
    }),
    secrets: "nodes.secrets.output",
    static: "nodes.static.output",
    dependencies: "nodes.dependencies.output",
  }),
  timeout: 2 * MINUTE,
});

const reporting = ({ approvers = [], selfApproval = false, review }: AuditWorkflowOptions): readonly Node[] => [
  {
    id: "review",
    title: "Review the findings",
    type: "approval",
    message: "Confirm or dismiss the findings, then approve the report.",
    payload: "nodes.merge.output",
    approvers: [...approvers],
    ...(selfApproval && { selfApproval }),
    ...review,
  },
  {
    id: "report",
    title: "Write the report",
    type: "task",
    capabilities: ["audit.report"],
    input: mapping({
      name: "input.name",
      findings: "nodes.merge.output.findings",
      summary: "nodes.merge.output.summary",
      decisions: "nodes.review.output.data",
      by: "nodes.review.output.by",
    }),
    timeout: 2 * MINUTE,
  },
];

/** A map in the expression language; JSON texts are expressions too. */
const mapping = (fields: Readonly<Record<string, string>>): string =>
  `{${Object.entries(fields)
    .map(([name, expression]) => `'${name}': ${expression}`)
    .join(", ")}}`;
