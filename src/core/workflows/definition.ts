/** A workflow as data: nodes, the edges between them, and expressions (a subset of CEL) for conditions and mappings. */
import * as v from "valibot";
import { workFields } from "../tasks/order.ts";

/** A node's id is an identifier, so that expressions can name it. */
const id = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_]\w{0,63}$/u, "an id is a letter or '_', then letters, digits or '_', up to 64"),
  v.notValue("__proto__", "no node can have this id"),
  v.notValue("constructor", "no node can have this id"),
  v.notValue("prototype", "no node can have this id"),
);
/** Scope: `input`, `nodes.<id>.output`, and in a map `item` and `index`. */
const expression = v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));
const title = v.optional(v.pipe(v.string(), v.maxLength(200)));
const timeout = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365 * 86_400_000));

const { title: _, ...work } = workFields;

/** One task. `input` defaults to the workflow's input. */
export const TaskNodeSchema = v.strictObject({
  id,
  title,
  type: v.literal("task"),
  ...work,
  input: v.optional(expression, "input"),
});

/** One task per item of a list, at most `concurrency` at once; its output is the list of the outputs, in order. */
export const MapNodeSchema = v.strictObject({
  id,
  title,
  type: v.literal("map"),
  items: expression,
  concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 8),
  /** fail: the first failed item fails the node. collect: its place in the output holds `{error: {code, message}}`. */
  onError: v.optional(v.picklist(["fail", "collect"]), "fail"),
  task: v.strictObject({ ...work, input: v.optional(expression, "item") }),
});

/** Goes on along its edges whose condition holds: the first one, or all of them. */
export const DecisionNodeSchema = v.strictObject({
  id,
  title,
  type: v.literal("decision"),
  mode: v.optional(v.picklist(["first", "all"]), "first"),
});

/** Goes on along all of its edges at once. */
export const ParallelNodeSchema = v.strictObject({ id, title, type: v.literal("parallel") });

/** Waits for its inlets: all that are alive, any one, or a number of them. */
export const JoinNodeSchema = v.strictObject({
  id,
  title,
  type: v.literal("join"),
  mode: v.optional(v.union([v.picklist(["all", "any"]), v.pipe(v.number(), v.integer(), v.minValue(1))]), "all"),
});

/** Asks people. Its output is `{approved, by, reason, data}`. */
export const ApprovalNodeSchema = v.strictObject({
  id,
  title,
  type: v.literal("approval"),
  message: v.pipe(v.string(), v.minLength(1), v.maxLength(4_096)),
  payload: v.optional(expression, "null"),
  approvers: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(200))), v.maxLength(100)), []),
  timeout: v.optional(timeout),
  onTimeout: v.optional(v.picklist(["approve", "reject"]), "reject"),
  /** fail: a rejection fails the run with `approval/rejected`. continue: the edges decide. */
  onReject: v.optional(v.picklist(["fail", "continue"]), "fail"),
});

export const NodeSchema = v.variant("type", [
  TaskNodeSchema,
  MapNodeSchema,
  DecisionNodeSchema,
  ParallelNodeSchema,
  JoinNodeSchema,
  ApprovalNodeSchema,
]);
export type WorkflowNode = v.InferOutput<typeof NodeSchema>;

/** With `when` the edge is taken only if the expression gives true; on a decision, an edge without it is the default. */
export const EdgeSchema = v.strictObject({ from: id, to: id, when: v.optional(expression) });
export type WorkflowEdge = v.InferOutput<typeof EdgeSchema>;

export const MAX_NODES = 10_000;
export const MAX_EDGES = 50_000;
/** The most items of one map. */
export const MAX_ITEMS = 10_000;

export const WorkflowSchema = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/u, "letters, digits, '_', '.', '-'")),
  title,
  nodes: v.pipe(v.array(NodeSchema), v.minLength(1), v.maxLength(MAX_NODES)),
  edges: v.optional(v.pipe(v.array(EdgeSchema), v.maxLength(MAX_EDGES)), []),
  /** The run's output. Default: the output of the last node, or of the last ones by id when there are several. */
  output: v.optional(expression),
});
export type Workflow = v.InferOutput<typeof WorkflowSchema>;
/** What a caller writes; defaults may be left out. */
export type WorkflowInput = v.InferInput<typeof WorkflowSchema>;
