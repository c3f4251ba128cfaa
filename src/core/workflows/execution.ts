/** A run of a workflow, and the state of its nodes. */
import type { ErrorData } from "../errors.ts";
import type { Actor } from "../hosting/hosting.ts";
import type { JsonText } from "../json.ts";
import type { Priority } from "../tasks/priority.ts";
import type { TaskParent } from "../tasks/task.ts";
import type { WorkflowNode } from "./definition.ts";
import type { Bodies } from "./version.ts";
import type { Problem } from "./proofs/problem.ts";
import type { Stall, StallCommands, StallEvents } from "./stall.ts";
import type { ExecutionRetry } from "./retry-order.ts";

export type ExecutionStatus =
  "running" | "paused" | "compensating" | "compensated" | "compensation-failed" | "completed" | "failed" | "cancelled";

export interface Execution {
  /** Of a run within a run it is the node's: `run/node`, or `run/node/index`. */
  readonly id: string;
  readonly workflow: string;
  /**
   * The digest of the definition that it runs on, whatever is registered later; of a node's body: `digest#node`, of a
   * graph that was appended at a node `digest#node@digest of the graph`.
   */
  readonly version: string;
  /** The node that it is run for. */
  readonly parent?: TaskParent | undefined;
  /** Who was at the page that has started it, where that was known. */
  readonly startedBy?: string | undefined;
  /** The finished run whose results it takes over. */
  readonly retriedFrom?: string | undefined;
  /** In a map's body: the item, where it isn't the input. */
  readonly item?: JsonText | undefined;
  /** Of an outermost run: the versions of the workflows that it names, by `workflow` or `workflow@version`. */
  readonly pins?: Pins | undefined;
  readonly input: JsonText;
  readonly priority: Priority;
  readonly status: ExecutionStatus;
  /** It fails when it hasn't ended by then, in milliseconds since 1970; its tasks have it too. */
  readonly deadline?: number | undefined;
  /** Nodes that are completed or skipped, of `total`. */
  readonly resolved: number;
  readonly total: number;
  readonly startedAt: number;
  readonly finishedAt?: number | undefined;
  /** How many things that it has done can be undone; and that one of them couldn't. */
  readonly undos?: number | undefined;
  readonly undoFailed?: boolean | undefined;
  /** Of a compensating one: how it will have ended. */
  readonly outcome?: Outcome | undefined;
  readonly output?: JsonText | undefined;
  readonly error?: ErrorData | undefined;
  /** Of an outermost one that stands still: since when, and what for. */
  readonly stalled?: Stall | undefined;
  /** Only in a finished one: its variables in the end, as a map by name. */
  readonly variables?: JsonText | undefined;
  /** Only in a finished one: how each node ended. */
  readonly nodes?: readonly NodeState[] | undefined;
}

export type NodeStatus = "pending" | "running" | "completed" | "failed" | "skipped";

export type Pins = Readonly<Record<string, string>>;

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
  /** Of a join with an expression: which ones. */
  readonly inlets?: Readonly<Record<string, boolean>> | undefined;
  /** Its output was taken over from an earlier run. */
  readonly recalled?: true | undefined;
  /** It failed, and the run went on along its error edges. */
  readonly handled?: boolean | undefined;
  /** The node that failed last on the way to this one. */
  readonly cause?: string | undefined;
  /** From 2 on when it is tried again. */
  readonly round?: number | undefined;
  /** It is begun anew at `dueAt`. */
  readonly delayed?: true | undefined;
  readonly output?: JsonText | undefined;
  readonly error?: ErrorData | undefined;
  readonly startedAt?: number | undefined;
  /** Which one it was of all nodes that have begun: of two that begin at the same moment, this tells. */
  readonly order?: number | undefined;
  readonly finishedAt?: number | undefined;
  /**
   * Of a map: items in all, begun, done, and failed among the done ones. Of a loop: iterations begun and done; of a
   * dynamic node: graphs that were asked for, and done.
   */
  readonly total?: number | undefined;
  readonly begun?: number | undefined;
  readonly done?: number | undefined;
  readonly failed?: number | undefined;
  /** Of a dynamic node: what its worker put out, until it is looked through; how much of that was refused; and what runs. */
  readonly plan?: JsonText | undefined;
  readonly refused?: number | undefined;
  readonly graph?: string | undefined;
  /** Of a parallel node: branches begun, and those that were ended by a failure. */
  readonly branches?: number | undefined;
  readonly lost?: readonly number[] | undefined;
  /** Of a timer: when it fires; of an event: until when it waits. */
  readonly dueAt?: number | undefined;
  /** Of an event: the key of the message that it waits for. */
  readonly key?: string | undefined;
}

/** A node of a run that goes on with another version: what it keeps beside this is what it had, where its status is the same. */
export type MovedNode = Pick<NodeState, "node" | "kind" | "status" | "live" | "dead" | "inlets" | "round">;

