/** Whatever was thrown, as a code and a sentence. */
import { RuntimeError, type ErrorData } from "../../src/index.ts";

export function errorData(thrown: unknown): ErrorData {
  if (thrown instanceof RuntimeError) {
    return { name: thrown.name, message: thrown.message, code: thrown.code, detail: thrown.detail };
  }
  if (thrown instanceof Error) return { name: thrown.name, message: thrown.message, code: "unknown" };
  return { name: "Error", message: String(thrown), code: "unknown" };
}
