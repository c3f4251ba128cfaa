/** The descriptions of all rules of all analysers, by the id that observations carry. */
import { DEPENDENCY_RULES } from "./dependencies/rules.ts";
import type { Tool } from "./findings.ts";
import type { RuleInfo } from "./rule-info.ts";
import { secretRule } from "./secrets/rules.ts";
import { PATTERNS } from "./static/patterns.ts";
import { CORE_RULES, FILE_RULES, SECURITY_RULES } from "./static/rules.ts";
import { UNPACK_RULES } from "./unpack-rules.ts";

/** Rules of the merge itself. */
const MERGE_RULES: Readonly<Record<string, RuleInfo>> = {
  "not-analysed": {
    title: "Not analysed: the analyser failed on the file",
    severity: "medium",
    confidence: "high",
    help: "Read the file by hand, or run the audit again.",
  },
};

const UNKNOWN: RuleInfo = {
  title: "A finding of a rule without a description",
  severity: "medium",
  confidence: "medium",
};

const TABLES: Readonly<Record<Tool, readonly Readonly<Record<string, RuleInfo>>[]>> = {
  unpack: [UNPACK_RULES],
  secrets: [],
  static: [PATTERNS, CORE_RULES, SECURITY_RULES, FILE_RULES],
  dependencies: [DEPENDENCY_RULES],
  merge: [MERGE_RULES],
};

/** What is said of a rule; for one that nobody described, that. */
export function describeRule(tool: Tool, name: string): RuleInfo {
  if (tool === "secrets") return secretRule(name);
  for (const table of TABLES[tool]) {
    const info = Object.hasOwn(table, name) ? table[name] : undefined;
    if (info) return info;
  }
  return UNKNOWN;
}
