/** Advisories in the Open Source Vulnerability format (ossf.github.io/osv-schema), as far as npm packages need it. */
import semver from "semver";
import * as v from "valibot";
import type { Severity } from "../findings.ts";

const EventSchema = v.object({
  introduced: v.optional(v.string()),
  fixed: v.optional(v.string()),
  last_affected: v.optional(v.string()),
});

export const AdvisorySchema = v.object({
  id: v.pipe(v.string(), v.regex(/^[\w-]{1,60}$/u)),
  aliases: v.optional(v.array(v.string()), []),
  summary: v.optional(v.string(), ""),
  withdrawn: v.optional(v.string()),
  affected: v.optional(
    v.array(
      v.object({
        package: v.object({ ecosystem: v.string(), name: v.string() }),
        ranges: v.optional(v.array(v.object({ type: v.string(), events: v.array(EventSchema) })), []),
        versions: v.optional(v.array(v.string()), []),
      }),
    ),
    [],
  ),
  database_specific: v.optional(
    v.object({ severity: v.optional(v.string()), cwe_ids: v.optional(v.array(v.string()), []) }),
  ),
});
export type Advisory = v.InferOutput<typeof AdvisorySchema>;

type Affected = Advisory["affected"][number];

/** An advisory that a version falls under, and the version that is free of it, if there is one. */
export interface Match {
  readonly advisory: Advisory;
  readonly fixed: string | undefined;
}

export interface AdvisoryIndex {
  /** What is known about a version of a package; of an unreadable version nothing. */
  lookup(name: string, version: string): readonly Match[];
}

export function createAdvisoryIndex(advisories: readonly Advisory[]): AdvisoryIndex {
  const byPackage = new Map<string, { readonly advisory: Advisory; readonly affected: Affected }[]>();
  for (const advisory of advisories) {
    if (advisory.withdrawn !== undefined) continue;
    for (const affected of advisory.affected) {
      if (affected.package.ecosystem !== "npm") continue;
      const known = byPackage.get(affected.package.name);
      if (known) known.push({ advisory, affected });
      else byPackage.set(affected.package.name, [{ advisory, affected }]);
    }
  }
  return {
    lookup(name, version) {
      if (semver.valid(version) === null) return [];
      const matches = new Map<string, Match>();
      for (const { advisory, affected } of byPackage.get(name) ?? []) {
        if (!matches.has(advisory.id) && isAffected(affected, version))
          matches.set(advisory.id, { advisory, fixed: fixedAfter(affected, version) });
      }
      return [...matches.values()];
    },
  };
}

/** OSV's own evaluation: of the events in the order of their versions, the last one that the version has passed decides. */
function isAffected({ ranges, versions }: Affected, version: string): boolean {
  if (versions.includes(version)) return true;
  return ranges.some(({ type, events }) => {
    if (type !== "SEMVER" && type !== "ECOSYSTEM") return false;
    const inOrder = [...events].sort((a, b) => semver.compare(versionOf(boundOf(a)), versionOf(boundOf(b))));
    return inOrder.reduce(
      (affected, event) => (hasPassed(event, version) ? event.introduced !== undefined : affected),
      false,
    );
  });
}

type Event = Affected["ranges"][number]["events"][number];

const boundOf = ({ introduced, fixed, last_affected: last }: Event): string => introduced ?? fixed ?? last ?? "0";

const hasPassed = (event: Event, version: string): boolean =>
  isAtLeast(version, boundOf(event)) &&
  (event.last_affected === undefined || semver.neq(version, versionOf(boundOf(event))));

function fixedAfter({ ranges }: Affected, version: string): string | undefined {
  return ranges
    .flatMap(({ events }) => events.flatMap(({ fixed }) => (fixed === undefined ? [] : [fixed])))
    .filter((fixed) => !isAtLeast(version, fixed))
    .sort((a, b) => semver.compare(versionOf(a), versionOf(b)))[0];
}

const isAtLeast = (version: string, bound: string): boolean => semver.gte(version, versionOf(bound));

/** Bounds are not always full versions: "0", "1.0". */
const versionOf = (bound: string): string => semver.valid(bound) ?? semver.coerce(bound)?.version ?? "0.0.0";

const SEVERITY_BY_NAME: Readonly<Record<string, Severity>> = {
  CRITICAL: "critical",
  HIGH: "high",
  MODERATE: "medium",
  MEDIUM: "medium",
  LOW: "low",
};

/** As the database rates it; medium when it doesn't. */
export function severityOf({ database_specific: specific }: Advisory): Severity {
  const name = specific?.severity?.toUpperCase() ?? "";
  return (Object.hasOwn(SEVERITY_BY_NAME, name) ? SEVERITY_BY_NAME[name] : undefined) ?? "medium";
}

/** The first weakness that is named well. */
export const cweOf = ({ database_specific: specific }: Advisory): string | undefined =>
  specific?.cwe_ids.find((id) => /^CWE-\d{1,5}$/u.test(id));