/** Something that was done and can be undone. */
export interface Undo {
  /** `execution#number`, of the run that would undo it: where it was done, or one around that. */
  readonly id: string;
  readonly at: TaskParent;
  readonly workflow: string;
  readonly version: string;
  readonly input: JsonText;
  /** How often it was begun: again where the run that was at it is stopped with the one around it. */
  readonly turn?: number | undefined;
}

/** A variable of a run gets a value, or elements for its list. */
export interface Assignment {
  readonly execution: string;
  readonly name: string;
  readonly value?: JsonText | undefined;
  readonly add?: readonly JsonText[] | undefined;
  /** Each element is in the list once. */
  readonly union?: true | undefined;
}

/** The variables of a run: their values, and of lists how many elements were added since they began. */
export interface VariablesState {
  /** The run's. */
  readonly id: string;
  readonly values: Readonly<Record<string, JsonText>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** A done item of a map. */
export interface ItemState {
  /** `execution/node/index`. */
  readonly id: string;
  readonly key?: string | undefined;
  readonly output?: JsonText | undefined;
  readonly error?: ErrorData | undefined;
}

/** A node of a run. */
export interface At {
  readonly execution: string;
  readonly node: string;
}

/** A target of a token, what kind of node it is, and whether it wants to know from where the token comes. */
export type Target = readonly [node: string, kind: WorkflowNode["type"], traced?: true];

export interface WorkflowEvents extends StallEvents {
  "workflow.registered": {
    readonly workflow: string;
    readonly version: string;
    readonly text: JsonText;
    readonly nodes: readonly string[];
    readonly warnings?: readonly Problem[] | undefined;
    readonly bodies?: Bodies | undefined;
    readonly stallAfter?: number | undefined;
  };
  /** Another known version is the one for new runs. */
  "workflow.activated": {
    readonly workflow: string;
    readonly version: string;
    readonly withdrawn: readonly string[];
  };
  /** The run goes on with another version: these are its nodes now, and these are to be looked at. */
  "execution.migrated": Pick<Execution, "id" | "version" | "total" | "pins"> & {
    readonly from: string;
    /** Those that it hasn't had. */
    readonly variables?: Readonly<Record<string, JsonText>> | undefined;
    readonly nodes: readonly MovedNode[];
    readonly settle: readonly string[];
  };
  "execution.started": Pick<
    Execution,
    | "id"
    | "workflow"
    | "version"
    | "input"
    | "priority"
    | "deadline"
    | "total"
    | "parent"
    | "item"
    | "pins"
    | "retriedFrom"
    | "startedBy"
  > & {
    /** Outputs that are taken over, by `node`, or `node/index` of a map's items. */
    readonly recorded?: Readonly<Record<string, JsonText>> | undefined;
    readonly roots: readonly Target[];
    /** How its variables begin. */
    readonly variables?: Readonly<Record<string, JsonText>> | undefined;
  };
  "node.started": At & {
    readonly kind: WorkflowNode["type"];
    readonly recalled?: true | undefined;
    readonly total?: number | undefined;
  };
  "map.filled": At & { readonly from: number; readonly to: number };
  /** The output of an item is taken over. */
  "item.recalled": TaskParent;
  /** An iteration begins; the worker of a dynamic node is asked for a graph. */
  "loop.turned": At & { readonly index: number };
  /** What the worker put out is a graph, and is run; its text is the output of the worker's task. */
  "graph.appended": At & {
    readonly index: number;
    readonly version: string;
    readonly nodes: readonly string[];
    readonly bodies?: Bodies | undefined;
  };
  /** What the worker put out can't be run; `error.detail.problems` says why. */
  "graph.refused": At & { readonly index: number; readonly error: ErrorData };
  /** `output` is absent when an event before has brought it (a task's result, a map's items). */
  "node.completed": At &
    Partial<OpenWork> & {
      readonly output?: JsonText | undefined;
      readonly taken: readonly Target[];
      readonly dead: readonly Target[];
      /** It can be undone; with this input, or else with its output. */
      readonly undo?: { readonly input?: JsonText | undefined } | undefined;
      /** What it does to variables. */
      readonly set?: readonly Assignment[] | undefined;
      /** The failure that a handler has replaced by the output. */
      readonly replaced?: ErrorData | undefined;
    };
  /** It has failed, and begins anew. */
  "node.retried": At &
    OpenWork & {
      readonly error: ErrorData;
      readonly round: number;
      readonly total?: number | undefined;
      /** After so many milliseconds. */
      readonly delay?: number | undefined;
    };
  "node.restarted": At & { readonly total?: number | undefined };
  "node.skipped": At & { readonly kind: WorkflowNode["type"]; readonly dead: readonly Target[] };
  /** With `taken` the failure is handled, and the run goes on. */
  "node.failed": At &
    Partial<OpenWork> & {
      readonly error: ErrorData;
      readonly taken?: readonly Target[] | undefined;
      readonly dead?: readonly Target[] | undefined;
      /** The branch that it ends. */
      readonly branch?: { readonly parallel: string; readonly index: number } | undefined;
    };
  /** A run that a schedule asked for can't begin. */
  "execution.refused": { readonly id: string; readonly workflow: string; readonly error: ErrorData };
  /** No node begins any more, and no task of it is given to a worker. */
  /** It hadn't ended at its deadline; it fails. */
  "execution.expired": { readonly id: string; readonly deadline: number };
  "execution.paused": OpenWork & { readonly id: string; readonly interrupt?: boolean | undefined };
  /** What was found to do: nodes to look at again, and work that had been lost. */
  "execution.resumed": OpenWork & {
    readonly id: string;
    readonly settled: readonly string[];
    readonly restarted: readonly Restart[];
  };
  /** It has failed or was cancelled, and undoes what it has done, the last thing first. */
  "execution.compensating": OpenWork & Outcome & { readonly id: string };
  "compensation.started": { readonly id: string; readonly undo: number };
  "compensation.ended": { readonly id: string; readonly undo: number; readonly error?: ErrorData | undefined };
  "execution.completed": Ended & { readonly output: JsonText };
  "execution.failed": Ended & OpenWork & { readonly error: ErrorData };
  "execution.cancelled": Ended & OpenWork & { readonly reason: string };
}

/** A node whose work is begun again; `index`: only that item or iteration. */
export type Restart = readonly [node: string, index?: number];

/** Why a run ends early. */
export interface Outcome {
  readonly error?: ErrorData | undefined;
  readonly reason?: string | undefined;
}

export interface Ended {
  readonly id: string;
  readonly parent?: TaskParent | undefined;
}

/** What must be stopped with a run or a node: live tasks, open approvals, timers, waits, and runs within it. */
export interface OpenWork {
  readonly tasks: readonly string[];
  readonly approvals: readonly string[];
  readonly children?: readonly string[] | undefined;
  readonly timers?: readonly string[] | undefined;
  readonly waits?: readonly string[] | undefined;
}

export interface WorkflowCommands extends StallCommands {
  /** `strict` refuses what would only be warned of. Default false. */
  "workflow.register": { readonly text: JsonText; readonly strict?: boolean | undefined };
  /** Makes a version that is kept the one for new runs. */
  "workflow.rollback": { readonly workflow: string; readonly version: string };
  "execution.migrate": { readonly id: string; readonly version: string };
  "execution.start": {
    readonly id: string;
    readonly workflow: string;
    /** Default: the version that was registered last. Another one can be had only while runs stand on it. */
    readonly version?: string | undefined;
    readonly input: JsonText;
    readonly priority?: Priority | undefined;
    /** Milliseconds since 1970. */
    readonly deadline?: number | undefined;
    readonly actor?: Pick<Actor, "id"> | undefined;
  };
  /** The same from within: when it can't begin, that is told. */
  "execution.launch": WorkflowCommands["execution.start"];
  /** Begins a run that takes over what a finished one has done, but for what is to be done again. */
  "execution.retry": ExecutionRetry & { readonly actor?: Actor | undefined };
  "item.recall": TaskParent;
  /** A run within a run. */
  "execution.spawn": Pick<Execution, "id" | "workflow" | "version" | "input" | "priority" | "item"> & {
    readonly parent: TaskParent;
  };
  /** `handUp`: what it has done is for the run around it to undo. */
  "execution.cancel": {
    readonly id: string;
    readonly reason?: string | undefined;
    readonly handUp?: boolean | undefined;
  };
  "execution.compensate": { readonly id: string };
  "compensation.end": { readonly id: string; readonly undo: number; readonly error?: ErrorData | undefined };
  /** `interrupt`: running attempts are stopped, and begun again later; otherwise they go on to their end. */
  /** Its deadline may have come. */
  "execution.wake": { readonly id: string };
  "execution.pause": { readonly id: string; readonly interrupt?: boolean | undefined };
  /** Also of a run that isn't paused but stands still: what is ready begins, and what was lost begins again. */
  "execution.resume": { readonly id: string };
  "execution.settle": { readonly id: string };
  "node.settle": At;
  "node.complete": At & { readonly output?: JsonText | undefined };
  /** `path` leads from the run to what failed. Default: the node. */
  "node.fail": At & { readonly error: ErrorData; readonly path?: string | undefined };
  "node.restart": At;
  /** What follows it is left out, though it was begun. */
  "node.skip": At;
  "map.fill": At;
  "loop.turn": At;
  "monitor.ask": At;
}

export { itemKey, nodeKey, rootOf, undoId, undoKey, workKey } from "./keys.ts";
