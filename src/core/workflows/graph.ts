/** What a definition becomes when it is made ready to run. */
import type { JsonSchema } from "../capabilities/schema.ts";
import type { Expression } from "../expressions/index.ts";
import type { Body, Variable, WorkflowNode } from "./definition.ts";
import type { SecretUse } from "../tasks/secrets.ts";
import type { Target } from "./execution.ts";

export interface PlannedEdge {
  readonly target: Target;
  readonly when?: Expression | undefined;
  /** Of an error edge: the codes that it is for, or that it is for all. */
  readonly codes?: readonly string[] | "all" | undefined;
  /** It leads to an error handler, and nobody has drawn it. */
  readonly implicit?: boolean | undefined;
}

export interface PlannedNode {
  readonly node: WorkflowNode;
  readonly outs: readonly PlannedEdge[];
  readonly inlets: number;
  /** The node's expressions by the name of their field. */
  readonly expressions: Readonly<Record<string, Expression>>;
  /** The secrets in its tasks' input. */
  readonly secrets?: readonly SecretUse[] | undefined;
  /** What its completion does to variables. */
  readonly sets: readonly (readonly [variable: PlannedVariable, value: Expression])[];
}

/** A variable of a graph, or of one around it. */
export interface PlannedVariable {
  readonly name: string;
  readonly type: Variable["type"];
  readonly merge: Variable["merge"];
}

/** A graph made ready to run: a workflow, or the body of a node. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, PlannedNode>;
  readonly roots: readonly Target[];
  /** Nodes that end without anybody behind them, unless they fail. */
  readonly sinks: readonly string[];
  readonly output?: Expression | undefined;
  /** Of a workflow: what its runs must be given. */
  readonly inputSchema?: JsonSchema | undefined;
  /** The graphs within nodes, by node. */
  readonly bodies: ReadonlyMap<string, Graph>;
  /** Those that its expressions see, by name. */
  readonly variables: ReadonlyMap<string, PlannedVariable>;
  /** How its own begin, as in the definition. */
  readonly declared: Pick<Body, "variables">;
  /** In the order of the definition. */
  readonly handlers: readonly PlannedHandler[];
  /** The branches of parallel nodes, by the nodes that stand in them. */
  readonly branches: ReadonlyMap<string, Branch>;
}

/** A handler that acts in place. */
export interface PlannedHandler {
  readonly handler: Extract<WorkflowNode, { type: "errorHandler" }>;
  /** Undefined: all nodes. */
  readonly scope?: ReadonlySet<string> | undefined;
  readonly output?: Expression | undefined;
}

/** A branch of a parallel node, and the branch that this one stands in. */
export interface Branch {
  readonly parallel: string;
  readonly index: number;
  readonly depth: number;
  readonly outer: Branch | undefined;
}
