/**
 * The agent that makes one list of what the analysers saw. The list depends on what was seen alone: not on the
 * order in which files were analysed, nor on which attempt of an analyser succeeded.
 */
import * as v from "valibot";
import { defineAgent, type AgentContext } from "../../core/plugin.ts";
import { FileSchema, isSource } from "./files.ts";
import {
  CONFIDENCES,
  FindingSchema,
  ObservationSchema,
  SEVERITIES,
  SummarySchema,
  TOOLS,
  clip,
  type Finding,
  type Observation,
  type Summary,
  type Tool,
} from "./findings.ts";
import { ItemFindingsSchema, unpackFindings } from "./item-findings.ts";
import { fingerprint } from "./platform.ts";
import { describeRule } from "./rule-index.ts";
import { visible } from "./source-text.ts";

/** What stands in a map's output for an item that failed. */
const FailedItemSchema = v.object({ error: v.object({ code: v.string(), message: v.string() }) });
const ItemSchema = v.union([ItemFindingsSchema, FailedItemSchema]);
type Item = v.InferOutput<typeof ItemSchema>;

export const MergeInputSchema = v.object({
  unpack: v.object({
    texts: v.array(v.pick(FileSchema, ["path", "kind"])),
    /** All files, texts or not. */
    files: v.number(),
    skipped: v.optional(SummarySchema.entries.skipped, []),
    findings: v.array(ObservationSchema),
  }),
  /** One for each text, in that order. */
  secrets: v.array(ItemSchema),
  /** One for each text that is source code, in that order. */
  static: v.array(ItemSchema),
  dependencies: v.object({
    findings: v.array(ObservationSchema),
    advisories: v.optional(v.object({ source: v.string(), date: v.string(), count: v.number() })),
  }),
  /** The most findings that are listed; beyond it the least important ones are only counted. */
  limit: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(5_000)), 2_000),
});
export type MergeInput = v.InferOutput<typeof MergeInputSchema>;

export const MergeOutputSchema = v.object({ findings: v.array(FindingSchema), summary: SummarySchema });

export const mergeAgent = defineAgent({
  name: "audit-merge",
  version: "1.0.0",
  capabilities: ["audit.merge"],
  description: "Makes one ranked list of what the analysers saw, without duplicates.",
  input: MergeInputSchema,
  output: MergeOutputSchema,
  async run(input, context) {
    const { texts, findings: odd } = input.unpack;
    const perFile =
      [...input.secrets, ...input.static].reduce((sum, item) => sum + countOf(item), 0) > FLOOD ? FEW : Infinity;
    const inFiles = [
      ...(await collect(context, { tool: "secrets", items: input.secrets, files: texts, perFile })),
      ...(await collect(context, { tool: "static", items: input.static, files: texts.filter(isSource), perFile })),
    ];
    const kept = inFiles.flatMap(({ observations }) => observations);
    const dropped = inFiles.reduce((sum, one) => sum + one.dropped, 0);
    const ranked = withoutEchoes(identify([...odd, ...kept, ...input.dependencies.findings])).sort(byRank);
    const findings = ranked.slice(0, input.limit);
    return { findings, summary: summarise(ranked, { dropped, listed: findings.length }, input) };
  },
});

/** With more observations than this in files, only the weightiest few of each file are read. */
const FLOOD = 20_000;
const FEW = 4;

const countOf = (item: Item): number => ("error" in item ? 1 : item.count);

interface Collecting {
  readonly tool: Tool;
  readonly items: readonly Item[];
  /** The file of each item. */
  readonly files: readonly { readonly path: string }[];
  readonly perFile: number;
}

/** The observations of a map's items; of a failed item, that it failed. */
async function collect(context: Pick<AgentContext, "blobs" | "signal">, { tool, items, files, perFile }: Collecting) {
  const collected: { readonly observations: readonly Observation[]; readonly dropped: number }[] = [];
  for (const [at, item] of items.entries()) {
    context.signal.throwIfAborted();
    const all =
      "error" in item ? [notAnalysed(tool, item.error, files[at]?.path)] : await unpackFindings(context, item);
    const observations = all.length > perFile ? [...all].sort(byWeight).slice(0, perFile) : all;
    collected.push({ observations, dropped: all.length - observations.length });
  }
  return collected;
}

const byWeight = (a: Observation, b: Observation): number =>
  weight(complete("", a)) - weight(complete("", b)) || byPlace(a, b);

function notAnalysed(
  tool: Tool,
  error: { readonly code: string; readonly message: string },
  path?: string,
): Observation {
  return {
    rule: "merge/not-analysed",
    message: clip(visible(`The analyser "${tool}" failed: ${error.code}.`), 500), // its text may quote the file
    key: tool,
    ...(path !== undefined && { path }),
  };
}

