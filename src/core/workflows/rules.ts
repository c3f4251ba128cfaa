/**
 * How tokens travel. Every edge is resolved once: taken, or dead. A node that all of its inlets have reached is
 * started if one of them is alive, and otherwise skipped, which makes its own edges dead in turn: so every join
 * learns of every inlet and none waits for a branch that was not taken (dead-path elimination, as in WS-BPEL 2.0).
 * A ready node starts at once; there are no rounds.
 */
import type { ApprovalEvents } from "../approvals/approval.ts";
import { encodeRefusal, RuntimeError, type ErrorData } from "../errors.ts";
import { checkJson, decodeJson, digestOf } from "../json.ts";
import type { FactOf, Request, Rules } from "../kernel.ts";
import type { LimitsState } from "../limits/fold.ts";
import { isSpilled } from "../payload/reference.ts";
import { checkPayload } from "../payload/check.ts";
import { checkLimits } from "../limits/rules.ts";
import type { TaskEvents, TaskParent } from "../tasks/task.ts";
import { MAX_ITEMS } from "./definition.ts";
import {
  nodeKey,
  type Execution,
  type NodeState,
  type Target,
  type WorkflowCommands,
  type WorkflowEvents,
} from "./execution.ts";
import { joinItems, type WorkflowsState } from "./fold.ts";
import { nodesOf } from "./nodes.ts";
import { createLookups, type Lookups } from "./lookups.ts";
import { planWorkflow, type PlannedNode } from "./plan.ts";
import { fillMap, startWork } from "./work.ts";

export interface WorkflowsView {
  readonly workflows: WorkflowsState;
  readonly limits: LimitsState;
}

type Heard = WorkflowEvents & TaskEvents & ApprovalEvents;
type WorkflowFact = FactOf<WorkflowEvents>;
type WorkflowRules = Rules<WorkflowsView, WorkflowCommands, WorkflowEvents, Heard>;

export function createWorkflowRules(): WorkflowRules {
  const lookups = createLookups();
  return { decide: decisions(lookups), react: reactions(lookups) };
}

function decisions(lookups: Lookups): WorkflowRules["decide"] {
  return {
    "workflow.register": ({ workflows }, { text }) => register(lookups, workflows, text),
    "execution.start": (view, data) => start(lookups, view, data),
    "execution.launch": (view, data) => {
      try {
        return start(lookups, view, data);
      } catch (error) {
        const { id, workflow } = data;
        return [{ type: "execution.refused", data: { id, workflow, error: encodeRefusal(error) } }];
      }
    },
    "execution.cancel": ({ workflows }, { id, reason = "cancelled" }) => {
      const execution = workflows.executions.get(id);
      if (!execution) return [];
      const data = { id, reason, ...openWork(workflows, execution) };
      return [{ type: "execution.cancelled", data }];
    },
    "execution.fail": ({ workflows }, { id, error }) => {
      const execution = workflows.executions.get(id);
      if (!execution) return [];
      const data = { id, error, ...openWork(workflows, execution) };
      return [{ type: "execution.failed", data }];
    },
    "execution.settle": ({ workflows }, { id }) => conclude(lookups, workflows, id),
    "node.settle": ({ workflows }, at) => settle(lookups, workflows, at),
    "node.complete": ({ workflows }, data) => complete(lookups, workflows, data),
    "node.fail": ({ workflows }, { execution, node, error }) => {
      const state = workflows.nodes.get(nodeKey(execution, node));
      if (state?.status !== "running" && state?.status !== "pending") return [];
      return [{ type: "node.failed", data: { execution, node, error } }];
    },
    "map.fill": ({ workflows }, at) => fillMap(lookups, workflows, at),
  };
}

function reactions(lookups: Lookups): NonNullable<WorkflowRules["react"]> {
  const forget = ({ id, tasks = [], approvals = [], reason = "the run has ended" }: Ended): Request[] => {
    lookups.scopes.forget(id);
    return [
      ...tasks.map((task) => ({ type: "task.cancel", data: { id: task, reason } })),
      ...approvals.map((approval) => ({ type: "approval.cancel", data: { id: approval, reason } })),
    ];
  };
  return {
    "execution.started": (_view, { id, roots }) => settleAll(id, roots),
    "node.started": ({ workflows }, data) => startWork(lookups, workflows, data),
    "map.filled": ({ workflows }, data) => startWork(lookups, workflows, data),
    "node.completed": (_view, { execution, taken, dead }) => [
      ...settleAll(execution, taken),
      ...settleAll(execution, dead),
      { type: "execution.settle", data: { id: execution } },
    ],
    "node.skipped": (_view, { execution, dead }) => [
      ...settleAll(execution, dead),
      { type: "execution.settle", data: { id: execution } },
    ],
    "node.failed": (_view, { execution, node, error }) => [
      { type: "execution.fail", data: { id: execution, node, error } },
    ],
    "execution.completed": (_view, data) => forget(data),
    "execution.failed": (_view, data) => forget(data),
    "execution.cancelled": (_view, data) => forget(data),
    "task.completed": ({ workflows }, { parent }) => (parent ? workEnded(workflows, parent) : []),
    "task.failed": ({ workflows }, { parent, retryAt, error }) =>
      parent && retryAt === undefined ? workFailed(lookups, workflows, parent, error) : [],
    "task.cancelled": ({ workflows }, { parent, reason }) =>
      parent ? workFailed(lookups, workflows, parent, cancelled(reason)) : [],
    "approval.decided": ({ workflows }, data) => approvalDecided(lookups, workflows, data),
  };
}

