/** What a rule says when the observation says nothing of its own. */
import type { Confidence, Severity } from "./findings.ts";

export interface RuleInfo {
  readonly title: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly help?: string;
  readonly cwe?: string;
  /** Rules of one family see the same defect: of those at one place the weightiest is kept. */
  readonly family?: string;
}

/** The places where code is written to be looked at or tested, and where a finding is less likely to matter. */
export const isSpecimen = (path: string): boolean =>
  /(?:^|\/)(?:__tests__|__mocks__|__fixtures__|tests?|specs?|fixtures?|examples?|samples?|demos?|docs?|benchmarks?)\//iu.test(
    path,
  ) || /\.(?:test|spec)\.[cm]?[jt]sx?$/iu.test(path);
