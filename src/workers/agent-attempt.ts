/** One attempt in an agent's worker: from the input's text to the outcome. */
import type { AgentDefinition, StandardSchema } from "../core/plugin/definition.ts";
import { decodeError, encodeError, RuntimeError, type ErrorData, type ErrorDetail } from "../core/errors.ts";
import { decodeJson, encodeJson, type JsonText } from "../core/json.ts";
import { createContext, type Run } from "./agent-context.ts";
import type { AttemptId, HostLink, Outcome } from "./agent-link.ts";

export interface Attempt extends AttemptId {
  /** Runs the agent; never rejects. */
  perform(): Promise<Outcome>;
  /** Aborts the signal and rejects open calls: a run that rejects from now on has failed with this error. */
  abort(error: ErrorData): void;
}

export function createAttempt<I, O>(definition: AgentDefinition<I, O>, run: Run, link: HostLink): Attempt {
  const id = { task: run.task, attempt: run.attempt };
  const controller = new AbortController();
  let aborted: ErrorData | undefined;
  return {
    ...id,
    async perform() {
      try {
        const context = createContext(run, link, controller.signal);
        const input = await check("agent/input-invalid", definition.input, () => decodeJson(run.input));
        controller.signal.throwIfAborted();
        const output = await definition.run(input, context);
        const checked = await check("agent/output-invalid", definition.output, () => output);
        return { kind: "done", ...id, output: encodeOutput(checked) };
      } catch (thrown) {
        return { kind: "failed", ...id, error: aborted ?? encodeError(thrown, "agent/failed") };
      }
    },
    abort(error) {
      aborted ??= error;
      const reason = decodeError(aborted);
      controller.abort(reason);
      link.drop(id, reason);
    },
  };
}

type CheckCode = "agent/input-invalid" | "agent/output-invalid";

/** What the schema makes of the value. */
async function check<T>(code: CheckCode, schema: StandardSchema<T>, read: () => unknown): Promise<T> {
  let detail: ErrorDetail;
  let cause: unknown;
  try {
    const result = await schema["~standard"].validate(read());
    if (!result.issues) return result.value;
    const issues = result.issues.slice(0, MAX_ISSUES).map(({ path = [], message }) => ({
      path: clip(path.map((step) => String(typeof step === "object" ? step.key : step)).join(".")),
      message: clip(message),
    }));
    detail = { issues };
  } catch (thrown) {
    cause = thrown;
    detail = { reason: String(thrown) };
  }
  // every attempt gets the same input
  throw Object.assign(new RuntimeError(code, detail, { cause }), { retryable: code !== "agent/input-invalid" });
}

const MAX_ISSUES = 8; // a detail may be 4 kB long, or it is left out
const clip = (text: string): string => text.slice(0, 200);

/** Does what the host would do with a bad output, before anything is posted. */
function encodeOutput(value: unknown): JsonText {
  try {
    return encodeJson(value);
  } catch (cause) {
    const { code, detail } = encodeError(cause);
    throw new RuntimeError(code === "json/too-large" ? "agent/output-too-large" : "agent/output-invalid", detail, {
      cause,
    });
  }
}
