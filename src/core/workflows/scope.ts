/** What an expression of a run can see: the input, the nodes that have ended, what has failed, and in a body the item. */
import { evaluateExpression, type Expression } from "../expressions/index.ts";
import { RuntimeError, type ErrorData } from "../errors.ts";
import { checkJson, decodeJson, encodeJson, MAX_PAYLOAD, type JsonText } from "../json.ts";
import { isSpilled, sizeOf } from "../payload/reference.ts";
import type { WorkflowsState } from "./fold.ts";
import { nodeKey, type Execution, type NodeState } from "./execution.ts";
import { namingOf } from "./named.ts";
import { markOf } from "../tasks/secrets.ts";
import { secretsOf } from "./secrets.ts";
import { ownerOf, textOf } from "./values.ts";

/** What only one evaluation sees. */
export interface Local {
  /** The node whose expression it is. */
  readonly at?: string | undefined;
  /** By name: in a map `item` and `index`, in a loop `index`, in a join `inlets`. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  /** In a loop: the output of the iteration before. */
  readonly last?: JsonText | undefined;
  /** How the node at hand has failed; default: what has failed on the way to it. */
  readonly failure?: { readonly node: string; readonly error: ErrorData } | undefined;
  /** The node that is just being completed: its output isn't in the state yet. */
  readonly ending?: { readonly node: string; readonly output: () => JsonText | undefined } | undefined;
  /** What variables will be that are just being set. */
  readonly set?: ReadonlyMap<string, () => JsonText> | undefined;
}

/** Reads outputs, and keeps what it has read while the run lives: a map asks for the same list thousands of times. */
export interface Scopes {
  evaluate(state: WorkflowsState, execution: Execution, expression: Expression, local?: Local): unknown;
  /** The same as JSON; a plain path to a whole input or output passes its text on unopened. */
  evaluateText(state: WorkflowsState, execution: Execution, expression: Expression, local?: Local): JsonText;
  forget(execution: string): void;
}

/** The value of a text of an execution, read once. */
type Decode = (execution: string, key: string, text: JsonText) => unknown;

export function createScopes(): Scopes {
  const read = new Map<string, Map<string, { readonly text: JsonText; readonly value: unknown }>>();
  const decode: Decode = (execution, key, text) => {
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
  const evaluate: Scopes["evaluate"] = (state, execution, expression, local = {}) => {
    const looking: Looking = { decode, state, execution, local };
    const scope: Record<string, unknown> = {};
    for (const name of expression.roots)
      scope[name] =
        name === "nodes"
          ? nodesOf(looking, namingOf(expression).names)
          : name === "vars"
            ? variablesOf(looking, namingOf(expression, "vars").names)
            : name === "secrets"
              ? marksOf(expression)
              : valueOf(looking, name);
    try {
      return evaluateExpression(expression, scope);
    } catch (thrown) {
      const { cause } = thrown as { readonly cause?: unknown };
      throw cause instanceof RuntimeError ? cause : thrown; // what was found when an output was read says more
    }
  };
  return {
    evaluate,
    evaluateText(state, execution, expression, local) {
      const whole = wholeText(state, execution, expression, local);
      if (whole !== undefined) return checkJson(whole, expression.source); // a map's may have grown beyond the bounds
      return encodeJson(evaluate(state, execution, expression, local), expression.source);
    },
    forget: (execution) => {
      read.delete(execution);
    },
  };
}

interface Looking {
  readonly decode: Decode;
  readonly state: WorkflowsState;
  readonly execution: Execution;
  readonly local: Local;
}

function nodesOf({ decode, state, execution: { id }, local: { ending } }: Looking, names: readonly string[]): object {
  const nodes: Record<string, unknown> = {};
  for (const node of names) {
    const reached = state.nodes.get(nodeKey(id, node));
    if (!reached) continue;
    const isEnding = ending?.node === node;
    const status = isEnding ? "completed" : reached.status;
    const output = isEnding ? ending.output() : outputOf(reached);
    const { error } = reached;
    const shown = error ? { status, error: { code: error.code, message: error.message } } : { status };
    // Read when it is looked at: one that is too large for that still has a status.
    nodes[node] = output === undefined ? shown : defineOutput(shown, () => decode(id, node, output));
  }
  return nodes;
}

function variablesOf({ decode, state, execution, local: { set } }: Looking, names: readonly string[]): object {
  const values = names.map((name) => {
    const owner = ownerOf(state, execution, name);
    const text = set?.get(name)?.() ?? textOf(state, owner, name);
    return [name, decode(execution.id, `vars.${name}`, text)] as const;
  });
  return Object.fromEntries(values);
}

/** What stands for secrets until a worker gets them. */
function marksOf({ ast }: Expression): object {
  return Object.fromEntries((secretsOf(ast) ?? []).map(({ name }) => [name, markOf(name)]));
}

function valueOf(looking: Looking, name: string): unknown {
  const { decode, state, execution, local } = looking;
  const { id, parent, item, input } = execution;
  if (local.values && Object.hasOwn(local.values, name)) return local.values[name];
  switch (name) {
    case "error":
      return errorOf(looking);
    case "item":
      return decode(id, name, item ?? input);
    case "index":
      return parent?.index;
    case "last":
      return decode(id, `${local.at ?? ""}/${name}`, lastText(state, execution, local));
    default:
      return decode(id, "", input);
  }
}

/** What has failed: the node at hand, or the one that failed last on the way to it; null when none has. */
function errorOf({ decode, state, execution: { id }, local: { at = "", failure } }: Looking): unknown {
  const node = failure?.node ?? state.nodes.get(nodeKey(id, at))?.cause;
  if (node === undefined) return null;
  const failed = state.nodes.get(nodeKey(id, node));
  const { code = "unknown", message = "", detail = null } = failure?.error ?? failed?.error ?? {};
  const output = failed?.output;
  return defineOutput({ node, code, message, detail }, () => (output === undefined ? null : decode(id, node, output)));
}

function defineOutput(node: object, get: () => unknown): object {
  return Object.defineProperty(node, "output", { enumerable: true, get });
}

/** An expression asks for a part of what isn't in the records. */
function isApart(key: string, text: JsonText): RuntimeError {
  const place = key === "" ? { input: "of the run" } : { node: key };
  return new RuntimeError("payload/too-large", { ...place, size: sizeOf(text), limit: MAX_PAYLOAD });
}

function wholeText(
  state: WorkflowsState,
  execution: Execution,
  { path }: Expression,
  local: Local = {},
): JsonText | undefined {
  if (path?.length === 1 && path[0] === "input") return execution.input;
  if (path?.length === 1 && path[0] === "last") return lastText(state, execution, local);
  const [root, node, field] = path ?? [];
  if (path?.length !== 3 || root !== "nodes" || node === undefined || field !== "output") return undefined;
  return outputOf(state.nodes.get(nodeKey(execution.id, node)));
}

/** What it had put out when it failed is `error.output`, and what a loop has so far is `last`. */
function outputOf(node: NodeState | undefined): JsonText | undefined {
  return node?.status === "completed" ? node.output : undefined;
}

/** In an iteration's own expressions, and in those of its body. */
function lastText(state: WorkflowsState, { parent }: Execution, { last }: Local): JsonText {
  return last ?? (parent && state.nodes.get(nodeKey(parent.execution, parent.node))?.output) ?? "null";
}
