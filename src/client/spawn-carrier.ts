/** What carries an agent's worker: a cell's frame or, for trusted code, a worker of the page. */
import type { ErrorCode } from "../core/errors.ts";

export interface Carrier {
  /** The page's end of the control channel. */
  readonly control: MessagePort;
  /** Ends the worker at once. */
  stop(): void;
}

/** Called with the bytes of memory that the worker takes, again and again. */
export type OnMemory = (bytes: number) => void;

/** Called with why the worker died, or never came to life; perhaps more than once. */
export type OnDeath = (reason: string, more?: { readonly code?: ErrorCode; readonly cause?: unknown }) => void;

/** What an `error` event tells about a script: engines say nothing when it cannot be parsed. */
export interface ScriptFault {
  readonly message?: string | undefined;
  readonly lineno?: number | undefined;
  readonly colno?: number | undefined;
}

const MAX_MESSAGE = 1_000;

/** The fault in words. */
export function faultText({ message, lineno, colno }: ScriptFault): string {
  if (typeof message !== "string" || message === "") return UNPARSED;
  const place = lineno ? ` (line ${String(lineno)}, column ${String(colno)})` : "";
  return message.slice(0, MAX_MESSAGE) + place;
}

const UNPARSED = "the script has a syntax error, or an import or export: an agent is one self-contained file";
