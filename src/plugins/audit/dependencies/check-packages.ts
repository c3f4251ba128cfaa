/** What is known of packages by name and version: advisories and licences. */
import semver from "semver";
import { clip, type Observation } from "../findings.ts";
import { visible } from "../source-text.ts";
import { wantedBy } from "./check-manifest.ts";
import { listed, type Document } from "./document.ts";
import type { LicencePolicy } from "./licence-policy.ts";
import { judgeLicence, type Verdict } from "./licences.ts";
import type { Locked, Lockfile } from "./lockfile.ts";
import { licenceOf, type Manifest } from "./manifest.ts";
import { cweOf, severityOf, type AdvisoryIndex, type Match } from "./osv.ts";

type Sureness = NonNullable<Observation["confidence"]>;

/** What is installed, by the lockfile. */
export function adviseLocked(document: Document, { packages }: Lockfile, index: AdvisoryIndex): readonly Observation[] {
  const byVersion = new Map<string, Locked[]>();
  for (const one of packages) {
    if (one.version === undefined) continue;
    const id = `${one.name}@${one.version}`;
    const places = byVersion.get(id);
    if (places) places.push(one);
    else byVersion.set(id, [one]);
  }
  return [...byVersion].flatMap(([id, places]) => {
    const [first] = places;
    if (first === undefined) return [];
    const developing = places.every(({ dev, devOptional }) => dev || devOptional);
    const where = places.length > 1 ? ` (in ${String(places.length)} places)` : "";
    const what = `${id}${where}${developing ? ", for development only" : ""}`;
    return index.lookup(first.name, first.version ?? "").map((match) =>
      advise(document, first.name, match, {
        what,
        at: [first.place, first.name],
        sure: developing ? "medium" : "high",
        id,
      }),
    );
  });
}

/** What a manifest without a lockfile lets in: the lowest version of each range. */
export function adviseWanted(document: Document, manifest: Manifest, index: AdvisoryIndex): readonly Observation[] {
  return wantedBy(manifest).flatMap(({ field, name, text, spec }) => {
    if (field === "peerDependencies" || spec.kind !== "range") return [];
    const lowest = lowestOf(spec.range);
    if (lowest === undefined) return [];
    const pinned = semver.valid(spec.range) !== null;
    const what = pinned ? `${spec.name}@${lowest}` : `"${text}" lets in ${spec.name}@${lowest}, which`;
    const sure = field === "devDependencies" ? "low" : pinned ? "high" : "medium";
    return index
      .lookup(spec.name, lowest)
      .map((match) => advise(document, spec.name, match, { what, at: name, sure, id: `${spec.name}@${lowest}` }));
  });
}

/** The package that is audited may itself be a version with an advisory. */
export function adviseOwn(
  document: Document,
  { name, version }: Manifest,
  index: AdvisoryIndex,
): readonly Observation[] {
  if (name === undefined || version === undefined) return [];
  return index.lookup(name, version).map((match) =>
    advise(document, name, match, {
      what: `This package, ${name}@${version},`,
      at: "version",
      sure: "high",
      id: `${name}@${version}`,
    }),
  );
}

function lowestOf(range: string): string | undefined {
  try {
    return semver.minVersion(range)?.version;
  } catch {
    return undefined;
  }
}

function advise(
  document: Document,
  name: string,
  { advisory, fixed }: Match,
  {
    what,
    at,
    sure,
    id,
  }: { readonly what: string; readonly at: string | readonly string[]; readonly sure: Sureness; readonly id: string },
): Observation {
  const cwe = cweOf(advisory);
  const aliases = advisory.aliases.length > 0 ? ` (${listed(advisory.aliases, 3)})` : "";
  const fix =
    fixed === undefined ? `There is no fixed version: replace ${name}.` : `Update ${name} to ${fixed} or later.`;
  const observation = document.observe(
    "advisory",
    at,
    `${what} falls under ${advisory.id}${aliases}: ${advisory.summary}.`,
  );
  return {
    ...observation,
    rule: `dependencies/${advisory.id}`,
    key: clip(id, 200),
    title: clip(visible(`${name}: ${advisory.summary}`), 200),
    severity: severityOf(advisory),
    confidence: observation.confidence ?? sure,
    help: clip(visible(fix), 500),
    ...(cwe !== undefined && { cwe }),
  };
}

/** The licences of what is installed; one finding for all packages of one licence. */
export function checkLicences(
  document: Document,
  { packages, version }: Lockfile,
  { policy, installed }: { readonly policy: LicencePolicy; readonly installed: ReadonlyMap<string, Manifest> },
): readonly Observation[] {
  const groups = new Map<
    string,
    { readonly verdict: Verdict; readonly licence: string; readonly names: Set<string>; readonly at: readonly string[] }
  >();
  for (const one of packages) {
    if (one.link || one.bundled || one.inBundle) continue; // their own entries or hosts speak for them
    const manifest = installed.get(one.place);
    const licence = licenceOf({ license: one.license, licenses: undefined }) ?? (manifest && licenceOf(manifest));
    if (licence === undefined && version === 1) continue; // that version records none
    const verdict = judgeLicence(licence, policy);
    if (verdict === "fine") continue;
    const id = `${verdict} ${licence ?? ""}`;
    const group = groups.get(id) ?? {
      verdict,
      licence: licence ?? "",
      names: new Set<string>(),
      at: [one.place, one.name],
    };
    groups.set(id, group);
    group.names.add(one.version === undefined ? one.name : `${one.name}@${one.version}`);
  }
  return [...groups.values()].flatMap(({ verdict, licence, names, at }) =>
    verdict === "fine"
      ? []
      : [
          document.observe(`licence-${verdict}`, at, sentence(licence, [...names]), {
            key: clip(`licence ${licence}`, 200),
          }),
        ],
  );
}

const sentence = (licence: string, names: readonly string[]): string =>
  licence === "" ? `No licence is recorded for ${listed(names)}.` : `${clip(licence, 80)}: ${listed(names)}.`;

/** The licence of the package itself. */
export function checkOwnLicence(document: Document, manifest: Manifest): readonly Observation[] {
  if (manifest.private === true || manifest.name === undefined) return [];
  const licence = licenceOf(manifest);
  const verdict = judgeLicence(licence);
  if (verdict !== "missing" && verdict !== "unknown") return [];
  const message =
    licence === undefined
      ? "This package states no licence."
      : `This package's licence is no SPDX expression: "${clip(licence, 80)}".`;
  return [document.observe(`licence-${verdict}`, "license", message, { severity: "info" })];
}
