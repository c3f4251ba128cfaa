/** Whether a lockfile locks: checksums, sources, scripts, and agreement with the manifest. */
import semver from "semver";
import type { Observation } from "../findings.ts";
import { listed, type Document } from "./document.ts";
import { MAX_PACKAGES, type Locked, type Lockfile } from "./lockfile.ts";
import { DEPENDENCY_FIELDS, type Manifest } from "./manifest.ts";
import { hostOf } from "./spec.ts";
import { wantedBy } from "./check-manifest.ts";

export function checkLockfile(document: Document, { packages, isCut }: Lockfile): readonly Observation[] {
  const fetched = packages.filter(
    ({ resolved, link }) => !link && resolved !== undefined && /^https?:/iu.test(resolved),
  );
  const message = `Only the first ${String(MAX_PACKAGES)} packages were read.`;
  return [
    ...(isCut ? [document.observe("unread-packages", "", message, { key: "unread-packages" })] : []),
    ...withoutIntegrity(document, fetched),
    ...insecure(document, fetched),
    ...foreign(document, fetched),
    ...scripts(document, packages),
  ];
}

const nameOf = ({ name, version }: Locked): string => (version === undefined ? name : `${name}@${version}`);

/** Each name once. */
const distinct = (packages: readonly Locked[]): readonly string[] => [...new Set(packages.map(nameOf))];

function withoutIntegrity(document: Document, packages: readonly Locked[]): readonly Observation[] {
  const names = distinct(packages.filter(({ integrity }) => integrity === undefined));
  if (names.length === 0) return [];
  const message = `Without a checksum: ${listed(names)} (of ${String(packages.length)} packages).`;
  return [document.observe("missing-integrity", "", message, { key: "missing-integrity" })];
}

function insecure(document: Document, packages: readonly Locked[]): readonly Observation[] {
  return packages
    .filter(({ resolved }) => /^http:/iu.test(resolved ?? ""))
    .map((one) =>
      document.observe(
        "insecure-url",
        [one.place, one.name],
        `${nameOf(one)} is fetched from ${hostOf(one.resolved ?? "")}.`,
      ),
    );
}

/** A project has one registry, be it public or its company's: the one that most of its packages come from. */
function foreign(document: Document, packages: readonly Locked[]): readonly Observation[] {
  const byHost = new Map<string, Locked[]>();
  for (const one of packages) {
    const host = hostOf(one.resolved ?? "");
    const from = byHost.get(host);
    if (from) from.push(one);
    else byHost.set(host, [one]);
  }
  const [, ...others] = [...byHost].sort(([, some], [, fewer]) => fewer.length - some.length);
  return others.map(([host, from]) =>
    document.observe("foreign-registry", "", `From ${host}: ${listed(distinct(from))}.`, { key: host }),
  );
}

function scripts(document: Document, packages: readonly Locked[]): readonly Observation[] {
  const byName = new Map(packages.filter(({ hasInstallScript }) => hasInstallScript).map((one) => [nameOf(one), one]));
  return [...byName].map(([name, one]) =>
    document.observe("install-script", [one.place, one.name], `${name} runs a script when it is installed.`, {
      key: name,
    }),
  );
}

/** What `npm ci` checks: the lockfile was made from this manifest. `folder` is the manifest's, from the lockfile's. */
export function checkSync(
  document: Document,
  manifest: Manifest,
  { lockfile, folder }: { readonly lockfile: Lockfile; readonly folder: string },
): readonly Observation[] {
  const recorded = lockfile.manifests.get(folder);
  const wrong = recorded === undefined ? unsatisfied(manifest, lockfile) : changed(manifest, recorded);
  if (wrong.length === 0) return [];
  const message = `The lockfile was made for other versions of ${listed(wrong)}.`;
  return [document.observe("out-of-sync", wrong[0] ?? "", message, { key: "out-of-sync" })];
}

function changed(now: Manifest, then: Manifest): readonly string[] {
  const names = DEPENDENCY_FIELDS.flatMap((field) =>
    [...new Set([...now[field].keys(), ...then[field].keys()])].filter(
      (name) => now[field].get(name) !== then[field].get(name) && !isOptionalToo(now, field, name),
    ),
  );
  return [...new Set(names)];
}

/** npm moves what is in both fields to the optional ones. */
const isOptionalToo = (manifest: Manifest, field: string, name: string): boolean =>
  field === "dependencies" && manifest.optionalDependencies.has(name);

/** Version 1 keeps no ranges: what is installed at the top must satisfy the manifest's. */
function unsatisfied(manifest: Manifest, { packages }: Lockfile): readonly string[] {
  const top = new Map(
    packages.filter(({ place, name }) => place === `node_modules/${name}`).map((one) => [one.name, one]),
  );
  return wantedBy(manifest).flatMap(({ field, name, spec }) => {
    const locked = top.get(name);
    if (locked === undefined) return field === "dependencies" || field === "devDependencies" ? [name] : [];
    if (spec.kind !== "range" || semver.valid(locked.version) === null) return [];
    return semver.satisfies(locked.version ?? "", spec.range, { includePrerelease: true }) ? [] : [name];
  });
}
