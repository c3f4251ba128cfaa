/** What an expression of a run can see: the input, the nodes that have ended, and in a map the item. */
import { evaluateExpression, type Expression } from "../expressions/index.ts";
import { decodeJson, encodeJson, type JsonText } from "../json.ts";
import type { WorkflowsState } from "./fold.ts";
import { nodeKey, type Execution } from "./execution.ts";
import { namedNodes } from "./named.ts";

/** Reads outputs, and keeps what it has read while the run lives: a map asks for the same list thousands of times. */
export interface Scopes {
  evaluate(
    state: WorkflowsState,
    execution: Execution,
    expression: Expression,
    item?: { readonly item: unknown; readonly index: number },
  ): unknown;
  /** The same as JSON; a plain path to a whole input or output passes its text on unopened. */
  evaluateText(
    state: WorkflowsState,
    execution: Execution,
    expression: Expression,
    item?: { readonly item: unknown; readonly index: number },
  ): JsonText;
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
    const value = decodeJson(text, key);
    known.set(key, { text, value });
    return value;
  };

  const scopeOf = (state: WorkflowsState, execution: Execution, expression: Expression): Record<string, unknown> => {
    const nodes: Record<string, unknown> = {};
    for (const node of namedNodes(expression)) {
      const reached = state.nodes.get(nodeKey(execution.id, node));
      if (!reached) continue;
      const { status, output } = reached;
      nodes[node] = output === undefined ? { status } : { status, output: decode(execution.id, node, output) };
    }
    const usesInput = expression.roots.includes("input");
    return { ...(usesInput && { input: decode(execution.id, "", execution.input) }), nodes };
  };

  const evaluate: Scopes["evaluate"] = (state, execution, expression, item) =>
    evaluateExpression(expression, { ...scopeOf(state, execution, expression), ...item });

  return {
    evaluate,
    evaluateText(state, execution, expression, item) {
      const whole = wholeText(state, execution, expression);
      return whole ?? encodeJson(evaluate(state, execution, expression, item), expression.source);
    },
    forget: (execution) => {
      read.delete(execution);
    },
  };
}

function wholeText(state: WorkflowsState, execution: Execution, { path }: Expression): JsonText | undefined {
  if (path?.length === 1 && path[0] === "input") return execution.input;
  const [root, node, field] = path ?? [];
  if (path?.length !== 3 || root !== "nodes" || node === undefined || field !== "output") return undefined;
  return state.nodes.get(nodeKey(execution.id, node))?.output;
}