interface Ended {
  readonly id: string;
  readonly tasks?: readonly string[];
  readonly approvals?: readonly string[];
  readonly reason?: string;
}

function settleAll(execution: string, targets: readonly Target[]): Request[] {
  return targets.map(([node]) => ({ type: "node.settle", data: { execution, node } }));
}

function register(lookups: Lookups, state: WorkflowsState, text: string): WorkflowFact[] {
  checkJson(text, "workflow");
  const plan = planWorkflow(decodeJson(text, "workflow"));
  const { workflow } = plan;
  const version = digestOf(text);
  lookups.keep(state, version, plan);
  if (state.active.get(workflow.id)?.version === version) return [];
  const nodes = workflow.nodes.map(({ id }) => id);
  return [{ type: "workflow.registered", data: { workflow: workflow.id, version, text, nodes } }];
}

function start(
  lookups: Lookups,
  { workflows: state, limits }: WorkflowsView,
  { id, workflow, input, version, priority = "medium" }: WorkflowCommands["execution.start"],
): WorkflowFact[] {
  if (id.includes("/")) throw new RuntimeError("command/invalid", { id, reason: "'/' parts a run from its nodes" });
  if (state.executions.has(id)) throw new RuntimeError("execution/duplicate", { id });
  checkPayload(input, id, "input");
  const pinned = version ?? state.active.get(workflow)?.version;
  if (pinned === undefined || !state.versions.has(`${workflow}@${pinned}`))
    throw new RuntimeError("workflow/unknown", { workflow, ...(pinned !== undefined && { version: pinned }) });
  const { nodes, roots } = lookups.planOf(state, workflow, pinned);
  for (const { node } of nodes.values()) {
    if (node.type === "task") checkLimits(limits, node.limits);
    if (node.type === "map") checkLimits(limits, node.task.limits);
  }
  const total = nodes.size;
  return [
    {
      type: "execution.started",
      data: { id, workflow, version: pinned, input, priority, total, roots },
    },
  ];
}

/** Starts or skips a node as soon as its inlets say which. */
function settle(
  lookups: Lookups,
  state: WorkflowsState,
  { execution, node }: WorkflowCommands["node.settle"],
): WorkflowFact[] {
  const reached = state.nodes.get(nodeKey(execution, node));
  const run = state.executions.get(execution);
  if (!run || reached?.status !== "pending") return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node);
  if (!planned) return [];
  const ready = readiness(planned, reached);
  if (ready === "wait") return [];
  const kind = planned.node.type;
  if (ready === "skip") return [{ type: "node.skipped", data: { execution, node, kind, dead: targetsOf(planned) } }];
  if (planned.node.type !== "map") return [{ type: "node.started", data: { execution, node, kind } }];
  const total = countItems(lookups, state, run, planned);
  if (typeof total !== "number") return [{ type: "node.failed", data: { execution, node, error: total } }];
  return [{ type: "node.started", data: { execution, node, kind, total } }];
}

function readiness({ node, inlets }: PlannedNode, { live, dead }: NodeState): "start" | "skip" | "wait" {
  const mode = node.type === "join" ? node.mode : "all";
  if (mode === "all") {
    if (live + dead < inlets) return "wait";
    return live > 0 || inlets === 0 ? "start" : "skip";
  }
  const needed = mode === "any" ? 1 : mode;
  if (live >= needed) return "start";
  return inlets - dead < needed ? "skip" : "wait";
}

function countItems(
  { scopes }: Lookups,
  state: WorkflowsState,
  execution: Execution,
  { node, expressions }: PlannedNode,
): number | ErrorData {
  const { items } = expressions;
  if (!items) return 0;
  try {
    const list = scopes.evaluate(state, execution, items);
    if (!Array.isArray(list))
      throw new RuntimeError("expression/failed", { node: node.id, expected: "a list of items" });
    if (list.length > MAX_ITEMS)
      throw new RuntimeError("runtime/limit", { node: node.id, items: list.length, limit: MAX_ITEMS });
    return list.length;
  } catch (error) {
    return encodeRefusal(error, "expression/failed");
  }
}

/** Ends a node well: its conditions say which edges are taken; the others are dead. */
function complete(
  lookups: Lookups,
  state: WorkflowsState,
  { execution, node, output }: WorkflowCommands["node.complete"],
): WorkflowFact[] {
  const run = state.executions.get(execution);
  const reached = state.nodes.get(nodeKey(execution, node));
  if (!run || reached?.status !== "running") return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node);
  if (!planned) return [];
  const items = (): string | undefined =>
    reached.total === undefined ? reached.output : joinItems(state.items, execution, node, reached.total);
  try {
    const taken = choose(lookups, state, run, planned, () => output ?? items());
    const chosen = new Set(taken);
    const dead = targetsOf(planned).filter((target) => !chosen.has(target));
    const brought = output === undefined ? {} : { output };
    return [{ type: "node.completed", data: { execution, node, ...brought, taken, dead } }];
  } catch (error) {
    const data = { execution, node, error: encodeRefusal(error, "expression/failed") };
    return [{ type: "node.failed", data }];
  }
}

