/** What an audit finds: an observation is what an analyser saw, a finding is what is reported. */
import * as v from "valibot";

/** From worst to least. */
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export const SeveritySchema = v.picklist(SEVERITIES);
export type Severity = v.InferOutput<typeof SeveritySchema>;

/** How sure the analyser is, from most to least. */
export const CONFIDENCES = ["high", "medium", "low"] as const;
export const ConfidenceSchema = v.picklist(CONFIDENCES);
export type Confidence = v.InferOutput<typeof ConfidenceSchema>;

export const TOOLS = ["unpack", "secrets", "static", "dependencies", "merge"] as const;
export const ToolSchema = v.picklist(TOOLS);
export type Tool = v.InferOutput<typeof ToolSchema>;

/** The longest excerpt of a file that a finding shows. */
export const MAX_EVIDENCE = 200;

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
/** `tool/name`, the name as the analyser or the advisory database writes it. */
const rule = v.pipe(v.string(), v.regex(/^[a-z]+\/[\w.@/-]{1,120}$/u));
const position = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const cwe = v.pipe(v.string(), v.regex(/^CWE-\d{1,5}$/u));

const place = {
  path: v.optional(text(2_048)),
  line: v.optional(position),
  column: v.optional(position),
  endLine: v.optional(position),
  /** An excerpt of the place, secrets masked, odd characters spelled out. */
  evidence: v.optional(text(MAX_EVIDENCE)),
} as const;

/**
 * What an analyser saw. The rule's description fills in whatever is left out. `key` says what makes two
 * observations of a rule in a file the same one when lines move; by default the evidence, else the message.
 */
export const ObservationSchema = v.strictObject({
  rule,
  message: text(500),
  ...place,
  key: v.optional(text(200)),
  severity: v.optional(SeveritySchema),
  confidence: v.optional(ConfidenceSchema),
  title: v.optional(text(200)),
  help: v.optional(text(500)),
  cwe: v.optional(cwe),
});
export type Observation = v.InferOutput<typeof ObservationSchema>;

/** What is reported, reviewed and exported. */
export const FindingSchema = v.strictObject({
  /** Stays the same while rule, file and the place's text do, whatever the line. */
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{20}$/u)),
  rule,
  tool: ToolSchema,
  severity: SeveritySchema,
  confidence: ConfidenceSchema,
  title: text(200),
  message: text(500),
  ...place,
  /** What to do about it. */
  help: v.optional(text(500)),
  cwe: v.optional(cwe),
});
export type Finding = v.InferOutput<typeof FindingSchema>;

const counts = <T extends string>(names: readonly T[]) =>
  v.object(Object.fromEntries(names.map((name) => [name, v.number()])) as Record<T, v.NumberSchema<undefined>>);

export const SummarySchema = v.object({
  /** Files in the archive, and how many of them no analyser could read. */
  files: v.number(),
  notAnalysed: v.number(),
  /** All findings, those that were omitted too. */
  total: v.number(),
  /** Findings left out of the list because it was full, the least important ones. */
  omitted: v.number(),
  /** Of what was ranked: all but what a flood of findings left unread. */
  bySeverity: counts(SEVERITIES),
  byTool: counts(TOOLS),
  byRule: v.array(v.object({ rule, title: v.string(), severity: SeveritySchema, count: v.number() })),
  /** Where the advisories came from, to be said in the report. */
  advisories: v.optional(v.object({ source: v.string(), date: v.string(), count: v.number() })),
  /** What was left out on purpose. */
  skipped: v.array(v.object({ path: v.string(), files: v.number() })),
});
export type Summary = v.InferOutput<typeof SummarySchema>;

/** Cuts a text to a length, and says so. */
export const clip = (value: string, max: number): string =>
  value.length > max ? `${value.slice(0, max - 1)}…` : value;

/**
 * Leaves out the least severe when there are more than `max`, and otherwise keeps the order. A cap that keeps the
 * first ones could be filled with trifles, so that what follows is not seen.
 */
export function weightiest<T>(items: readonly T[], max: number, severityOf: (item: T) => Severity): readonly T[] {
  if (items.length <= max) return items;
  const ranked = items.map((item, at) => ({ item, at, rank: SEVERITIES.indexOf(severityOf(item)) }));
  ranked.sort((a, b) => a.rank - b.rank || a.at - b.at);
  return ranked
    .slice(0, max)
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
