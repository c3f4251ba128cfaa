/** What a started node asks for: tasks, approvals, and runs within its own; or nothing, and it is done at once. */
import { encodeRefusal, RuntimeError } from "../errors.ts";
import { encodeJson } from "../json.ts";
import type { FactOf, Request } from "../kernel.ts";
import { MAX_NAME } from "../messages/message.ts";
import { TOLERANCE } from "../timers/timer.ts";
import { workOf, type Work } from "../tasks/order.ts";
import type { TaskParent } from "../tasks/task.ts";
import type { WorkflowNode } from "./definition.ts";
import {
  nodeKey,
  rootOf,
  workKey,
  type At,
  type Execution,
  type NodeState,
  type WorkflowCommands,
  type WorkflowEvents,
} from "./execution.ts";
import { delayKey, planKey, versionWithin } from "./keys.ts";
import type { WorkflowsState } from "./fold.ts";
import { checkGiven } from "./given.ts";
import { keyOf } from "./items.ts";
import type { Lookups } from "./lookups.ts";
import { referenceOf } from "./pins.ts";
import type { PlannedNode } from "./graph.ts";
import type { Local } from "./scope.ts";

interface Span extends At {
  /** Of a map: the items to begin, `from` inclusive, `to` exclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Of a loop: the iteration. */
  readonly index?: number;
}

/** How deep runs may stand in one another. */
const MAX_DEPTH = 32;

/** What it takes to begin a node's work. */
export interface Beginning {
  readonly lookups: Lookups;
  readonly state: WorkflowsState;
  readonly run: Execution;
  readonly reached: NodeState;
  readonly planned: PlannedNode;
}

/** The requests of a node that was started, of the next items of a map, or of the next iteration of a loop. */
export function startWork(lookups: Lookups, state: WorkflowsState, span: Span): Request[] {
  const { execution, node } = span;
  const run = state.executions.get(execution);
  const reached = state.nodes.get(nodeKey(execution, node));
  if (!run || !reached || run.status === "compensating") return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node);
  if (!planned) return [];
  try {
    return requestsOf({ lookups, state, run, reached, planned }, span);
  } catch (error) {
    const data = { execution, node, error: encodeRefusal(error, "expression/failed") };
    return [{ type: "node.fail", data }];
  }
}

function requestsOf(beginning: Beginning, { from, to, index }: Span): Request[] {
  const { run, reached, planned } = beginning;
  const { node } = planned;
  const at = { execution: run.id, node: node.id };
  const parent: TaskParent = reached.round === undefined ? at : { ...at, round: reached.round };
  const id = workKey(parent);
  if (reached.delayed) return [{ type: "node.restart", data: at }];
  if (reached.recalled) return [{ type: "node.complete", data: at }];
  switch (node.type) {
    case "task":
      return [taskOf(beginning, node, parent, textOf(beginning, "input"))];
    case "approval": {
      const { message, approvers, timeout, onTimeout } = node;
      const payload = textOf(beginning, "payload");
      const data = { id, message, approvers, timeout, onTimeout, payload, parent };
      return [{ type: "approval.request", data }];
    }
    case "subworkflow": {
      const version = beginning.state.executions.get(rootOf(run.id))?.pins?.[referenceOf(node)] ?? "";
      const { workflow, priority = run.priority } = node;
      const input = textOf(beginning, "input");
      checkGiven(beginning.lookups.planOf(beginning.state, workflow, version), workflow, input);
      return [spawn(beginning, { id, workflow, version, priority, input, parent })];
    }
    case "timer":
    case "event":
    case "monitor":
      return waitFor(beginning, node, id, parent);
    case "map":
      if (from !== undefined && to !== undefined) return beginItems(beginning, node, parent, from, to);
      return [{ type: reached.total === 0 ? "node.complete" : "map.fill", data: at }];
    case "loop":
      if (index === undefined) return [{ type: "loop.turn", data: at }];
      return [beginIteration(beginning, node, parent, index)];
    case "dynamic":
      if (index === undefined) return [{ type: "loop.turn", data: at }];
      return [
        reached.graph === undefined
          ? askForGraph(beginning, node, parent, index)
          : beginGraph(beginning, { ...parent, index }),
      ];
    case "errorHandler": {
      const { cause } = reached;
      const error = cause === undefined ? undefined : beginning.state.nodes.get(nodeKey(run.id, cause))?.error;
      const { code, message } = error ?? {};
      return [{ type: "node.complete", data: { ...at, output: JSON.stringify({ node: cause, code, message }) } }];
    }
    case "decision":
    case "parallel":
    case "join":
      return [{ type: "node.complete", data: at }];
  }
}

