/** What an expression of a run can see: the input, the nodes that have ended, and in a map the item. */
import { evaluateExpression, type Expression } from "../expressions/index.ts";
import { RuntimeError } from "../errors.ts";
import { checkJson, decodeJson, encodeJson, MAX_PAYLOAD, type JsonText } from "../json.ts";
import { isSpilled, sizeOf } from "../payload/reference.ts";
import type { WorkflowsState } from "./fold.ts";
import { nodeKey, type Execution } from "./execution.ts";
import { namingOf } from "./named.ts";

/** What only one evaluation sees. */
export interface Local {
  /** In a map: the item. */
  readonly item?: { readonly item: unknown; readonly index: number };
  /** The node that is just being completed: its output isn't in the state yet. */
  readonly ending?: { readonly node: string; readonly output: () => JsonText | undefined };
}

/** Reads outputs, and keeps what it has read while the run lives: a map asks for the same list thousands of times. */
export interface Scopes {
  evaluate(state: WorkflowsState, execution: Execution, expression: Expression, local?: Local): unknown;
  /** The same as JSON; a plain path to a whole input or output passes its text on unopened. */
  evaluateText(state: WorkflowsState, execution: Execution, expression: Expression, local?: Local): JsonText;
  forget(execution: string): void;
}

export function createScopes(): Scopes {
  const read = new Map<string, Map<string, { readonly text: JsonText; readonly value: unknown }>>();

  const decode = (execution: string, key: string, text: JsonText): unknown => {
    let known = read.get(execution);
    if (!known) {
      known = new Map<string, { readonly text: JsonText; readonly value: unknown }>();
      read.set(execution, known);
    }
    const kept = known.get(key);
    if (kept?.text === text) return kept.value;
    if (isSpilled(text)) throw isApart(key, text);
    const value = decodeJson(text, key);
    known.set(key, { text, value });
    return value;
  };

  const evaluate: Scopes["evaluate"] = (state, execution, expression, { item, ending } = {}) => {
    const nodes: Record<string, unknown> = {};
    for (const node of namingOf(expression).names) {
      const reached = state.nodes.get(nodeKey(execution.id, node));
      if (!reached) continue;
      const isEnding = ending?.node === node;
      const status = isEnding ? "completed" : reached.status;
      const output = isEnding ? ending.output() : reached.output;
      // Read when it is looked at: one that is too large for that still has a status.
      nodes[node] =
        output === undefined ? { status } : defineOutput({ status }, () => decode(execution.id, node, output));
    }
    const usesInput = expression.roots.includes("input");
    const input = usesInput && { input: decode(execution.id, "", execution.input) };
    try {
      return evaluateExpression(expression, { ...input, nodes, ...item });
    } catch (thrown) {
      const { cause } = thrown as { readonly cause?: unknown };
      throw cause instanceof RuntimeError ? cause : thrown; // what was found when an output was read says more
    }
  };

  return {
    evaluate,
    evaluateText(state, execution, expression, local) {
      const whole = wholeText(state, execution, expression);
      if (whole !== undefined) return checkJson(whole, expression.source); // a map's may have grown beyond the bounds
      return encodeJson(evaluate(state, execution, expression, local), expression.source);
    },
    forget: (execution) => {
      read.delete(execution);
    },
  };
}

function defineOutput(node: { readonly status: string }, get: () => unknown): object {
  return Object.defineProperty(node, "output", { enumerable: true, get });
}

/** An expression asks for a part of what isn't in the records. */
function isApart(key: string, text: JsonText): RuntimeError {
  const place = key === "" ? { input: "of the run" } : { node: key };
  return new RuntimeError("payload/too-large", { ...place, size: sizeOf(text), limit: MAX_PAYLOAD });
}

function wholeText(state: WorkflowsState, execution: Execution, { path }: Expression): JsonText | undefined {
  if (path?.length === 1 && path[0] === "input") return execution.input;
  const [root, node, field] = path ?? [];
  if (path?.length !== 3 || root !== "nodes" || node === undefined || field !== "output") return undefined;
  return state.nodes.get(nodeKey(execution.id, node))?.output;
}
