/** A workflow as data: nodes, the edges between them, and expressions (a subset of CEL) for conditions and mappings. */
import * as v from "valibot";
import type { JsonSchema } from "../capabilities/schema.ts";
import type { Json } from "../json.ts";
import { workFields } from "../tasks/order.ts";
import { SecretNameSchema } from "../tasks/secrets.ts";
import { MAX_NAME } from "../messages/message.ts";
import { LATE_POLICIES } from "../timers/timer.ts";
import { PRIORITIES } from "../tasks/priority.ts";

/** A node's id is an identifier, so that expressions can name it. */
const id = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_]\w{0,63}$/u, "an id is a letter or '_', then letters, digits or '_', up to 64"),
  v.notValue("__proto__", "no node can have this id"),
  v.notValue("constructor", "no node can have this id"),
  v.notValue("prototype", "no node can have this id"),
);
/** Scope: `input`, `nodes.<id>.output`, behind an error edge `error`; in a map `item` and `index`, in a loop `index` and `last`. */
const expression = v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));
const title = v.optional(v.pipe(v.string(), v.maxLength(200)));
const timeout = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365 * 86_400_000));

/** A variable's name, as a node's id. */
const variable = id;
/** What the node's completion does to variables, by name: `last` and the others take a value, `append` an element. */
const set = v.optional(v.pipe(v.record(variable, expression), v.maxEntries(100)));
const common = { id, title, set };

/** A value that JSON can hold; its depth is bounded with the definition's. */
const json = v.custom<Json>(
  (value) =>
    value !== undefined && typeof value !== "function" && typeof value !== "symbol" && typeof value !== "bigint",
);

/** What a run remembers beside outputs. Every write goes through its rule, so that none of two branches' writes is lost. */
export const VariableSchema = v.strictObject({
  type: v.picklist(["string", "number", "boolean", "list", "map", "any"]),
  /** Default: 0 for a sum, an empty list for a list, and else null, which stands for no value of any type. */
  initial: v.optional(json),
  /**
   * last: the value replaces the one before (the default) · sum, max, min: of numbers · append: it becomes the last
   * element of the list · union: those of its elements that the list doesn't have yet.
   */
  merge: v.optional(v.picklist(["last", "append", "sum", "max", "min", "union"]), "last"),
});
export type Variable = v.InferOutput<typeof VariableSchema>;

const variables = v.optional(v.pipe(v.record(variable, VariableSchema), v.maxEntries(100)));

const { title: _, ...work } = workFields;

const workflowId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/u, "letters, digits, '_', '.', '-'"));

/** A graph within a node: it is run as an execution of its own, once for each item or iteration. */
export interface Body {
  readonly nodes: WorkflowNode[];
  readonly edges: WorkflowEdge[];
  readonly variables?: Readonly<Record<string, Variable>> | undefined;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
}
export interface BodyInput {
  readonly nodes: v.InferInput<typeof NodeSchema>[];
  readonly edges?: v.InferInput<typeof EdgeSchema>[] | undefined;
  /** Of each of its runs; it sees those of the graph around it too. */
  readonly variables?: Readonly<Record<string, v.InferInput<typeof VariableSchema>>> | undefined;
  /** What `input` is in it. Default: in a map `item`, in a loop the node's first `input`, and then `last`. */
  readonly input?: string | undefined;
  /** Its output, as a workflow's. */
  readonly output?: string | undefined;
}

const body: v.GenericSchema<BodyInput, Body> = v.lazy(() => BodySchema);

/** One task. `input` defaults to the workflow's input. */
export const TaskNodeSchema = v.strictObject({
  ...common,
  type: v.literal("task"),
  ...work,
  input: v.optional(expression, "input"),
  /**
   * Undoes it when its run fails or is cancelled after it: a task, with `input` as evaluated when the node completes.
   * Default: the node's output.
   */
  compensate: v.optional(v.strictObject({ ...work, input: v.optional(expression) })),
});