function choose(
  { scopes }: Lookups,
  state: WorkflowsState,
  run: Execution,
  { node, outs }: PlannedNode,
  output: () => string | undefined,
): Target[] {
  const first = node.type === "decision" && node.mode === "first";
  const taken: Target[] = [];
  for (const { target, when } of outs) {
    if (!when) {
      if (!first) taken.push(target);
      continue;
    }
    const holds = scopes.evaluate(state, run, when, { ending: { node: node.id, output } });
    if (typeof holds !== "boolean")
      throw new RuntimeError("expression/failed", {
        edge: `${node.id} → ${target[0]}`,
        when: when.source,
        expected: "true or false",
      });
    if (holds) taken.push(target);
    if (holds && first) return taken;
  }
  const fallback = first ? outs.find(({ when }) => !when) : undefined;
  return fallback ? [fallback.target] : taken;
}

function targetsOf({ outs }: PlannedNode): Target[] {
  return outs.map(({ target }) => target);
}

/** Ends the run well when every node is completed or skipped. */
function conclude(lookups: Lookups, state: WorkflowsState, id: string): WorkflowFact[] {
  const run = state.executions.get(id);
  if (!run || run.resolved < run.total) return [];
  const { output, sinks } = lookups.planOf(state, run.workflow, run.version);
  try {
    const text = output ? lookups.scopes.evaluateText(state, run, output) : sinkOutput(state, id, sinks);
    return [{ type: "execution.completed", data: { id, output: text } }];
  } catch (error) {
    const data = encodeRefusal(error, "expression/failed");
    return [{ type: "execution.failed", data: { id, error: data, tasks: [], approvals: [] } }];
  }
}

function sinkOutput({ nodes }: WorkflowsState, id: string, sinks: readonly string[]): string {
  const outputOf = (node: string): string => nodes.get(nodeKey(id, node))?.output ?? "null";
  if (sinks.length === 1) return outputOf(sinks[0] ?? "");
  for (const node of sinks) if (!isSpilled(outputOf(node))) decodeJson(outputOf(node), node); // a text that isn't JSON could pass for another node's output
  return `{${sinks.map((node) => `${JSON.stringify(node)}:${outputOf(node)}`).join(",")}}`;
}

/** What still runs of an execution that ends early. */
function openWork(state: WorkflowsState, execution: Execution): { tasks: string[]; approvals: string[] } {
  const tasks: string[] = [];
  const approvals: string[] = [];
  for (const node of nodesOf(state, execution)) {
    if (node.status !== "running" && node.status !== "failed") continue;
    if (node.kind === "task") tasks.push(node.id);
    if (node.kind === "approval") approvals.push(node.id);
    for (let index = 0; index < (node.begun ?? 0); index++) {
      const item = `${node.id}/${String(index)}`;
      if (!state.items.has(item)) tasks.push(item);
    }
  }
  return { tasks, approvals };
}

function workEnded({ nodes }: WorkflowsState, { execution, node, index }: TaskParent): Request[] {
  if (index === undefined) return [{ type: "node.complete", data: { execution, node } }];
  const state = nodes.get(nodeKey(execution, node));
  const type = state && state.done === state.total ? "node.complete" : "map.fill";
  return [{ type, data: { execution, node } }];
}

function workFailed(lookups: Lookups, state: WorkflowsState, parent: TaskParent, error: ErrorData): Request[] {
  const { execution, node, index } = parent;
  const run = state.executions.get(execution);
  if (!run) return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node)?.node;
  if (index !== undefined && planned?.type === "map" && planned.onError === "collect") return workEnded(state, parent);
  return [{ type: "node.fail", data: { execution, node, error } }];
}

function cancelled(reason: string): ErrorData {
  return { name: "RuntimeError", message: reason, code: "task/cancelled", retryable: false };
}

function approvalDecided(
  lookups: Lookups,
  state: WorkflowsState,
  { approved, by, reason, data, parent }: ApprovalEvents["approval.decided"],
): Request[] {
  if (!parent) return [];
  const { execution, node } = parent;
  const run = state.executions.get(execution);
  if (!run) return [];
  const planned = lookups.planOf(state, run.workflow, run.version).nodes.get(node)?.node;
  if (!approved && planned?.type === "approval" && planned.onReject === "fail") {
    const message = `rejected by ${by}${reason === undefined ? "" : `: ${reason}`}`;
    const error = { name: "RuntimeError", message, code: "approval/rejected", detail: { by } };
    return [{ type: "node.fail", data: { execution, node, error } }];
  }
  const answer = JSON.stringify({ approved, by, reason: reason ?? null });
  const output = `${answer.slice(0, -1)},"data":${data ?? "null"}}`;
  return [{ type: "node.complete", data: { execution, node, output } }];
}
