/** package-lock.json and npm-shrinkwrap.json, versions 1 to 3, as one list of packages. */
import * as v from "valibot";
import { ManifestSchema, type Manifest } from "./manifest.ts";

const text = v.fallback(v.optional(v.string()), undefined);
const flag = v.fallback(v.optional(v.boolean(), false), false);

const EntrySchema = v.object({
  version: text,
  name: text,
  resolved: text,
  integrity: text,
  license: v.optional(v.unknown()),
  hasInstallScript: flag,
  dev: flag,
  devOptional: flag,
  link: flag,
  bundled: flag,
  inBundle: flag,
});
type Entry = v.InferOutput<typeof EntrySchema>;

/** A package in the tree that a lockfile describes. */
export interface Locked extends Entry {
  readonly name: string;
  /** Where it is installed: `node_modules/a/node_modules/b`. */
  readonly place: string;
}

export interface Lockfile {
  readonly version: 1 | 2 | 3;
  readonly packages: readonly Locked[];
  /** Whether there are more packages than were read. */
  readonly isCut: boolean;
  /** What the lockfile says the manifests of the project and its workspaces were, by folder; none in version 1. */
  readonly manifests: ReadonlyMap<string, Manifest>;
}

/** More than any tree that npm can install; a hostile file ends here. */
export const MAX_PACKAGES = 50_000;

/** The list, or undefined for what is no lockfile. */
export function readLockfile(json: unknown): Lockfile | undefined {
  if (!isRecord(json)) return undefined;
  const version = json["lockfileVersion"];
  if (isRecord(json["packages"]) && (version === 2 || version === 3)) return readTree(json["packages"], version);
  if (isRecord(json["dependencies"]) || version === 1) return readNested(json);
  return undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readTree(tree: Readonly<Record<string, unknown>>, version: 2 | 3): Lockfile {
  const packages: Locked[] = [];
  const manifests = new Map<string, Manifest>();
  const entries = Object.entries(tree);
  for (const [place, value] of entries.slice(0, MAX_PACKAGES)) {
    const at = place.lastIndexOf("node_modules/");
    if (at === -1) {
      const manifest = v.safeParse(ManifestSchema, value);
      if (manifest.success) manifests.set(place, manifest.output);
      continue;
    }
    const entry = v.safeParse(EntrySchema, value);
    if (entry.success) packages.push({ ...entry.output, name: entry.output.name ?? place.slice(at + 13), place });
  }
  return { version, packages, isCut: entries.length > MAX_PACKAGES, manifests };
}

/** Version 1 nests packages in packages; taken level by level, so that no depth overflows the stack. */
function readNested(root: Readonly<Record<string, unknown>>): Lockfile {
  const packages: Locked[] = [];
  let level: { readonly place: string; readonly value: unknown }[] = [{ place: "", value: root }];
  while (level.length > 0 && packages.length <= MAX_PACKAGES) {
    const next: typeof level = [];
    for (const { place, value } of level) {
      const nested = isRecord(value) && isRecord(value["dependencies"]) ? Object.entries(value["dependencies"]) : [];
      for (const [name, child] of nested) {
        const entry = v.safeParse(EntrySchema, child);
        if (!entry.success) continue;
        const inside = `${place === "" ? "" : `${place}/`}node_modules/${name}`;
        packages.push({ ...entry.output, name, place: inside });
        next.push({ place: inside, value: child });
      }
    }
    level = next;
  }
  return {
    version: 1,
    packages: packages.slice(0, MAX_PACKAGES),
    isCut: packages.length > MAX_PACKAGES,
    manifests: new Map(),
  };
}