/** A task or a graph per item of a list, at most `concurrency` at once; its output is the list of the outputs, in order. */
export const MapNodeSchema = v.strictObject({
  ...common,
  type: v.literal("map"),
  items: expression,
  concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 8),
  /** fail: the first failed item fails the node. collect: its place in the output holds `{error: {code, message}}`. */
  onError: v.optional(v.picklist(["fail", "collect"]), "fail"),
  /** What people know an item by: a text or a number, another one for each item. */
  key: v.optional(expression),
  /** One of the two. */
  task: v.optional(v.strictObject({ ...work, input: v.optional(expression, "item") })),
  body: v.optional(body),
});

/** A task or a graph again and again; its output is that of the last iteration, or null without any. */
export const LoopNodeSchema = v.strictObject({
  ...common,
  type: v.literal("loop"),
  /** One of the two. Before each iteration: goes on if it is true. `index` counts from 0, `last` is the output before. */
  while: v.optional(expression),
  /** After each iteration: ends if it is true. `index` and `last` are those of the iteration that has just ended. */
  until: v.optional(expression),
  /** The most iterations; one more fails the node with `workflow/loop-exceeded`. */
  max: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)), 1_000),
  /** One of the two. An `input` that is left out: the run's in the first iteration, and `last` in the others. */
  task: v.optional(v.strictObject({ ...work, input: v.optional(expression) })),
  body: v.optional(body),
});

/** Runs another workflow; its output is that one's. */
export const SubworkflowNodeSchema = v.strictObject({
  ...common,
  type: v.literal("subworkflow"),
  workflow: workflowId,
  /** Default: the one that was registered last when the outermost run began. */
  version: v.optional(v.pipe(v.string(), v.regex(/^\w{1,64}$/u, "a version is a digest"))),
  input: v.optional(expression, "input"),
  /** Default: the run's. */
  priority: v.optional(v.picklist(PRIORITIES)),
});

/** Goes on along its edges whose condition holds: the first one, or all of them. */
export const DecisionNodeSchema = v.strictObject({
  ...common,
  type: v.literal("decision"),
  mode: v.optional(v.picklist(["first", "all"]), "first"),
});

/** Goes on along all of its edges at once. */
export const ParallelNodeSchema = v.strictObject({
  ...common,
  type: v.literal("parallel"),
  /**
   * What an unhandled failure in one of its branches does, which end where they meet. fail-fast: it fails the run.
   * collect: it ends its own path, and fails the run only when no branch is left. needed: or fewer than so many.
   */
  onFailure: v.optional(
    v.union([
      v.picklist(["fail-fast", "collect"]),
      v.strictObject({ needed: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    ]),
    "fail-fast",
  ),
});

/**
 * Waits for its inlets: all that are alive, any one, or a number of them; or until `when` holds, which is asked whenever
 * an inlet is resolved: `inlets.<node>` is true when that one is alive, false when it is dead, and absent before.
 */
export const JoinNodeSchema = v.strictObject({
  ...common,
  type: v.literal("join"),
  mode: v.optional(
    v.union([
      v.picklist(["all", "any"]),
      v.pipe(v.number(), v.integer(), v.minValue(1)),
      v.strictObject({ when: expression }),
    ]),
    "all",
  ),
});

/** Asks people. Its output is `{approved, by, reason, data}`. */
export const ApprovalNodeSchema = v.strictObject({
  ...common,
  type: v.literal("approval"),
  message: v.pipe(v.string(), v.minLength(1), v.maxLength(4_096)),
  payload: v.optional(expression, "null"),
  approvers: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(200))), v.maxLength(100)), []),
  timeout: v.optional(timeout),
  onTimeout: v.optional(v.picklist(["approve", "reject"]), "reject"),
  /** fail: a rejection fails the run with `approval/rejected`. continue: the edges decide. */
  onReject: v.optional(v.picklist(["fail", "continue"]), "fail"),
});