/** After this a node that has failed is begun anew. */
export function delayTimer(parent: TaskParent, span: number): Request {
  const data = { id: delayKey(workKey(parent)), for: span, late: "fire", tolerance: TOLERANCE, parent };
  return { type: "timer.set", data };
}

/** What a node asks for that waits for a moment, a message, or metrics. */
function waitFor(
  beginning: Beginning,
  node: Extract<WorkflowNode, { type: "timer" | "event" | "monitor" }>,
  id: string,
  parent: TaskParent,
): Request[] {
  if (node.type === "timer") {
    const { late, timeZone, onPause, tolerance = TOLERANCE } = node;
    const moment = { for: valueOf(beginning, "for"), until: valueOf(beginning, "until"), timeZone };
    return [{ type: "timer.set", data: { id, late, tolerance, onPause, ...moment, parent } }];
  }
  if (node.type === "event") {
    const { name, lookBack, timeout, consume } = node;
    const data = { id, name, key: correlationOf(beginning), consume, lookBack, timeout, parent };
    return [{ type: "wait.open", data }];
  }
  const { capability, window, every, timeout: span } = node;
  const timer = { id, for: span, late: "fire", tolerance: TOLERANCE, parent };
  return [
    { type: "meter.watch", data: { id, capability, window, every, parent } },
    ...(span === undefined ? [] : [{ type: "timer.set", data: timer }]),
    { type: "monitor.ask", data: { execution: parent.execution, node: node.id } },
  ];
}

function textOf({ lookups, state, run, planned }: Beginning, field: string, local?: Local): string {
  const expression = planned.expressions[field];
  return expression ? lookups.scopes.evaluateText(state, run, expression, { at: planned.node.id, ...local }) : "null";
}

function valueOf({ lookups, state, run, planned }: Beginning, field: string): unknown {
  const expression = planned.expressions[field];
  return expression && lookups.scopes.evaluate(state, run, expression, { at: planned.node.id });
}

/** The key that a message must have. */
function correlationOf(beginning: Beginning): string {
  const { node, expressions } = beginning.planned;
  const found = expressions["key"] ? valueOf(beginning, "key") : "";
  if (typeof found === "number" || (typeof found === "string" && found.length <= MAX_NAME)) return String(found);
  const expected = `a number, or a text of at most ${String(MAX_NAME)} characters`;
  throw new RuntimeError("expression/failed", { node: node.id, key: expressions["key"]?.source, expected });
}

function taskOf(
  { state, run, planned }: Beginning,
  { title = planned.node.id, priority = run.priority, ...node }: Work,
  parent: TaskParent,
  input: string,
  id = parent.index === undefined ? workKey(parent) : `${workKey(parent)}/${String(parent.index)}`,
): Request {
  const { deadline } = state.executions.get(rootOf(run.id)) ?? {};
  const { secrets } = planned;
  const more = { ...(deadline !== undefined && { deadline }), ...(secrets && { secrets }) };
  return { type: "task.create", data: { ...workOf(node), id, title, priority, input, parent, ...more } };
}

/** @throws RuntimeError `workflow/too-deep` for one more run within this one */
export function checkDepth({ executions }: WorkflowsState, { execution, node }: At): void {
  let depth = 1;
  for (let above = executions.get(execution); above?.parent; depth++) above = executions.get(above.parent.execution);
  if (depth > MAX_DEPTH) throw new RuntimeError("workflow/too-deep", { node, limit: MAX_DEPTH });
}

function spawn({ state }: Beginning, data: WorkflowCommands["execution.spawn"]): Request {
  checkDepth(state, data.parent);
  return { type: "execution.spawn", data };
}

/** What a turn of a loop or a dynamic node gets. */
export function turnInput(beginning: Beginning, index: number, values: Readonly<Record<string, unknown>> = {}): string {
  const { run, reached, planned } = beginning;
  const last = reached.output ?? "null";
  if (planned.expressions["input"]) return textOf(beginning, "input", { values: { index, ...values }, last });
  return index === 0 ? run.input : last;
}

