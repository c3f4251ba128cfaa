/** What package.json writes behind a dependency's name, told apart as npm does. */
import semver from "semver";

export type Spec =
  | { readonly kind: "range"; readonly name: string; readonly range: string }
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "git"; readonly host: string; readonly pinned: boolean }
  | { readonly kind: "url"; readonly host: string; readonly secure: boolean }
  | { readonly kind: "folder" }
  | { readonly kind: "workspace" }
  | { readonly kind: "invalid" };

const GIT = /^(?:git(?:\+[a-z]+)?:|git@|(?:github|gitlab|bitbucket|gist):|[\w.-]+\/[\w.-]+(?:#.*)?$)/iu;
const FOLDER = /^(?:file:|link:|portal:|\.{0,2}\/|~\/|[A-Za-z]:[\\/])/u;

/** Comparing ranges takes time that grows faster than they do. */
const MAX_LENGTH = 256;

export function parseSpec(name: string, text: string): Spec {
  if (text.length > MAX_LENGTH) return { kind: "invalid" };
  const spec = text.trim();
  if (spec.startsWith("workspace:")) return { kind: "workspace" };
  if (FOLDER.test(spec)) return { kind: "folder" };
  if (/^https?:/iu.test(spec) && !/\.git(?:#|$)/iu.test(spec))
    return { kind: "url", host: hostOf(spec), secure: /^https:/iu.test(spec) };
  if (GIT.test(spec) || /\.git(?:#|$)/iu.test(spec))
    return { kind: "git", host: hostOf(spec), pinned: /#(?!semver:)[0-9a-f]{40}$/iu.test(spec) };
  const alias = /^npm:((?:@[^/@]+\/)?[^@]+)@?(.*)$/u.exec(spec);
  const [target, range] = alias ? [alias[1] ?? name, alias[2] ?? ""] : [name, spec];
  const valid = semver.validRange(range);
  if (valid !== null) return { kind: "range", name: target, range };
  return /^[a-z][\w.-]*$/iu.test(range) ? { kind: "tag", tag: range } : { kind: "invalid" };
}

/** Only the host: the rest of a URL may hold credentials. */
export function hostOf(url: string): string {
  const shorthand = /^(github|gitlab|bitbucket|gist):/iu.exec(url);
  if (shorthand) return (shorthand[1] ?? "").toLowerCase();
  const host = /^(?:[a-z+]+:\/\/|git@)(?:[^@/]*@)?([\w.-]{1,253})/iu.exec(url);
  return host?.[1]?.toLowerCase() ?? (/^[\w.-]+\/[\w.-]+/u.test(url) ? "github" : "an unreadable address");
}

/** Whether any version at all will do, so that the next one, whatever it holds, is taken. */
export function isUnbounded(range: string): boolean {
  try {
    return semver.subset(">=0.0.0", range === "" ? "*" : range) || /^\s*>=?\s*[\d.]+\s*$/u.test(range);
  } catch {
    return false;
  }
}
