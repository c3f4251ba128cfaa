/**
 * What an attempt and the engine's worker say to each other. All values cross as JSON texts, so neither side ever holds
 * an object of the other; bytes are copied.
 */
import type { ErrorData } from "../../core/errors.ts";

/** How much an attempt may take; see `InterpretOptions`. */
export interface Limits {
  readonly memoryMB: number;
  readonly cpuMs: number;
  readonly stackKB: number;
  readonly deterministic: boolean;
}

/** Begins an attempt; there is one at a time. */
export interface Begin {
  readonly kind: "begin";
  readonly source: string;
  /** JSON of {@link Given}. */
  readonly given: string;
  readonly limits: Limits;
}

/** What the untrusted code is given beside its functions. */
export interface Given {
  readonly input: unknown;
  readonly task: unknown;
  readonly checkpointed: unknown;
  /** Names of the embedder's functions. */
  readonly functions: readonly string[];
}

export type ToEngine =
  | Begin
  /** `text` is JSON of `{value}` or `{error}`; bytes come instead of a value. */
  | { readonly kind: "answer"; readonly call: number; readonly text: string; readonly bytes?: Uint8Array | undefined }
  | { readonly kind: "abort"; readonly reason: string };

export type FromEngine =
  /** The engine has loaded, and waits for an attempt. */
  | { readonly kind: "ready" }
  /** The attempt's instance is there; its code runs from now on. */
  | { readonly kind: "begun" }
  /** `args` is a JSON list. */
  | {
      readonly kind: "call";
      readonly call: number;
      readonly name: string;
      readonly args: string;
      readonly bytes?: Uint8Array | undefined;
    }
  | { readonly kind: "tell"; readonly name: "log" | "progress"; readonly args: string }
  /** Nothing to compute before an answer comes. `cpu`: milliseconds that the attempt has computed so far; `heard`: how
   * many answers and aborts it has been told. */
  | { readonly kind: "rest"; readonly cpu: number; readonly heard: number }
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "failed"; readonly error: ErrorData };

/** One end of the way between them. */
export interface Wire<Out, In> {
  post(message: Out): void;
  /** Called with each message of the other end. */
  listen(hear: (message: In) => void): void;
}
