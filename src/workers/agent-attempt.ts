/** One attempt in an agent's worker: from the input's text to the outcome. */
import { decodeError, encodeError, RuntimeError, type ErrorCode, type ErrorData } from "../core/errors.ts";
import { writeJson } from "../core/json.ts";
import type { AgentDefinition, StandardIssue, StandardSchema } from "../core/plugin/definition.ts";
import { createContext, parse, type Run } from "./agent-context.ts";
import type { AttemptId, HostLink, Outcome } from "./agent-link.ts";

export interface Attempt extends AttemptId {
  /** Runs the agent; never rejects. */
  perform(): Promise<Outcome>;
  /** Aborts the signal: a run that rejects from now on has failed with this error. */
  abort(error: ErrorData): void;
}

export function createAttempt<I, O>(definition: AgentDefinition<I, O>, run: Run, link: HostLink): Attempt {
  const { task, attempt } = run;
  const controller = new AbortController();
  const { signal } = controller;
  let aborted: ErrorData | undefined;
  const perform = async (): Promise<Outcome> => {
    let code: ErrorCode = "agent/input-invalid"; // what an error means at this point
    try {
      const input = await check(code, definition.input, parse(run.input));
      code = "agent/failed";
      signal.throwIfAborted();
      const result = await definition.run(input, createContext(run, link, signal));
      code = "agent/output-invalid";
      const output = writeJson(await check(code, definition.output, result), "output");
      return { kind: "done", task, attempt, output };
    } catch (thrown) {
      return failed(run, aborted ?? errorOf(thrown, code));
    }
  };
  return {
    ...run,
    perform,
    abort(error) {
      aborted ??= error;
      controller.abort(decodeError(error));
    },
  };
}

export const failed = ({ task, attempt }: AttemptId, error: ErrorData): Outcome => ({
  kind: "failed",
  task,
  attempt,
  error,
});

// a detail of more than 4 kB would be left out
const MAX_ISSUES = 8;
const MAX_TEXT = 200;

/** What the schema makes of the value. */
async function check<T>(code: ErrorCode, schema: StandardSchema<T>, value: unknown): Promise<T> {
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return result.value;
  throw new RuntimeError(code, { issues: result.issues.slice(0, MAX_ISSUES).map(describe) });
}

function describe({ message, path = [] }: StandardIssue): object {
  const keys = path.map((step) => ((step as { readonly key?: PropertyKey }).key ?? step) as PropertyKey);
  return { path: keys.join("."), message: message.slice(0, MAX_TEXT) };
}

function errorOf(thrown: unknown, code: ErrorCode): ErrorData {
  const error = encodeError(thrown, code);
  if (code === "agent/failed") return error; // the agent's own words
  return {
    ...error,
    code: error.code === "json/too-large" ? "agent/output-too-large" : code,
    retryable: code === "agent/output-invalid", // the next attempt gets the same input
  };
}
