/**
 * Payloads (inputs, outputs, checkpoints) travel through Troupe as JSON text: encoded once where they
 * enter, read once where they are used, and opaque in between. A text is cheaper to store and to post
 * than a tree of objects, it can't alias anything, and no key in it can pollute a prototype on the way.
 */
import { RuntimeError } from "./errors.ts";

/** A JSON text that was made by {@link encodeJson} or checked by {@link checkJson}. */
export type JsonText = string;

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** The largest payload of a record, in UTF-16 units of its text. */
export const MAX_PAYLOAD = 8 * 1024 * 1024;

/** The largest payload that is kept beside the records (see payload.ts), in UTF-16 units and in bytes of UTF-8. */
export const MAX_SPILLED = 64 * 1024 * 1024;

/** The deepest nesting of a payload. */
export const MAX_DEPTH = 64;

/**
 * Encodes a payload.
 * @throws RuntimeError `json/invalid` for what JSON can't hold (with its path), `json/too-deep`, `json/too-large`.
 */
export function encodeJson(value: unknown, what = "value", limit: number = MAX_PAYLOAD): JsonText {
  return checkJson(writeJson(value, what), what, limit);
}

/** The same for an agent, whose bundle has to be small: bounds below the highest one, and the depth, the host checks. */
export function writeJson(value: unknown, what: string): JsonText {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, refuseForeign);
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    const code = cause instanceof RangeError ? "json/too-deep" : "json/invalid";
    throw new RuntimeError(code, { what, reason: String(cause) }, { cause });
  }
  text ??= "null"; // undefined has no JSON form; an absent payload is null
  return refuseForeign(what, text) as JsonText;
}

function tooLarge({ length: size }: JsonText, what: string, limit: number): RuntimeError {
  return new RuntimeError("json/too-large", { what, size, limit });
}

function refuseForeign(what: string, value: unknown): unknown {
  const isBytes = ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
  if (isBytes || typeof value === "function" || typeof value === "symbol")
    throw new RuntimeError("json/invalid", { what, found: isBytes ? "bytes" : typeof value });
  const size = typeof value === "string" ? value.length : 0;
  if (size > MAX_SPILLED) throw new RuntimeError("json/too-large", { what, size, limit: MAX_SPILLED }); // before it is copied
  return value;
}

/**
 * Checks the bounds of a text that came from outside, without parsing it.
 * @throws RuntimeError `json/too-large` or `json/too-deep`.
 */
export function checkJson(text: string, what = "value", limit: number = MAX_PAYLOAD): JsonText {
  if (text.length > limit) throw tooLarge(text, what, limit);
  const depth = depthOf(text);
  if (depth > MAX_DEPTH) throw new RuntimeError("json/too-deep", { what, depth, limit: MAX_DEPTH });
  return text;
}

/** The deepest nesting of brackets outside strings. Linear, without recursion. */
function depthOf(text: string): number {
  if (text.length <= MAX_DEPTH) return 0; // too short to be too deep
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) at = endOfString(text, at);
    else if (unit === 0x5b || unit === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at !== -1) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return at;
    at = text.indexOf('"', at + 1);
  }
  return text.length;
}

/**
 * Reads a payload. The result holds own properties only; `__proto__` keys are plain data here, so never
 * merge it into an object key by key.
 * @throws RuntimeError `json/invalid` when the text is not JSON.
 */
export function decodeJson(text: JsonText, what = "value"): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RuntimeError("json/invalid", { what, text: text.slice(0, 80) }, { cause });
  }
}

/** A copy of plain JSON that shares nothing with it. */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyJson) as T;
  const copy = { ...value } as Record<string, unknown>;
  for (const key of Object.keys(copy)) {
    const part = copy[key];
    if (typeof part === "object") copy[key] = copyJson(part);
  }
  return copy as T;
}

/**
 * A 128-bit digest of a text, as 32 hexadecimal digits: four lanes of FNV-1a over UTF-16 units, each with
 * its own basis, finished by the avalanche of MurmurHash3. It tells contents apart and finds damage; it is
 * not made to withstand an attacker.
 */
export function digestOf(text: string, seed = 0): string {
  let a = 0x811c9dc5 ^ seed;
  let b = 0x9e3779b9 ^ seed;
  let c = 0x85ebca6b ^ seed;
  let d = 0xc2b2ae35 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, FNV_PRIME);
    b = Math.imul(b ^ unit ^ (a >>> 15), FNV_PRIME);
    c = Math.imul(c ^ unit ^ (b >>> 13), FNV_PRIME);
    d = Math.imul(d ^ unit ^ (c >>> 16), FNV_PRIME);
  }
  return [a ^ d, b ^ a, c ^ b, d ^ text.length].map(finish).join("");
}

const FNV_PRIME = 0x01000193;

function finish(lane: number): string {
  let word = lane ^ (lane >>> 16);
  word = Math.imul(word, 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  word ^= word >>> 16;
  return `${hexOf(word >>> 24)}${hexOf(word >>> 16)}${hexOf(word >>> 8)}${hexOf(word)}`;
}

/** Written once: a number's own way to its digits takes eight times as long, for every row that is kept. */
const HEX = /* @__PURE__ */ Array.from({ length: 256 }, (_none, byte) => byte.toString(16).padStart(2, "0"));

function hexOf(word: number): string {
  return HEX[word & 0xff] ?? "";
}
