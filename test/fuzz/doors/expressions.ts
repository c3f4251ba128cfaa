/** Sources of expressions over hostile data. */
import { RuntimeError } from "../../../src/core/errors.ts";
import { costOf, evaluateExpression, parseExpression } from "../../../src/core/expressions/index.ts";
import { createHostileScope, createHostileSource } from "../../node/expressions/sources.ts";
import { Finding, type Door } from "../door.ts";
import { bendText } from "../schema.ts";
import { TEXTS } from "../values.ts";

const CODES = new Set(["expression/invalid", "expression/failed", "expression/fuel"]);

export const expressions: Door = {
  name: "expressions",
  length: 100,
  open(tape, look) {
    const scope = createHostileScope(() => {
      throw new Finding("called", "a function of the scope was called");
    });
    return {
      turn() {
        const drawn = createHostileSource(tape.next);
        const source = tape.once(6) ? bendText(tape, drawn) + tape.pick(TEXTS) : drawn;
        look.input(source);
        look.outcome(outcomeOf(source, scope));
      },
    };
  },
};

function outcomeOf(source: string, scope: Record<string, unknown>): string {
  try {
    const expression = parseExpression(source);
    if (!(costOf(expression, 10) >= 0)) throw new Finding("no cost", source);
    checkValue(evaluateExpression(expression, scope));
    return "taken";
  } catch (thrown) {
    if (!(thrown instanceof RuntimeError)) throw thrown;
    if (!CODES.has(thrown.code) || typeof thrown.detail["source"] !== "string" || thrown.detail["reason"] === "scope")
      throw new Finding(`expression ${thrown.code}`, thrown.message, thrown);
    return thrown.code;
  }
}

function checkValue(value: unknown): void {
  const isNumber = typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0);
  const isPlain = value === null || ["string", "boolean", "object"].includes(typeof value);
  if (!isNumber && !isPlain) throw new Finding("no JSON", typeof value);
}
