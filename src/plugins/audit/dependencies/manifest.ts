/** A package.json, as far as the audit reads it. Whatever has another shape there counts as absent. */
import * as v from "valibot";

const text = v.fallback(v.optional(v.string()), undefined);
/** A record of texts; entries of other types are dropped, `__proto__` is a name like any other. */
const texts = v.fallback(
  v.pipe(
    v.looseObject({}),
    v.transform((record): ReadonlyMap<string, string> => {
      const entries = Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === "string");
      return new Map(entries);
    }),
  ),
  () => new Map<string, string>(),
);

export const DEPENDENCY_FIELDS = [
  "dependencies",
  "optionalDependencies",
  "devDependencies",
  "peerDependencies",
] as const;
export type DependencyField = (typeof DEPENDENCY_FIELDS)[number];

export const ManifestSchema = v.object({
  name: text,
  version: text,
  license: v.optional(v.unknown()),
  licenses: v.optional(v.unknown()),
  private: v.fallback(v.optional(v.boolean()), undefined),
  dependencies: v.optional(texts, {}),
  optionalDependencies: v.optional(texts, {}),
  devDependencies: v.optional(texts, {}),
  peerDependencies: v.optional(texts, {}),
  scripts: v.optional(texts, {}),
});
export type Manifest = v.InferOutput<typeof ManifestSchema>;

/** The licence as one text, from today's form and the older ones: `{type}`, `licenses: [{type}]`. */
export function licenceOf({ license, licenses }: Pick<Manifest, "license" | "licenses">): string | undefined {
  const one = typeOf(license);
  if (one !== undefined) return one;
  if (!Array.isArray(licenses)) return typeOf(licenses);
  const all = licenses.map(typeOf).filter((each) => each !== undefined);
  return all.length > 1 ? `(${all.join(" OR ")})` : all[0];
}

function typeOf(value: unknown): string | undefined {
  if (typeof value === "string") return value.trim() === "" ? undefined : value.trim();
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  return typeof value.type === "string" ? value.type.trim() : undefined;
}