/** Waits for a moment. Its output is `{dueAt, firedAt, late}`, the last one in milliseconds. */
export const TimerNodeSchema = v.strictObject({
  ...common,
  type: v.literal("timer"),
  /** One of the two: milliseconds, or an expression that gives them; */
  for: v.optional(v.union([v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(365 * 86_400_000)), expression])),
  /** or an expression that gives milliseconds since 1970 or a date and time in ISO 8601. */
  until: v.optional(expression),
  /** IANA name: of an `until` without an offset. */
  timeZone: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(100))),
  /**
   * What happens when nobody was there at the moment, and it is later than `tolerance` (milliseconds, default a minute).
   * fire: it goes on all the same. skip: it counts as skipped. expire: it fails with `timer/expired`.
   */
  late: v.optional(v.picklist(LATE_POLICIES), "fire"),
  tolerance: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(365 * 86_400_000))),
  /** run: it goes on while the run is paused, and what follows it waits. hold: the time of the pause doesn't count. */
  onPause: v.optional(v.picklist(["run", "hold"]), "run"),
});

/** Waits for a message from outside. Its output is `{received, payload, publishedAt}`. */
export const EventNodeSchema = v.strictObject({
  ...common,
  type: v.literal("event"),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME)),
  /** A text or a number that the message's key must be. Default: none. */
  key: v.optional(expression),
  /** A message that came so many milliseconds before will do. Default: any that is kept. */
  lookBack: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(30 * 86_400_000))),
  timeout: v.optional(timeout),
  /** fail, the default: with `event/timeout`. continue: `received` is false then. */
  onTimeout: v.optional(v.picklist(["fail", "continue"])),
  /** one: no other node gets the message. broadcast: every broadcast node does. */
  consume: v.optional(v.picklist(["one", "broadcast"]), "one"),
});

/** The name of a capability, without a range of versions. */
const capability = v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[^@]*$/u, "a name without a range"));

/**
 * Goes on when a condition over what tasks have done lately holds. Its output is `{held, metrics}`, with the metrics as
 * they were then.
 */
export const MonitorNodeSchema = v.strictObject({
  ...common,
  type: v.literal("monitor"),
  /** Of tasks that ask for it. */
  capability,
  /** Milliseconds that are looked back on. It is measured from the registration on. */
  window: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1_000), v.maxValue(3_600_000)), 60_000),
  /**
   * Over `metrics`: ended, completed, failed, failureRate, retried, meanDuration, maxDuration, queued, running. Asked when
   * the node begins, and whenever these have changed.
   */
  when: expression,
  /** Milliseconds between two askings, at least. */
  every: v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(3_600_000)), 1_000),
  timeout: v.optional(timeout),
  /** fail, the default: with `monitor/timeout`. continue: `held` is false then. */
  onTimeout: v.optional(v.picklist(["fail", "continue"])),
});

/** What the worker of a dynamic node may append. */
const NODE_TYPES = ["task", "decision", "parallel", "join"] as const;
const MORE_TYPES = ["map", "loop", "subworkflow", "approval", "timer", "event", "monitor", "errorHandler"] as const;

/**
 * A task whose output is a graph, `{nodes, edges, variables, output}`, which is checked and then run; or that nothing is
 * to be done any more: `{result}` with the node's output, or null. Its output is the last graph's.
 */
export const DynamicNodeSchema = v.strictObject({
  ...common,
  type: v.literal("dynamic"),
  ...work,
  /**
   * Sees `index`, which counts graphs from 0, `last`, the output of the graph before, and `problems` of the one that was
   * refused just before, or an empty list. Default: the run's input at first, and `last` later. It is `input` in the graph.
   */
  input: v.optional(expression),
  /** What graphs may hold; anything else is refused. */
  allow: v.strictObject({
    /** Of all tasks in them; `read` stands for `read.files`, too. */
    capabilities: v.pipe(v.array(capability), v.maxLength(100)),
    /** Default: task, decision, parallel, join. */
    types: v.optional(v.pipe(v.array(v.picklist([...NODE_TYPES, ...MORE_TYPES])), v.minLength(1)), [...NODE_TYPES]),
    /** What subworkflows may run: the version that was registered last when the outermost run began. Default: none. */
    workflows: v.optional(v.pipe(v.array(workflowId), v.maxLength(100)), []),
    /** Secrets that the inputs of their tasks may name. Default: none. */
    secrets: v.optional(v.pipe(v.array(SecretNameSchema), v.maxLength(100)), []),
    /** Limits that every task in them has to name. Default: none. */
    limits: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(64))), v.maxLength(8)), []),
  }),
  /** The most nodes of a graph, with those of graphs within it. */
  maxNodes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 100),
  /** When a graph has ended the worker is asked for the next one, of so many. Default: it is asked for one graph only. */
  rounds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
  /** How often it is asked for the same graph when what it puts out is refused; then the node fails with `workflow/invalid`. */
  tries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 3),
});

