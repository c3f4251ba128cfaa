/** The files of a code base: their paths, their kinds, and where their bytes are. */
import * as v from "valibot";
import { BlobRefSchema } from "../../core/plugin.ts";
import type { Limits } from "./limits.ts";

export const KINDS = [
  "javascript",
  "typescript",
  "declaration",
  "json",
  "markup",
  "style",
  "config",
  "text",
  "archive",
  "binary",
] as const;
export const KindSchema = v.picklist(KINDS);
export type Kind = v.InferOutput<typeof KindSchema>;

export const FileSchema = v.object({
  /** Relative to the root of the code base, with "/". */
  path: v.pipe(v.string(), v.minLength(1), v.maxLength(2_048)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  ref: BlobRefSchema,
  kind: KindSchema,
});
export type AuditFile = v.InferOutput<typeof FileSchema>;

/** What the static analyser reads. */
export const isSource = ({ kind }: { readonly kind: Kind }): boolean => kind === "javascript" || kind === "typescript";

/** What the secret scan reads. */
export const isText = ({ kind }: { readonly kind: Kind }): boolean => kind !== "binary" && kind !== "archive";

const KIND_BY_EXTENSION: Readonly<Record<string, Kind>> = {
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  jsx: "javascript",
  ts: "typescript",
  mts: "typescript",
  cts: "typescript",
  tsx: "typescript",
  json: "json",
  json5: "json",
  jsonc: "json",
  map: "json",
  webmanifest: "json",
  html: "markup",
  htm: "markup",
  xml: "markup",
  svg: "markup",
  vue: "markup",
  svelte: "markup",
  css: "style",
  scss: "style",
  sass: "style",
  less: "style",
  yml: "config",
  yaml: "config",
  toml: "config",
  ini: "config",
  cfg: "config",
  conf: "config",
  env: "config",
  properties: "config",
};

/** The kind of a file, by its bytes first: an image named `a.js` is no source. */
export function kindOf(path: string, bytes: Uint8Array): Kind {
  if (isArchive(bytes)) return "archive";
  if (isBinary(bytes)) return "binary";
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (/\.d\.[cm]?ts$/u.test(name)) return "declaration";
  const extension = name.slice(name.lastIndexOf(".") + 1);
  const known = Object.hasOwn(KIND_BY_EXTENSION, extension) ? KIND_BY_EXTENSION[extension] : undefined;
  if (known !== undefined) return known;
  return isNodeScript(bytes) ? "javascript" : "text";
}

const ARCHIVES: readonly (readonly number[])[] = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x1f, 0x8b, 0x08],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58],
];

const isArchive = (bytes: Uint8Array): boolean =>
  ARCHIVES.some((magic) => magic.every((byte, at) => bytes[at] === byte));

/** A NUL near the start means binary, except in UTF-16. */
function isBinary(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 8_192);
  return head.includes(0) && utf16Of(head) === undefined;
}

function isNodeScript(bytes: Uint8Array): boolean {
  const line = String.fromCharCode(...bytes.subarray(0, 64)).split("\n", 1)[0] ?? "";
  return line.startsWith("#!") && /\b(?:node|bun|deno)\b/u.test(line);
}

/** Whether bytes are UTF-16, and which: by the byte order mark, or because every other byte of ASCII text is NUL. */
export function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const pairs = Math.min(bytes.length, 1_024) >> 1;
  if (pairs < 4) return undefined;
  let low = 0;
  let high = 0;
  for (let at = 0; at < pairs * 2; at += 2) {
    if (bytes[at] === 0 && bytes[at + 1] !== 0) high += 1;
    if (bytes[at] !== 0 && bytes[at + 1] === 0) low += 1;
  }
  if (low >= pairs * 0.9) return "utf-16le";
  return high >= pairs * 0.9 ? "utf-16be" : undefined;
}

/** A path of an archive as it will be used, or what is wrong with it. */
export type CheckedPath =
  { readonly path: string } | { readonly problem: "unsafe-path" | "unwieldy-path"; readonly reason: string };

const unsafe = (reason: string): CheckedPath => ({ problem: "unsafe-path", reason });
const unwieldy = (reason: string): CheckedPath => ({ problem: "unwieldy-path", reason });

/**
 * Checks a path. Unsafe is what would leave the folder, or mean different things to different systems;
 * unwieldy is what is longer or deeper than the limits.
 */
export function checkPath(raw: string, limits: Pick<Limits, "pathLength" | "depth">): CheckedPath {
  if (/\p{Cc}/u.test(raw)) return unsafe("it has a control character");
  if (raw.includes("\\")) return unsafe("it has a backslash");
  if (raw.startsWith("/")) return unsafe("it is absolute");
  if (/^[A-Za-z]:/u.test(raw)) return unsafe("it names a drive");
  const parts = raw.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return unsafe("it leaves its folder");
  const path = parts.join("/");
  if (path.length > limits.pathLength) return unwieldy(`it is longer than ${String(limits.pathLength)} characters`);
  if (parts.length > limits.depth) return unwieldy(`it is deeper than ${String(limits.depth)} folders`);
  return { path };
}

/** Whether a link's target stays inside the code base. */
export function leavesRoot(path: string, target: string): boolean {
  if (target.startsWith("/") || target.includes("\\") || /^[A-Za-z]:/u.test(target)) return true;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Characters that make a text look like another one: bidirectional controls and invisible ones. */
export const DECEPTIVE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/u;

/** The same order everywhere: by code unit. */
export const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
