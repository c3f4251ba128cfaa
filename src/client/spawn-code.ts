/** The bytes of isolated agents: fetched once, checked, and kept for the next worker. */
import { RuntimeError } from "../core/errors.ts";

export interface Code {
  readonly bytes: ArrayBuffer;
  /** `sha256-` and base 64. */
  readonly integrity: string;
}

export interface CodeOptions {
  readonly url: string;
  readonly integrity: string | undefined;
  /** ms */
  readonly timeout: number;
}

const MAX_KEPT = 64;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

const kept = new Map<string, { readonly code: Promise<Code>; size: number }>();

/**
 * The code at a URL.
 * @throws RuntimeError `agent/load-failed`, `agent/integrity`
 */
export function loadCode(options: CodeOptions): Promise<Code> {
  const url = new URL(options.url, document.baseURI).href;
  const key = keyOf(url, options.integrity);
  const entry = kept.get(key) ?? { code: load(options), size: 0 };
  kept.delete(key);
  kept.set(key, entry); // at the end: the first one goes first
  entry.code.then(
    ({ bytes, integrity }) => {
      entry.size = bytes.byteLength;
      kept.set(keyOf(url, integrity), entry); // a manifest tells this hash from now on
      forgetOldest();
    },
    () => {
      if (kept.get(key) === entry) kept.delete(key);
    },
  );
  return entry.code;
}

const keyOf = (url: string, integrity = ""): string => `${integrity} ${url}`;

function forgetOldest(): void {
  for (const key of kept.keys()) {
    const total = [...new Set(kept.values())].reduce((sum, { size }) => sum + size, 0);
    if (kept.size <= MAX_KEPT && total <= MAX_KEPT_BYTES) return;
    kept.delete(key);
  }
}

async function load({ url, integrity, timeout }: CodeOptions): Promise<Code> {
  const bytes = await fetchScript(url, timeout);
  const actual = await hash(url, bytes);
  if (integrity !== undefined && integrity !== actual)
    throw new RuntimeError("agent/integrity", { url, expected: integrity, actual });
  return { bytes, integrity: actual };
}

/**
 * Fetches a script as a browser would load a module: with CORS, and with a JavaScript type.
 * @throws RuntimeError `agent/load-failed` with the status or the type
 */
export async function fetchScript(url: string, timeout: number): Promise<ArrayBuffer> {
  const failed = (detail: object, cause?: unknown): RuntimeError =>
    new RuntimeError("agent/load-failed", { url, ...detail }, { cause });
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeout) });
    if (!response.ok) throw failed({ reason: `HTTP ${String(response.status)}`, status: response.status });
    const type = response.headers.get("content-type") ?? "";
    if (!/^(?:text|application)\/(?:x-)?(?:java|ecma)script\b/iu.test(type))
      throw failed({ reason: `the type is "${type}", not JavaScript`, type });
    return await response.arrayBuffer();
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw failed(
      { reason: late ? noAnswer(timeout) : `${String(error)}; the network, CORS, or the page's CSP` },
      error,
    );
  }
}

export const noAnswer = (timeout: number): string => `no answer within ${String(timeout)} ms`;

async function hash(url: string, bytes: ArrayBuffer): Promise<string> {
  if (!isSecureContext)
    throw new RuntimeError("agent/load-failed", { url, reason: "hashing needs https or localhost" });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256-${btoa(String.fromCharCode(...digest))}`;
}
