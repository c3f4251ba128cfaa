/** What is wrong with a definition, or what its author should know of it. */
import { RuntimeError } from "../../errors.ts";

/** What was found. Programs switch on it; the sentence is for people. */
export type ProblemCode =
  /** Not of the form that a definition has. */
  | "schema"
  | "duplicate-node"
  | "duplicate-edge"
  /** An edge leads from or to a node that isn't there. */
  | "edge-nowhere"
  /** An edge, a node or an error handler has fields that don't go together. */
  | "edge-invalid"
  | "node-invalid"
  | "handler-invalid"
  | "variable-invalid"
  /** Nodes that wait for each other: none of them could ever start. */
  | "cycle"
  /** No way of the run leads to the node. */
  | "unreachable"
  /** A join waits for more inlets than can come together. */
  | "join-never-fires"
  | "edge-never-taken"
  /** A first-match decision has no default, or several. */
  | "decision-default"
  | "decision-empty"
  /** All edges of a node have a condition: when none holds, the path ends there. */
  | "path-may-end"
  /** A node that only passes tokens on has nowhere to pass them. */
  | "path-ends"
  | "expression-invalid"
  /** It can be read, but fails whenever it is evaluated. */
  | "expression-fails"
  /** It may use up its budget of steps. */
  | "expression-cost"
  /** An expression names a node that isn't there. */
  | "reads-unknown"
  /** An expression doesn't say which node it means. */
  | "reads-vague"
  /** It reads the output of a node that has none by then: of the node itself, or of one behind it. */
  | "reads-later"
  /** It reads the output of a node that may still be running by then. */
  | "reads-unordered"
  /** It reads the output of a node that may have been skipped. */
  | "reads-skipped"
  /** It reads the output of a node of a kind that has none. */
  | "reads-nothing"
  /** What is passed is not what the capability takes. */
  | "port-type"
  | "capability-unknown"
  /** An appended graph holds what its node doesn't allow. */
  | "not-allowed"
  /** The run may wait for ever. */
  | "endless-wait"
  /** A failure that no error edge handles ends the run. */
  | "failure-unhandled"
  /** The proof needs more steps than it is given. */
  | "unproved";

export interface Problem {
  readonly code: ProblemCode;
  /** A definition with an error is refused; a warning is told. */
  readonly severity: "error" | "warning";
  /** The nodes it is about, in an order that says something (the path of a cycle); empty: the workflow. */
  readonly nodes: readonly string[];
  /** The edge it is about. */
  readonly edge?: readonly [from: string, to: string] | undefined;
  /** A sentence for people. */
  readonly message: string;
}

type About = Pick<Problem, "nodes" | "edge">;

export function errorAt(code: ProblemCode, message: string, ...nodes: readonly string[]): Problem {
  return { code, severity: "error", nodes, message };
}

export function warningAt(code: ProblemCode, message: string, ...nodes: readonly string[]): Problem {
  return { code, severity: "warning", nodes, message };
}

export function atEdge(problem: Problem, from: string, to: string): Problem {
  return { ...problem, edge: [from, to] };
}

/** The problem of a node's body, as one of the graph that the node stands in: its nodes by their path. */
export function within(node: string, { nodes, edge, message, ...problem }: Problem): Problem {
  const path = (inner: string): string => `${node}/${inner}`;
  const [from, to] = edge ?? [];
  const moved = {
    ...problem,
    nodes: nodes.length === 0 ? [node] : nodes.map(path),
    message: `in '${node}': ${message}`,
  };
  return from === undefined || to === undefined ? moved : atEdge(moved, path(from), path(to));
}

/** What an expression belongs to: a node, an edge, or the workflow. */
export function placeOf({ nodes, edge }: About): string {
  if (edge) return edge.join(" → ");
  return nodes[0] ?? "the workflow";
}

/** A list of names in a sentence, the first ones of many. */
export function listOf(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).map((name) => `'${name}'`);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${String(rest)} more`;
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

const MAX_TOLD = 20;
/** A detail of more than 4 kB would be left out of an error. */
const MAX_DETAIL = 3_500;

/** As much of problems as crosses workers and is kept in the journal: the first ones, with their first nodes. */
export function tellable(problems: readonly Problem[]): readonly Problem[] {
  let size = 0;
  const told = problems.slice(0, MAX_TOLD).map((one) => ({
    ...one,
    nodes: one.nodes.slice(0, MAX_TOLD),
    message: one.message.slice(0, MAX_DETAIL / 4),
  }));
  const fit = told.findIndex((one) => (size += JSON.stringify(one).length) > MAX_DETAIL);
  return fit === -1 ? told : told.slice(0, Math.max(1, fit));
}

/** The refusal of a definition with such problems: the first ones in the detail, the first of all as the text. */
export function invalidWorkflow(problems: readonly Problem[]): RuntimeError {
  const first = problems[0]?.message ?? "invalid";
  const more = problems.length > 1 ? ` (and ${String(problems.length - 1)} more)` : "";
  return new RuntimeError("workflow/invalid", { problems: tellable(problems) }, { message: `${first}${more}` });
}
