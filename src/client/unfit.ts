import { encodeError, RuntimeError } from "../core/errors.ts";

/** What was thrown, as a RuntimeError: what isn't one is about what the caller gave. */
export function unfit(cause: unknown, call?: string): RuntimeError {
  if (cause instanceof RuntimeError) return cause;
  return new RuntimeError("command/invalid", { call, reason: encodeError(cause).message }, { cause });
}