/** A code, or all that begin so: `task/*`. */
const codes = v.optional(
  v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(200))), v.minLength(1), v.maxLength(100)),
);

/**
 * What happens when nodes fail that no error edge of their own catches; the first handler that is for the failure acts.
 * One with "route" is reached as by error edges, at the first failure, and goes on along its own edges; its output is
 * `{node, code, message}`. The others act in place and have no edges.
 */
export const ErrorHandlerNodeSchema = v.strictObject({
  ...common,
  type: v.literal("errorHandler"),
  /** The nodes that it is for. Default: all; for "route" all that don't come behind it. */
  scope: v.optional(v.pipe(v.array(id), v.minLength(1), v.maxLength(10_000))),
  /** Default: all. */
  codes,
  /** retry: the node begins anew. replace: it counts as completed, with `output`. rethrow: no later handler gets it. */
  action: v.optional(v.picklist(["route", "retry", "replace", "rethrow"]), "route"),
  /** Of "retry": how often each node is begun anew at most. Default 1. */
  times: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))),
  /** Of "retry": milliseconds until then. Default: none. */
  delay: v.optional(timeout),
  /** Each further time it is so many times as long, up to a year. Default 1. */
  backoff: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100))),
  /** Of "replace", which needs it; `error` is in its scope. */
  output: v.optional(expression),
});

export const NodeSchema = v.variant("type", [
  TaskNodeSchema,
  MapNodeSchema,
  LoopNodeSchema,
  SubworkflowNodeSchema,
  DecisionNodeSchema,
  ParallelNodeSchema,
  JoinNodeSchema,
  ApprovalNodeSchema,
  TimerNodeSchema,
  EventNodeSchema,
  DynamicNodeSchema,
  MonitorNodeSchema,
  ErrorHandlerNodeSchema,
]);
export type WorkflowNode = v.InferOutput<typeof NodeSchema>;

/**
 * With `when` the edge is taken only if the expression gives true; on a decision, an edge without it is the default.
 * An error edge is taken when its node fails, with one of the codes if any are given, and dead when it doesn't.
 */
export const EdgeSchema = v.strictObject({
  from: id,
  to: id,
  when: v.optional(expression),
  on: v.optional(v.literal("error")),
  codes,
});
export type WorkflowEdge = v.InferOutput<typeof EdgeSchema>;

export const MAX_NODES = 10_000;
export const MAX_EDGES = 50_000;
/** The most items of one map. */
export const MAX_ITEMS = 10_000;

const graph = {
  variables,
  nodes: v.pipe(v.array(NodeSchema), v.minLength(1), v.maxLength(MAX_NODES)),
  edges: v.optional(v.pipe(v.array(EdgeSchema), v.maxLength(MAX_EDGES)), []),
  /** The run's output. Default: the output of the last node, or of the last ones by id when there are several. */
  output: v.optional(expression),
};

const BodySchema = v.strictObject({ ...graph, input: v.optional(expression) });

/** What the worker of a dynamic node puts out to be run. */
export const AppendedSchema = v.strictObject(graph);

export const WorkflowSchema = v.strictObject({
  ...graph,
  id: workflowId,
  title,
  /** What its runs must be given, in the part of JSON Schema that capabilities are described in. */
  inputSchema: v.optional(
    v.custom<JsonSchema>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "a schema"),
  ),
  /** Milliseconds that a run may stand still before `execution.stalled` tells why; 0: never. Default ten minutes. */
  stallAfter: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(365 * 86_400_000))),
});
export type Workflow = v.InferOutput<typeof WorkflowSchema>;
/** What a caller writes; defaults may be left out. */
export type WorkflowInput = v.InferInput<typeof WorkflowSchema>;