/** Asks the worker of a dynamic node for a graph, and says what was wrong with the one before. */
function askForGraph(
  beginning: Beginning,
  node: Extract<WorkflowNode, { type: "dynamic" }>,
  at: TaskParent,
  index: number,
): Request {
  const { refused, error } = beginning.reached;
  const problems = (refused === undefined ? undefined : error?.detail?.["problems"]) ?? [];
  const title = `${node.title ?? node.id} ${String(index + 1)}`;
  const input = turnInput(beginning, index, { problems });
  const id = planKey(`${workKey(at)}/${String(index)}`, refused);
  return taskOf(beginning, { ...node, title }, { ...at, index }, input, id);
}

function beginGraph(beginning: Beginning, parent: TaskParent): Request {
  const { run, reached } = beginning;
  const { workflow, priority } = run;
  const { index = 0 } = parent;
  const id = `${workKey(parent)}/${String(index)}`;
  const input = turnInput(beginning, index, { problems: [] });
  return spawn(beginning, { id, workflow, version: reached.graph ?? "", priority, input, parent });
}

/** The body's run for an item or an iteration. */
function spawnBody(beginning: Beginning, parent: TaskParent, input: string, item?: string): Request {
  const { run, planned } = beginning;
  const { workflow, version, priority } = run;
  const id = `${workKey(parent)}/${String(parent.index)}`;
  return spawn(beginning, {
    id,
    workflow,
    version: versionWithin(version, planned.node.id),
    priority,
    input,
    parent,
    ...(item !== undefined && { item }),
  });
}

function beginItems(
  beginning: Beginning,
  node: Extract<WorkflowNode, { type: "map" }>,
  at: TaskParent,
  from: number,
  to: number,
): Request[] {
  const { lookups, state, run, reached, planned } = beginning;
  const { items, key: naming } = planned.expressions;
  const list = items && lookups.scopes.evaluate(state, run, items, { at: node.id });
  if (!Array.isArray(list) || list.length !== reached.total)
    // it rests on what wasn't finished when the map began
    throw new RuntimeError("expression/failed", { node: node.id, items: items?.source, reason: "the items changed" });
  const recorded = at.round === undefined ? state.recorded.get(run.id)?.outputs : undefined;
  return list.slice(from, to).map((item: unknown, offset): Request => {
    const index = from + offset;
    if (recorded && Object.hasOwn(recorded, `${node.id}/${String(index)}`))
      return { type: "item.recall", data: { ...at, index } };
    const values = { item, index };
    const key = naming && keyOf(lookups.scopes.evaluate(state, run, naming, { at: node.id, values }), node.id, index);
    const parent = { ...at, index, ...(key !== undefined && { key }) };
    const input = textOf(beginning, "input", { values });
    if (!node.task) return spawnBody(beginning, parent, input, node.body?.input && encodeJson(item, "item"));
    const title = `${node.title ?? node.id} ${key ?? String(index + 1)}`;
    return taskOf(beginning, { ...node.task, title }, parent, input);
  });
}

function beginIteration(
  beginning: Beginning,
  node: Extract<WorkflowNode, { type: "loop" }>,
  at: TaskParent,
  index: number,
): Request {
  const parent = { ...at, index };
  const input = turnInput(beginning, index);
  if (!node.task) return spawnBody(beginning, parent, input);
  return taskOf(beginning, { ...node.task, title: `${node.title ?? node.id} ${String(index + 1)}` }, parent, input);
}

/** Begins as many items of a map as its concurrency allows. */
export function fillMap(
  lookups: Lookups,
  state: WorkflowsState,
  { execution, node }: WorkflowCommands["map.fill"],
): FactOf<WorkflowEvents>[] {
  const run = state.executions.get(execution);
  const reached = state.nodes.get(nodeKey(execution, node));
  if (run?.status !== "running" || reached?.status !== "running") return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node)?.node;
  if (planned?.type !== "map") return [];
  const { total = 0, begun = 0, done = 0 } = reached;
  const to = Math.min(total, done + planned.concurrency);
  return to > begun ? [{ type: "map.filled", data: { execution, node, from: begun, to } }] : [];
}
