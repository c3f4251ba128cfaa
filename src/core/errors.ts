/**
 * Every code an error of Troupe can carry. Callers switch on the code, never on the text.
 * The noun before the slash says which room refused.
 */
export type ErrorCode =
  | "agent/cpu-exceeded"
  | "agent/crashed"
  | "agent/duplicate"
  | "agent/failed"
  | "agent/flooded"
  | "agent/gone"
  | "agent/input-invalid"
  | "agent/integrity"
  | "agent/load-failed"
  | "agent/manifest-invalid"
  | "agent/memory-exceeded"
  | "agent/message-invalid"
  | "agent/output-invalid"
  | "agent/output-too-large"
  | "agent/stalled"
  | "agent/unhealthy"
  | "agent/unknown"
  | "approval/closed"
  | "approval/edit-invalid"
  | "approval/expired"
  | "approval/forbidden"
  | "approval/key-known"
  | "approval/reason-missing"
  | "approval/rejected"
  | "approval/self"
  | "approval/signature-invalid"
  | "approval/stale"
  | "approval/unknown"
  | "approval/untrusted"
  | "approval/voted"
  | "audit/archive-too-large"
  | "audit/archive-unreadable"
  | "blob/range"
  | "blob/unknown"
  | "capability/duplicate"
  | "capability/invalid"
  | "capability/unknown"
  | "command/invalid"
  | "command/unknown"
  | "effect/conflict"
  | "event/timeout"
  | "execution/blocked"
  | "execution/cancelled"
  | "execution/deadline"
  | "execution/duplicate"
  | "execution/failed"
  | "execution/finished"
  | "execution/input-invalid"
  | "execution/unknown"
  | "expression/failed"
  | "expression/fuel"
  | "expression/invalid"
  | "host/closed"
  | "host/incompatible"
  | "host/stopped"
  | "host/unavailable"
  | "host/unreachable"
  | "journal/blocked"
  | "journal/conflict"
  | "journal/corrupt"
  | "journal/fenced"
  | "journal/quota"
  | "journal/unavailable"
  | "json/invalid"
  | "json/too-deep"
  | "json/too-large"
  | "limit/unknown"
  | "message/invalid"
  | "message/overflow"
  | "message/sender-reserved"
  | "message/stale"
  | "message/type-unknown"
  | "message/unknown"
  | "message/unroutable"
  | "monitor/timeout"
  | "payload/too-large"
  | "runtime/closed"
  | "runtime/limit"
  | "runtime/storage-lost"
  | "schedule/invalid"
  | "schedule/unknown"
  | "secret/invalid"
  | "secret/leaked"
  | "secret/not-granted"
  | "secret/unavailable"
  | "secret/unknown"
  | "task/cancelled"
  | "task/deadline"
  | "task/dependency-failed"
  | "task/dependency-unknown"
  | "task/duplicate"
  | "task/finished"
  | "task/idle-timeout"
  | "task/input-invalid"
  | "task/interrupted"
  | "task/queue-timeout"
  | "task/skipped"
  | "task/timeout"
  | "task/total-timeout"
  | "task/unknown"
  | "timer/expired"
  | "timer/invalid"
  | "workflow/invalid"
  | "workflow/loop-exceeded"
  | "workflow/too-deep"
  | "workflow/unknown"
  | "workflow/variable-type"
  | "unknown";

/** Plain values that explain an error; they cross workers and the journal. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** What a caller may add to an error. */
export interface ErrorOptions {
  readonly cause?: unknown;
  /** A sentence for people; made of the code and the detail when it is missing. */
  readonly message?: string;
}

