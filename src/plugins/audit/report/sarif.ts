/** The report for tools: SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0). */
import type { Log, ReportingDescriptor, Result, Run } from "sarif";
import type { Finding, Severity } from "../findings.ts";
import { visible } from "../source-text.ts";
import { advisoryOf } from "./advisory-link.ts";
import type { Decided } from "./decisions.ts";
import type { ReportContent } from "./html.ts";

const LEVELS: Readonly<Record<Severity, Result.level>> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
  info: "note",
};

/** Where GitHub draws its lines between critical, high, medium and low. */
const SCORES: Readonly<Record<Severity, string>> = {
  critical: "9.5",
  high: "8.0",
  medium: "5.5",
  low: "2.5",
  info: "0.0",
};

/** As GitHub and others call the root of a repository. */
const ROOT = "%SRCROOT%";

export function renderSarif({ name, decided }: ReportContent): string {
  const rules = new Map<string, { readonly index: number; readonly descriptor: ReportingDescriptor }>();
  for (const { finding } of decided) {
    if (!rules.has(finding.rule)) rules.set(finding.rule, { index: rules.size, descriptor: describe(finding) });
  }
  const run: Run = {
    tool: {
      driver: {
        name: "Troupe audit",
        semanticVersion: "1.0.0",
        rules: [...rules.values()].map(({ descriptor }) => descriptor),
      },
    },
    columnKind: "utf16CodeUnits",
    originalUriBaseIds: { [ROOT]: { description: { text: `The root of ${visible(name)}.` } } },
    results: decided.map((one) => resultOf(one, rules.get(one.finding.rule)?.index ?? 0)),
  };
  const log: Log = { $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function describe({ rule, title, severity, help, cwe }: Finding): ReportingDescriptor {
  const helpUri = advisoryOf(rule);
  return {
    id: rule,
    shortDescription: { text: visible(title) },
    ...(help !== undefined && { help: { text: visible(help) } }),
    ...(helpUri !== undefined && { helpUri }),
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      "security-severity": SCORES[severity],
      tags: ["security", ...(cwe === undefined ? [] : [`external/cwe/${cwe.toLowerCase()}`])],
    },
  };
}

function resultOf({ finding, decision }: Decided, ruleIndex: number): Result {
  const { id, rule, severity, confidence, message } = finding;
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: visible(message) },
    locations: locationOf(finding),
    partialFingerprints: { "troupeFinding/v1": id },
    ...(decision.kind === "dismissed" && {
      suppressions: [
        {
          kind: "external" as const,
          status: "accepted" as const,
          ...(decision.reason !== undefined && { justification: visible(decision.reason) }),
        },
      ],
    }),
    properties: { severity, confidence, decision: decision.kind },
  };
}

function locationOf({ path, line, column, endLine, evidence }: Finding): NonNullable<Result["locations"]> {
  if (path === undefined) return [];
  if (!isInside(path)) return [{ logicalLocations: [{ fullyQualifiedName: visible(path), kind: "resource" }] }];
  const region = line !== undefined && {
    startLine: line,
    ...(column !== undefined && { startColumn: column }),
    ...(endLine !== undefined && endLine >= line && { endLine }),
    ...(evidence !== undefined && evidence !== "" && { snippet: { text: evidence } }),
  };
  return [{ physicalLocation: { artifactLocation: { uri: uriOf(path), uriBaseId: ROOT }, ...(region && { region }) } }];
}

/** Whether a path can be given as an address; those of refused entries lead elsewhere. */
const isInside = (path: string): boolean =>
  path.split("/").every((part) => part !== "" && part !== "." && part !== "..") && !/[\p{Cc}\\]/u.test(path);

/** A relative reference: each part encoded, so that no path can become a scheme, a query or a fragment. */
const uriOf = (path: string): string =>
  path
    .split("/")
    .map((part) => encodeURIComponent(part.replace(/\p{Cs}/gu, "\ufffd")))
    .join("/");