/** Completes observations to findings. Equal ones become one; like ones are told apart by their order in the file. */
function identify(observations: readonly Observation[]): Finding[] {
  const alike = new Map<string, Observation[]>();
  for (const one of new Map(observations.map((each) => [JSON.stringify(sortedEntries(each)), each])).values()) {
    const identity = JSON.stringify([one.rule, one.path ?? "", one.key ?? one.evidence ?? one.message]);
    const others = alike.get(identity);
    if (others) others.push(one);
    else alike.set(identity, [one]);
  }
  const findings: Finding[] = [];
  for (const [identity, group] of alike) {
    group.sort(byPlace);
    for (const [at, one] of group.entries()) findings.push(complete(fingerprint(`${identity} ${String(at)}`), one));
  }
  return findings;
}

const sortedEntries = (one: Observation) => Object.entries(one).sort(([a], [b]) => compare(a, b));

function complete(id: string, { key: _, ...seen }: Observation): Finding {
  const [tool, name] = split(seen.rule);
  const { title, severity, confidence, help, cwe } = describeRule(tool, name);
  return withoutAbsent({
    id,
    tool,
    ...seen,
    title: seen.title ?? title,
    severity: seen.severity ?? severity,
    confidence: seen.confidence ?? confidence,
    help: seen.help ?? help,
    cwe: seen.cwe ?? cwe,
  });
}

/** JSON has no undefined, and a field that is there and undefined is another text than one that isn't. */
const withoutAbsent = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

function split(rule: string): readonly [Tool, string] {
  const slash = rule.indexOf("/");
  const tool = TOOLS.find((one) => one === rule.slice(0, slash)) ?? "merge";
  return [tool, rule.slice(slash + 1)];
}

/** Of findings of one family at one place (rules that see the same defect), only the weightiest. */
function withoutEchoes(findings: readonly Finding[]): Finding[] {
  const best = new Map<string, Finding>();
  for (const one of findings) {
    const { family } = describeRule(...split(one.rule));
    const place = family === undefined ? one.id : JSON.stringify([family, one.path, one.line, one.column]);
    const known = best.get(place);
    if (!known || byRank(one, known) < 0) best.set(place, one);
  }
  return [...best.values()];
}

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

const byPlace = (a: Observation, b: Observation): number =>
  compare(a.line ?? 0, b.line ?? 0) || compare(a.column ?? 0, b.column ?? 0) || compare(a.message, b.message);

/** Severity and confidence weigh together: a sure high comes before an unsure critical. */
const weight = ({ severity, confidence }: Finding): number =>
  2 * SEVERITIES.indexOf(severity) + CONFIDENCES.indexOf(confidence) * 1.5;

const byRank = (a: Finding, b: Finding): number =>
  compare(weight(a), weight(b)) ||
  compare(SEVERITIES.indexOf(a.severity), SEVERITIES.indexOf(b.severity)) ||
  compare(a.path ?? "", b.path ?? "") ||
  compare(a.line ?? 0, b.line ?? 0) ||
  compare(a.column ?? 0, b.column ?? 0) ||
  compare(a.rule, b.rule) ||
  compare(a.id, b.id);

/** Rules that say a file was not analysed. */
const isGap = ({ title }: Finding): boolean => title.startsWith("Not analysed");

function summarise(
  all: readonly Finding[],
  { dropped, listed }: { readonly dropped: number; readonly listed: number },
  { unpack, dependencies }: MergeInput,
): Summary {
  const count = <T extends string>(names: readonly T[], of: (one: Finding) => T): Record<T, number> =>
    Object.fromEntries(names.map((name) => [name, all.filter((one) => of(one) === name).length])) as Record<T, number>;
  const rules = new Map<string, Finding[]>();
  for (const one of all) {
    const same = rules.get(one.rule);
    if (same) same.push(one);
    else rules.set(one.rule, [one]);
  }
  return {
    files: unpack.files,
    notAnalysed: new Set(all.filter(isGap).map(({ path }) => path)).size,
    total: all.length + dropped,
    omitted: all.length + dropped - listed,
    bySeverity: count(SEVERITIES, ({ severity }) => severity),
    byTool: count(TOOLS, ({ tool }) => tool),
    byRule: [...rules.values()].flatMap((same) => {
      const [first] = same; // the weightiest, for they are ranked
      return first ? [{ rule: first.rule, title: first.title, severity: first.severity, count: same.length }] : [];
    }),
    ...(dependencies.advisories && { advisories: dependencies.advisories }),
    skipped: unpack.skipped,
  };
}
