/** The agent that runs the sources that its tasks bring. */
import * as v from "valibot";
import { defineAgent, type AgentContext, type AgentDefinition } from "../../core/plugin.ts";
import { LIMITS, type Interpreter } from "./interpreter.ts";
import { decodeText } from "./platform.ts";

const InputSchema = v.strictObject({
  /** One module: its text, or where its UTF-8 is kept. */
  source: v.union([v.string(), v.strictObject({ blob: v.string(), size: v.number(), offset: v.optional(v.number()) })]),
  /** What its function gets; default null. */
  input: v.optional(v.unknown(), null),
  ...LIMITS,
});

export type JavascriptInput = v.InferInput<typeof InputSchema>;

/** `interpreter@1.0.0`, with the capability `javascript`. */
export function createJavascriptAgent({ evaluate }: Interpreter): AgentDefinition<v.InferOutput<typeof InputSchema>> {
  return defineAgent({
    name: "interpreter",
    version: "1.0.0",
    description: "Runs untrusted JavaScript in an engine without a platform",
    capabilities: ["javascript"],
    input: InputSchema,
    output: v.unknown(),
    async run({ source, ...rest }, context: AgentContext) {
      const text = typeof source === "string" ? source : decodeText(await context.blobs.read(source));
      return evaluate({ ...rest, source: text }, context);
    },
  });
}
