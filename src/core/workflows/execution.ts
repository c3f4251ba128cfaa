/** A run of a workflow, and the state of its nodes. */
import type { ErrorData } from "../errors.ts";
import type { JsonText } from "../json.ts";
import type { Priority } from "../tasks/priority.ts";
import type { WorkflowNode } from "./definition.ts";

export type ExecutionStatus = "running" | "completed" | "failed" | "cancelled";

export interface Execution {
  readonly id: string;
  readonly workflow: string;
  /** The digest of the definition that it runs on, whatever is registered later. */
  readonly version: string;
  readonly input: JsonText;
  readonly priority: Priority;
  readonly status: ExecutionStatus;
  /** Nodes that are completed or skipped, of `total`. */
  readonly resolved: number;
  readonly total: number;
  readonly startedAt: number;
  readonly finishedAt?: number | undefined;
  readonly output?: JsonText | undefined;
  readonly error?: ErrorData | undefined;
  /** Only in a finished one: how each node ended. */
  readonly nodes?: readonly NodeState[] | undefined;
}

export type NodeStatus = "pending" | "running" | "completed" | "failed" | "skipped";

/** A node that a token has reached; nodes without a state are still to come. */
export interface NodeState {
  /** `execution/node`. */
  readonly id: string;
  readonly execution: string;
  readonly node: string;
  readonly kind: WorkflowNode["type"];
  readonly status: NodeStatus;
  /** Inlets that were taken, and inlets that turned out dead. */
  readonly live: number;
  readonly dead: number;
  readonly output?: JsonText | undefined;
  readonly error?: ErrorData | undefined;
  readonly startedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  /** Of a map: items in all, begun, done, and failed among the done ones. */
  readonly total?: number | undefined;
  readonly begun?: number | undefined;
  readonly done?: number | undefined;
  readonly failed?: number | undefined;
}

/** A done item of a map. */
export interface ItemState {
  /** `execution/node/index`. */
  readonly id: string;
  readonly output?: JsonText | undefined;
  readonly error?: ErrorData | undefined;
}

/** A registered definition. Older versions stay while runs stand on them, and are gone with the last of these. */
export interface WorkflowVersion {
  /** `workflow@version`. */
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  /** The definition as JSON. */
  readonly text: JsonText;
  /** The ids of its nodes, in the definition's order. */
  readonly nodes: readonly string[];
  readonly registeredAt: number;
  /** Live runs that stand on it. */
  readonly runs: number;
}

interface At {
  readonly execution: string;
  readonly node: string;
}

/** A target of a token, and what kind of node it is. */
export type Target = readonly [node: string, kind: WorkflowNode["type"]];

export interface WorkflowEvents {
  "workflow.registered": {
    readonly workflow: string;
    readonly version: string;
    readonly text: JsonText;
    readonly nodes: readonly string[];
  };
  "execution.started": {
    readonly id: string;
    readonly workflow: string;
    readonly version: string;
    readonly input: JsonText;
    readonly priority: Priority;
    readonly total: number;
    readonly roots: readonly Target[];
  };
  "node.started": At & {
    readonly kind: WorkflowNode["type"];
    readonly total?: number | undefined;
  };
  "map.filled": At & { readonly from: number; readonly to: number };
  /** `output` is absent when an event before has brought it (a task's result, a map's items). */
  "node.completed": At & {
    readonly output?: JsonText | undefined;
    readonly taken: readonly Target[];
    readonly dead: readonly Target[];
  };
  "node.skipped": At & { readonly kind: WorkflowNode["type"]; readonly dead: readonly Target[] };
  "node.failed": At & { readonly error: ErrorData };
  /** A run that a schedule asked for can't begin. */
  "execution.refused": { readonly id: string; readonly workflow: string; readonly error: ErrorData };
  "execution.completed": { readonly id: string; readonly output: JsonText };
  "execution.failed": Stopped & { readonly error: ErrorData };
  "execution.cancelled": Stopped & { readonly reason: string };
}

/** What must be stopped with a run: its live tasks and its open approvals. */
export interface Stopped {
  readonly id: string;
  readonly tasks: readonly string[];
  readonly approvals: readonly string[];
}

export interface WorkflowCommands {
  "workflow.register": { readonly text: JsonText };
  "execution.start": {
    readonly id: string;
    readonly workflow: string;
    /** Default: the version that was registered last. Another one can be had only while runs stand on it. */
    readonly version?: string | undefined;
    readonly input: JsonText;
    readonly priority?: Priority | undefined;
  };
  /** The same from within: when it can't begin, that is told. */
  "execution.launch": WorkflowCommands["execution.start"];
  "execution.cancel": { readonly id: string; readonly reason?: string | undefined };
  "execution.settle": { readonly id: string };
  "execution.fail": { readonly id: string; readonly node: string; readonly error: ErrorData };
  "node.settle": At;
  "node.complete": At & { readonly output?: JsonText | undefined };
  "node.fail": At & { readonly error: ErrorData };
  "map.fill": At;
}

export function nodeKey(execution: string, node: string): string {
  return `${execution}/${node}`;
}

export function itemKey(execution: string, node: string, index: number): string {
  return `${execution}/${node}/${String(index)}`;
}