/** The one error class of Troupe: a closed code, and plain data that names the value and the place. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  declare readonly code: ErrorCode;
  declare readonly detail: ErrorDetail;

  constructor(code: ErrorCode, detail: ErrorDetail = {}, { cause, message }: ErrorOptions = {}) {
    super(message ?? describe(code, detail), cause ? { cause } : undefined);
    this.code = code;
    this.detail = detail;
  }
}

function describe(code: string, detail: ErrorDetail): string {
  const text = Object.entries(detail)
    .map(([key, value]) => `${key}: ${brief(value)}`)
    .join(", ");
  return text ? `${code} (${text})` : code;
}

function brief(value: unknown): string {
  return clip(typeof value === "string" ? value : (stringify(value) ?? typeof value), MAX_BRIEF);
}

/** JSON, or undefined for what has none: a function, a cycle, a BigInt, a hostile getter. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** An error as data: what crosses workers, and what the journal keeps. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly detail?: ErrorDetail | undefined;
  readonly stack?: string | undefined;
  readonly cause?: ErrorData | undefined;
  /** False when another attempt can't help. Default: true. */
  readonly retryable?: boolean | undefined;
}

const MAX_TEXT = 4_096;
const MAX_BRIEF = 200;
const MAX_CAUSES = 4;

/** Turns whatever was thrown into data; never throws itself, whatever hostile thing it is given. */
export function encodeError(thrown: unknown, fallback: ErrorCode = "unknown"): ErrorData {
  try {
    return encode(thrown, fallback, MAX_CAUSES);
  } catch {
    return encode("unreadable", fallback, 0);
  }
}

/** The same for an error that a rule raised: without stack and cause, which differ from runtime to runtime (E7). */
export function encodeRefusal(thrown: unknown, fallback: ErrorCode = "unknown"): ErrorData {
  const { stack, cause, ...error } = encodeError(thrown, fallback);
  return thrown instanceof RuntimeError ? error : { ...error, ...(stack !== undefined && { stack }) };
}

/** The most parts of an error that comes from another worker; objects that hold each other twice would have no end. */
const MAX_PARTS = 2_000;

/** The same for an error that comes from another worker as data: bounded, and nothing but JSON, whatever it was. */
export function plainError(data: unknown, fallback: ErrorCode = "unknown"): ErrorData {
  let parts = 0;
  let plain: unknown;
  try {
    plain = JSON.parse(JSON.stringify(data, (_key, part: unknown) => (parts++ < MAX_PARTS ? part : undefined)));
  } catch {
    const { message, code } = Object(data) as Partial<ErrorData>;
    plain = { message: textOr(message, "unreadable"), code };
  }
  return JSON.parse(JSON.stringify(encodeError(plain, fallback))) as ErrorData; // what was just written
}

function encode(thrown: unknown, fallback: string, causes: number): ErrorData {
  const seen = Object(thrown) as Readonly<Record<string, unknown>>; // read with checks below
  const { name, message, code, stack, cause, retryable } = seen;
  const detail = detailOf(seen["detail"]);
  return {
    name: textOr(name, "Error"),
    message: textOr(message || (seen === thrown ? brief(thrown) : String(thrown)), ""),
    code: textOr(code, fallback).slice(0, MAX_BRIEF),
    ...(detail && { detail }),
    ...(!!stack && { stack: textOr(stack, "") }),
    ...(!!cause && causes > 0 && { cause: encode(cause, "unknown", causes - 1) }),
    ...(retryable === false && { retryable }),
  };
}

function clip(text: string, limit = MAX_TEXT): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

function textOr(value: unknown, other: string): string {
  return clip((typeof value === "string" && value) || other);
}

/** A copy as JSON sees it, so that it can be posted; what is not a small, harmless object is left out. */
function detailOf(value: unknown): ErrorDetail | undefined {
  const text = stringify(value) ?? "";
  // Readers spread and merge details.
  return text.length < 2e4 && /^\{(?!.*"__proto__":)/s.test(text) ? (JSON.parse(text) as ErrorDetail) : undefined;
}

/** Makes an error of its data again: name, message, code, detail, cause and the far stack are kept. */
export function decodeError(data: ErrorData): RuntimeError {
  const { name, message, code, detail, stack, cause } = data;
  const error = new RuntimeError(code as ErrorCode, detail, { message, cause: cause && decodeError(cause) });
  return Object.assign(error, { name }, stack && { stack });
}
