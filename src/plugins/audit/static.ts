/** The agent that analyses one JavaScript or TypeScript file. */
import * as v from "valibot";
import { defineAgent } from "../../core/plugin.ts";
import { FileSchema, isSource } from "./files.ts";
import { clip, weightiest, type Observation } from "./findings.ts";
import { ItemFindingsSchema, MAX_PER_FILE, nothingIn, packFindings } from "./item-findings.ts";
import { isSpecimen, type RuleInfo } from "./rule-info.ts";
import { scanSecrets } from "./secrets/scan.ts";
import { createSourceText, decodeSource, visible, type SourceText } from "./source-text.ts";
import { createSourceLinter, type LintMessage, type SourceLinter } from "./static/linter.ts";
import { PATTERNS } from "./static/patterns.ts";
import { CORE_RULES, FILE_RULES, SECURITY_RULES } from "./static/rules.ts";

/** A longer text is not parsed: the slowest code takes 12 ms a kilobyte. */
export const MAX_SOURCE = 512 * 1024;
/** Nobody writes lines as long as this. */
const MINIFIED_LINE = 2_000;
/** One careless habit must not hide the other findings of a file. */
const MAX_PER_RULE = 10;

let linter: SourceLinter | undefined; // one for the life of the worker: its rules take 50 ms to set up

export const staticAgent = defineAgent({
  name: "audit-static",
  version: "1.0.0",
  capabilities: ["audit.static"],
  description: "Looks for insecure code in a JavaScript or TypeScript file, with ESLint.",
  input: v.pick(FileSchema, ["path", "ref", "kind"]),
  output: ItemFindingsSchema,
  async run({ path, ref, kind }, context) {
    if (!isSource({ kind })) return nothingIn(path);
    const text = decodeSource(await context.blobs.read(ref));
    context.signal.throwIfAborted();
    return packFindings(context, path, await observeSource(path, text));
  },
});

/** What is said of a rule of the static analysis, by its name without "static/". */
export function staticRule(name: string): RuleInfo | undefined {
  for (const table of [PATTERNS, CORE_RULES, SECURITY_RULES, FILE_RULES])
    if (Object.hasOwn(table, name)) return table[name];
  return undefined;
}

/** What is reported of a file's code. It never throws: a file that defeats the analysis is a finding. */
export async function observeSource(path: string, text: string): Promise<Observation[]> {
  if (text.length > MAX_SOURCE)
    return [
      { rule: "static/too-large", message: `${String(text.length)} characters; ${String(MAX_SOURCE)} are read.` },
    ];
  const { masked, redact } = await scanSecrets(path, text); // excerpts must not show them
  const source = createSourceText(text, masked);
  linter ??= createSourceLinter();
  try {
    const messages = linter.lint(path, text);
    const overflow = messages.find(({ rule, message }) => rule === null && STACK_OVERFLOW.test(message));
    if (overflow) throw new RangeError(overflow.message);
    return [...minified(source), ...observe(messages, source, path, redact)];
  } catch (error) {
    return [{ rule: "static/analysis-failed", message: redact(describe(error)) }];
  }
}

function minified({ longestLine, lineCount }: SourceText): Observation[] {
  if (longestLine < MINIFIED_LINE) return [];
  return [
    {
      rule: "static/minified",
      message: `A line of ${String(longestLine)} characters; lines in all: ${String(lineCount)}.`,
      key: "minified",
    },
  ];
}

function observe(
  messages: readonly LintMessage[],
  source: SourceText,
  path: string,
  redact: (text: string) => string,
): Observation[] {
  const seen = new Map<string, number>();
  const few = messages.filter(({ rule }) => {
    const count = (seen.get(rule ?? "") ?? 0) + 1;
    seen.set(rule ?? "", count);
    return count <= MAX_PER_RULE;
  });
  const listed = weightiest(few, MAX_PER_FILE, ({ rule }) => staticRule(rule ?? "parse-error")?.severity ?? "low");
  const observations = listed.map(({ rule, message, line, column, endLine }) => ({
    rule: `static/${rule ?? "parse-error"}`,
    message: clip(visible(redact(message)), 300),
    line,
    column,
    ...(endLine !== undefined && endLine > line && { endLine }),
    evidence: source.excerpt(line, column),
    ...(isSpecimen(path) && { confidence: "low" as const }),
  }));
  const left = messages.length - observations.length;
  const more = `${String(left)} more are not listed; at most ${String(MAX_PER_RULE)} of a rule are.`;
  return left > 0 ? [...observations, { rule: "static/more-in-file", message: more }] : observations;
}

/** As the engines word it; there is no other way to tell, and the words must not differ between reports. */
const STACK_OVERFLOW = /call stack|too much recursion/iu;

function describe(error: unknown): string {
  if (error instanceof Error && STACK_OVERFLOW.test(error.message)) return "The code is nested too deeply.";
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return clip(visible(text.split("\n", 1)[0] ?? ""), 300);
}
