/** What a package.json says by itself: where its dependencies come from, how loosely, and what runs on install. */
import type { Observation } from "../findings.ts";
import type { Document } from "./document.ts";
import { DEPENDENCY_FIELDS, type DependencyField, type Manifest } from "./manifest.ts";
import { isUnbounded, parseSpec, type Spec } from "./spec.ts";

/** A dependency as the manifest writes it. */
export interface Wanted {
  readonly field: DependencyField;
  /** The name that it is imported by. */
  readonly name: string;
  readonly text: string;
  readonly spec: Spec;
}

export const wantedBy = (manifest: Manifest): readonly Wanted[] =>
  DEPENDENCY_FIELDS.flatMap((field) =>
    [...manifest[field]].map(([name, text]) => ({ field, name, text, spec: parseSpec(name, text) })),
  );

const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

export function checkManifest(document: Document, manifest: Manifest): readonly Observation[] {
  const scripts = INSTALL_SCRIPTS.filter((name) => manifest.scripts.has(name));
  const own = scripts.map((name) =>
    document.observe("own-install-script", name, `The script "${name}" runs on install.`),
  );
  const wanted = wantedBy(manifest).filter(({ field }) => field !== "peerDependencies"); // those are the user's choice
  return [...own, ...wanted.flatMap((one) => checkSpec(document, one))];
}

function checkSpec(document: Document, { name, spec }: Wanted): readonly Observation[] {
  switch (spec.kind) {
    case "range": {
      if (!isUnbounded(spec.range)) return [];
      return [document.observe("unbounded-range", name, `${name} may be any version: "${spec.range || "*"}".`)];
    }
    case "tag":
      return [document.observe("tag-dependency", name, `${name} is whatever is tagged "${spec.tag}".`)];
    case "git": {
      const pinned = spec.pinned ? "at a commit" : "at a branch or tag that can move";
      const more = spec.pinned ? { severity: "low" as const } : {};
      return [
        document.observe("git-dependency", name, `${name} comes from a repository at ${spec.host}, ${pinned}.`, more),
      ];
    }
    case "url": {
      const rule = spec.secure ? "url-dependency" : "insecure-url";
      return [document.observe(rule, name, `${name} is fetched from ${spec.host}.`)];
    }
    case "folder":
      return [document.observe("folder-dependency", name, `${name} is a folder.`)];
    case "invalid":
      return [document.observe("invalid-range", name, `${name} has a version that npm cannot read.`)];
    case "workspace":
      return [];
  }
}
