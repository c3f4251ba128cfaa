/** Whether a licence may be used, by the SPDX rules and a policy. */
import parse from "spdx-expression-parse";
import satisfies from "spdx-satisfies";
import { PERMISSIVE, type LicencePolicy } from "./licence-policy.ts";

/** Licences whose conditions reach the work that they are used in, or that forbid uses. */
const STRONG = /^(?:A?GPL|SSPL|OSL|EUPL|CC-BY-NC|CC-BY-SA|CC-BY-ND|BUSL|Elastic|RPL|Parity|PolyForm|Sleepycat|QPL)\b/u;
/** Licences whose conditions reach changes of themselves only. */
const WEAK = /^(?:LGPL|MPL|EPL|CDDL|CPL|MS-RL|APSL|IPL)\b/u;

export type Verdict =
  "fine" | "denied" | "copyleft" | "weak-copyleft" | "review" | "unknown" | "unlicensed" | "missing";

/** spdx-satisfies expands an expression; a crafted one would take exponential time. */
const MAX_LENGTH = 200;
const MAX_OPERATORS = 8;

export function judgeLicence(licence: string | undefined, policy: LicencePolicy = {}): Verdict {
  if (licence === undefined) return "missing";
  if (licence.toUpperCase() === "UNLICENSED") return "unlicensed";
  const operators = licence.match(/\b(?:AND|OR)\b/gu)?.length ?? 0;
  if (licence.length > MAX_LENGTH || operators > MAX_OPERATORS) return "unknown";
  const ids = idsOf(licence);
  if (ids === undefined) return "unknown";
  const allow = known(policy.allow ?? PERMISSIVE);
  const deny = known(policy.deny ?? []);
  try {
    // Allowed, unless the only way to allow it is a licence that the policy denies.
    if (
      allow.length > 0 &&
      satisfies(
        licence,
        allow.filter((id) => !deny.includes(id)),
      )
    )
      return "fine";
  } catch {
    return "unknown";
  }
  if (ids.some((id) => deny.includes(id))) return "denied";
  if (ids.some((id) => STRONG.test(id))) return "copyleft";
  return ids.some((id) => WEAK.test(id)) ? "weak-copyleft" : "review";
}

type Expression = ReturnType<typeof parse>;

/** The ids of an expression, or undefined when it is none. */
function idsOf(licence: string): readonly string[] | undefined {
  const collect = (node: Expression): string[] =>
    "license" in node ? [node.license] : [...collect(node.left), ...collect(node.right)];
  try {
    return collect(parse(licence));
  } catch {
    return undefined;
  }
}

/** spdx-satisfies throws on an id that it doesn't know. */
const known = (ids: readonly string[]): string[] => ids.filter((id) => idsOf(id) !== undefined);
