/**
 * Every code an error of Troupe can carry. Callers switch on the code, never on the text.
 * The noun before the slash says which room refused.
 */
export type ErrorCode =
  | "agent/crashed"
  | "agent/duplicate"
  | "agent/failed"
  | "agent/flooded"
  | "agent/gone"
  | "agent/input-invalid"
  | "agent/integrity"
  | "agent/load-failed"
  | "agent/manifest-invalid"
  | "agent/message-invalid"
  | "agent/output-invalid"
  | "agent/output-too-large"
  | "agent/unknown"
  | "approval/closed"
  | "approval/expired"
  | "approval/forbidden"
  | "approval/rejected"
  | "approval/unknown"
  | "audit/archive-too-large"
  | "audit/archive-unreadable"
  | "blob/range"
  | "blob/unknown"
  | "command/invalid"
  | "command/unknown"
  | "effect/conflict"
  | "execution/cancelled"
  | "execution/duplicate"
  | "execution/failed"
  | "execution/finished"
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
  | "runtime/closed"
  | "runtime/limit"
  | "runtime/storage-lost"
  | "task/cancelled"
  | "task/duplicate"
  | "task/finished"
  | "task/input-invalid"
  | "task/interrupted"
  | "task/timeout"
  | "task/unknown"
  | "workflow/invalid"
  | "workflow/unknown"
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
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, detail: ErrorDetail = {}, { cause, message }: ErrorOptions = {}) {
    super(message ?? describe(code, detail), cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }
}

function describe(code: string, detail: ErrorDetail): string {
  const parts = Object.entries(detail).map(([key, value]) => `${key}: ${brief(value)}`);
  return parts.length === 0 ? code : `${code} (${parts.join(", ")})`;
}

function brief(value: unknown): string {
  let text: string | undefined;
  try {
    text = typeof value === "string" ? value : JSON.stringify(value);
  } catch {
    text = undefined; // a cycle, a BigInt or a hostile toJSON: the type says enough
  }
  text ??= typeof value;
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
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
const MAX_CODE = 200;
const MAX_CAUSES = 4;

/** Turns whatever was thrown into data; never throws itself, whatever hostile thing it is given. */
export function encodeError(thrown: unknown, fallback: ErrorCode = "unknown"): ErrorData {
  try {
    return encode(thrown, fallback, MAX_CAUSES);
  } catch {
    return { name: "Error", message: "an error that cannot be read", code: fallback };
  }
}

/** The same for an error that comes from another worker as data: bounded, and nothing but JSON, whatever it was. */
export function plainError(data: unknown, fallback: ErrorCode = "unknown"): ErrorData {
  return JSON.parse(JSON.stringify(encodeError(data, fallback))) as ErrorData; // what was just written
}

function encode(thrown: unknown, fallback: string, causes: number): ErrorData {
  if (typeof thrown !== "object" || thrown === null) {
    return { name: "Error", message: clip(String(thrown)), code: fallback };
  }
  const seen = thrown as Readonly<Record<string, unknown>>; // read with checks below
  const code = seen["code"];
  const detail = detailOf(seen["detail"]);
  const retryable = seen["retryable"];
  return {
    name: textOr(seen["name"], "Error"),
    message: textOr(seen["message"], clip(brief(thrown))),
    code: typeof code === "string" && code !== "" ? code.slice(0, MAX_CODE) : fallback,
    ...(detail && { detail }),
    ...(typeof seen["stack"] === "string" && { stack: clip(seen["stack"]) }),
    ...(seen["cause"] !== undefined && causes > 0 && { cause: encode(seen["cause"], "unknown", causes - 1) }),
    ...(typeof retryable === "boolean" && { retryable }),
  };
}

function clip(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function textOr(value: unknown, other: string): string {
  return typeof value === "string" && value !== "" ? clip(value) : other;
}

/** A copy as JSON sees it, so that it can be posted; what is not a small object is left out. */
function detailOf(value: unknown): ErrorDetail | undefined {
  try {
    const text = JSON.stringify(value);
    if (text.length <= MAX_TEXT && text.startsWith("{")) return JSON.parse(text, withoutPrototype) as ErrorDetail;
  } catch {
    // nothing, a cycle, a BigInt, a hostile getter
  }
  return undefined;
}

/** Details get spread and merged by their readers; a `__proto__` key would reach further than its object there. */
function withoutPrototype(key: string, value: unknown): unknown {
  return key === "__proto__" ? undefined : value;
}

/** Makes an error of its data again: name, message, code, detail, cause and the far stack are kept. */
export function decodeError(data: ErrorData): RuntimeError {
  const cause = data.cause === undefined ? undefined : decodeError(data.cause);
  const error = new RuntimeError(data.code as ErrorCode, data.detail ?? {}, {
    message: data.message,
    ...(cause && { cause }),
  });
  if (data.name !== error.name) Object.defineProperty(error, "name", { value: data.name });
  if (data.stack !== undefined) Object.defineProperty(error, "stack", { value: data.stack });
  return error;
}
