import * as v from "valibot";
import { RuntimeError, type ErrorCode } from "../core/errors.ts";

/** Of a reason: it may tell all that was expected, and all that was found. */
const MAX_REASON = 500;

/** What came over a port, checked. @throws RuntimeError of the code, with the place and the reason */
export function parse<S extends v.GenericSchema>(schema: S, raw: unknown, code: ErrorCode): v.InferOutput<S> {
  let parsed;
  try {
    parsed = v.safeParse(schema, raw);
  } catch (cause) {
    throw new RuntimeError(code, { reason: "too deep" }, { cause });
  }
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const [at, reason] = [v.getDotPath(issue) ?? "", issue.message].map((text) => text.slice(0, MAX_REASON));
  throw new RuntimeError(code, { at, reason });
}
