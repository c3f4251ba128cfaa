/** What becomes of commands about workflows and their runs, and what follows from what has happened. */
import type { ApprovalEvents } from "../approvals/approval.ts";
import { encodeRefusal, RuntimeError, type ErrorData } from "../errors.ts";
import { decodeJson } from "../json.ts";
import type { Request, Rules } from "../kernel.ts";
import type { LimitsState } from "../limits/fold.ts";
import { isSpilled } from "../payload/reference.ts";
import { checkPayload } from "../payload/check.ts";
import type { MessageEvents } from "../messages/message.ts";
import type { TimerEvents } from "../timers/timer.ts";
import { measure, type MeterEvents } from "../tasks/meters.ts";
import type { TaskEvents, TaskParent } from "../tasks/task.ts";
import {
  nodeKey,
  rootOf,
  undoKey,
  type Execution,
  type OpenWork,
  type Target,
  type WorkflowCommands,
  type WorkflowEvents,
} from "./execution.ts";
import { compensate, endEarly, undoEnded, undoTask } from "./compensation.ts";
import { placeOf, type WorkflowFact } from "./edges.ts";
import { failNode, restart } from "./failures.ts";
import { cancelled, type WorkflowsState } from "./fold.ts";
import { askedIn, checkGiven, type Asked } from "./given.ts";
import type { Graph } from "./graph.ts";
import { createLookups, type Lookups } from "./lookups.ts";
import { turnLoop } from "./loops.ts";
import { afterMigration, migrate } from "./migration.ts";
import { askMonitor, askWatchers, measuresOf } from "./monitors.ts";
import { afterPause, afterResume, pause, resume, type PausingView } from "./pausing.ts";
import { pinsOf } from "./pins.ts";
import { register, type RegistrationView } from "./registration.ts";
import { rollback } from "./versions.ts";
import { complete, settle, skip } from "./tokens.ts";
import { waitReactions } from "./waiting.ts";
import { recordedOf } from "./retry.ts";
import { initialValues } from "./variables.ts";
import { delayTimer, fillMap, startWork } from "./work.ts";

export interface WorkflowsView extends RegistrationView, PausingView {
  readonly limits: LimitsState;
}

type Heard = WorkflowEvents & TaskEvents & MeterEvents & ApprovalEvents & TimerEvents & MessageEvents;
type WorkflowRules = Rules<WorkflowsView, WorkflowCommands, WorkflowEvents, Heard>;

export function createWorkflowRules(): WorkflowRules {
  const lookups = createLookups();
  return { decide: decisions(lookups), react: reactions(lookups) };
}

function decisions(lookups: Lookups): WorkflowRules["decide"] {
  return {
    "workflow.register": (view, data) => register(lookups, view, data),
    "workflow.rollback": ({ workflows }, data) => rollback(workflows, data),
    "execution.migrate": ({ workflows, limits }, data) => migrate(lookups, workflows, limits, data),
    "execution.start": (view, data, env) =>
      start(lookups, view, data, (graph) => askedIn(graph, data.input, env.calendar)),
    "execution.launch": (view, data) => {
      try {
        return start(lookups, view, data);
      } catch (error) {
        const { id, workflow } = data;
        return [{ type: "execution.refused", data: { id, workflow, error: encodeRefusal(error) } }];
      }
    },
    "execution.retry": (view, data) => {
      const { of: retriedFrom, id, workflow, version, input, priority } = data;
      return start(lookups, view, { id, workflow, version, input, priority }, (graph) => ({
        retriedFrom,
        recorded: recordedOf(graph, data),
      }));
    },
    "item.recall": ({ workflows }, parent) => {
      const node = workflows.nodes.get(nodeKey(parent.execution, parent.node));
      return node?.status === "running" ? [{ type: "item.recalled", data: parent }] : [];
    },
    "execution.spawn": ({ workflows }, data) => spawn(lookups, workflows, data),
    "execution.cancel": ({ workflows }, { id, reason, handUp }) => endEarly(workflows, id, { reason }, handUp),
    "execution.compensate": ({ workflows }, data) => compensate(workflows, data),
    "compensation.end": ({ workflows }, data) =>
      workflows.undos.has(undoKey(data.id, data.undo)) ? [{ type: "compensation.ended", data }] : [],
    "execution.pause": (view, data) => pause(view, data),
    "execution.resume": (view, data) => resume(lookups, view, data),
    "execution.settle": ({ workflows }, { id }) => conclude(lookups, workflows, id),
    "execution.stall": ({ workflows }, data) =>
      workflows.executions.has(data.id) ? [{ type: "execution.stalled", data }] : [],
    "execution.move": (_view, data) => [{ type: "execution.moved", data }],
    "node.settle": ({ workflows }, at) => settle(lookups, workflows, at),
    "node.complete": ({ workflows }, data) => complete(lookups, workflows, data),
    "node.fail": ({ workflows }, data) => failNode(lookups, workflows, data),
    "node.restart": ({ workflows }, at) => restart(lookups, workflows, at),
    "node.skip": ({ workflows }, at) => skip(lookups, workflows, at),
    "loop.turn": (view, at) => turnLoop(lookups, view, at),
    "monitor.ask": ({ workflows, tasks }, at, { now }) => askMonitor(lookups, { workflows, tasks }, at, now),
    "map.fill": ({ workflows }, at) => fillMap(lookups, workflows, at),
  };
}

type Reactions = NonNullable<WorkflowRules["react"]>;

function reactions(lookups: Lookups): Reactions {
  return { ...toNodes(lookups), ...toRuns(lookups), ...toWork(lookups) };
}

function toNodes(lookups: Lookups): Reactions {
  const begin: Begin = ({ workflows }, data) => startWork(lookups, workflows, data);
  const travel = (execution: string, ...targets: readonly (readonly Target[])[]): Request[] => {
    const requests: Request[] = [];
    for (const some of targets)
      for (const [node] of some) requests.push({ type: "node.settle", data: { execution, node } });
    requests.push({ type: "execution.settle", data: { id: execution } });
    return requests;
  };
  return {
    "execution.started": (_view, { id, roots }) => travel(id, roots).slice(0, -1),
    "execution.migrated": (_view, data) => afterMigration(data),
    "node.started": begin,
    "map.filled": begin,
    "loop.turned": begin,
    "graph.appended": begin,
    "workflow.registered": ({ workflows }, { workflow, version }) =>
      measuresOf(lookups.planOf(workflows, workflow, version)).map(measure),
    "meter.asked": ({ tasks }, { id }) => askWatchers(tasks.meters, id),
    "item.recalled": ({ workflows }, parent) => workEnded(workflows, parent),
    "node.retried": (view, { execution, node, error: _error, round, total: _total, delay, ...open }) => [
      ...stopAll(open, `the node '${node}' begins anew`),
      ...(delay === undefined ? begin(view, { execution, node }) : [delayTimer({ execution, node, round }, delay)]),
    ],
    "node.restarted": begin,
    "node.completed": (_view, data) => {
      const onward = travel(data.execution, data.taken, data.dead);
      if (!data.tasks) return onward; // nothing of it runs any more
      return [...stopAll(data, `the node '${data.node}' has ended`), ...onward];
    },
    "node.skipped": (_view, { execution, dead }) => travel(execution, dead),
    "node.failed": (_view, { execution, node, error: _error, taken, dead = [], ...open }) => {
      if (!taken) return []; // its run has failed with it
      return [...stopAll(open, `the node '${node}' has failed`), ...travel(execution, taken, dead)];
    },
    "execution.resumed": (view, data) => [
      ...data.restarted.flatMap(([node, index]) =>
        begin(view, {
          ...{ execution: data.id, node },
          ...(index !== undefined && { from: index, to: index + 1, index }),
        }),
      ),
      ...afterResume(view, data),
    ],
  };
}

function toRuns(lookups: Lookups): Reactions {
  return {
    "execution.paused": (_view, data) => afterPause(data),
    "execution.compensating": (_view, { id, error: _error, reason: _reason, ...open }) => {
      lookups.scopes.forget(id);
      const stopped = stopAll(open, "the run has ended");
      return [...stopped, { type: "execution.compensate", data: { id } }];
    },
    "compensation.started": ({ workflows }, { id, undo }) => undoTask(lookups, workflows, id, undo),
    "compensation.ended": (_view, { id }) => [{ type: "execution.compensate", data: { id } }],
    "execution.completed": ({ workflows }, { id, parent }) => {
      lookups.scopes.forget(id);
      return parent ? workEnded(workflows, parent) : [];
    },
    "execution.failed": ({ workflows }, { id, parent, error, ...open }) => {
      lookups.scopes.forget(id);
      const inner = error.detail?.["nodePath"];
      const path = typeof inner === "string" ? inner : undefined;
      const up = parent ? workFailed(lookups, workflows, parent, error, path) : [];
      return [...stopAll(open, "the run has ended"), ...up];
    },
    "execution.cancelled": ({ workflows }, { id, parent, reason, ...open }) => {
      lookups.scopes.forget(id);
      const error = cancelled("execution/cancelled", reason);
      return [...stopAll(open, reason), ...(parent ? workFailed(lookups, workflows, parent, error) : [])];
    },
  };
}

function toWork(lookups: Lookups): Reactions {
  return {
    "task.assigned": ({ workflows, tasks }, { id }) => {
      const { parent } = tasks.tasks.get(id) ?? {};
      const run = parent && rootOf(parent.execution);
      return run !== undefined && workflows.executions.get(run)?.stalled
        ? [{ type: "execution.move", data: { id: run } }]
        : [];
    },
    "task.completed": ({ workflows }, { parent }) => {
      if (!parent) return [];
      return parent.undo === undefined ? workEnded(workflows, parent) : undoEnded(parent);
    },
    "task.failed": ({ workflows }, { parent, retryAt, error }) =>
      parent && retryAt === undefined ? workFailed(lookups, workflows, parent, error) : [],
    "task.cancelled": ({ workflows }, { parent, reason }) =>
      parent ? workFailed(lookups, workflows, parent, cancelled("task/cancelled", reason)) : [],
    "approval.decided": ({ workflows }, data) => approvalDecided(lookups, workflows, data),
    ...waitReactions(lookups),
  };
}

type Begin = (view: WorkflowsView, data: Parameters<typeof startWork>[2]) => Request[];

function stopAll(
  { tasks = [], approvals = [], children = [], timers = [], waits = [] }: Partial<OpenWork>,
  reason: string,
): Request[] {
  return [
    ...timers.map((id) => ({ type: "timer.cancel", data: { id, reason } })),
    ...waits.flatMap((id) => [
      { type: "wait.cancel", data: { id, reason } },
      { type: "meter.leave", data: { id } },
    ]),
    ...tasks.map((id) => ({ type: "task.cancel", data: { id, reason } })),
    ...approvals.map((id) => ({ type: "approval.cancel", data: { id, reason } })),
    ...children.map((id) => ({ type: "execution.cancel", data: { id, reason, handUp: true } })),
  ];
}

function parentOf({ parent }: Execution): { readonly parent?: TaskParent } {
  return parent ? { parent } : {};
}

function start(
  lookups: Lookups,
  { workflows: state, limits }: WorkflowsView,
  { id, workflow, input, version, ...options }: WorkflowCommands["execution.start"],
  more: (graph: Graph) => Asked & Pick<WorkflowEvents["execution.started"], "retriedFrom" | "recorded"> = () => ({}),
): WorkflowFact[] {
  if (id.includes("/")) throw new RuntimeError("command/invalid", { id, reason: "'/' parts a run from its nodes" });
  if (state.executions.has(id)) throw new RuntimeError("execution/duplicate", { id });
  checkPayload(input, id, "input");
  const pinned = version ?? state.active.get(workflow)?.version;
  if (pinned === undefined || !state.versions.has(`${workflow}@${pinned}`))
    throw new RuntimeError("workflow/unknown", { workflow, ...(pinned !== undefined && { version: pinned }) });
  const pins = pinsOf(lookups, state, limits, { workflow, version: pinned });
  const graph = lookups.planOf(state, workflow, pinned);
  checkGiven(graph, workflow, input);
  const { priority = "medium", ...asked } = { ...more(graph), ...options };
  return [begun(graph, { id, workflow, version: pinned, input, priority, ...asked, ...(pins && { pins }) })];
}

/** Begins a run within a run, for a node that waits for it. */
function spawn(lookups: Lookups, state: WorkflowsState, data: WorkflowCommands["execution.spawn"]): WorkflowFact[] {
  const { id, workflow, version, parent } = data;
  const node = state.nodes.get(nodeKey(parent.execution, parent.node));
  const { status } = state.executions.get(parent.execution) ?? {};
  if (node?.status !== "running" || status === "compensating" || state.executions.has(id)) return [];
  return [begun(lookups.planOf(state, workflow, version), data)];
}

function begun(
  { nodes, roots, declared }: Graph,
  data: Omit<WorkflowEvents["execution.started"], "total" | "roots" | "variables">,
): WorkflowFact {
  const variables = initialValues(declared);
  return {
    type: "execution.started",
    data: { ...data, total: nodes.size, roots, ...(variables && { variables }) },
  };
}

/** Ends the run well when every node is completed or skipped. */
function conclude(lookups: Lookups, state: WorkflowsState, id: string): WorkflowFact[] {
  const run = state.executions.get(id);
  if (!run || run.resolved < run.total || run.status === "compensating") return [];
  const { output, sinks } = lookups.planOf(state, run.workflow, run.version);
  const up = parentOf(run);
  try {
    const text = output ? lookups.scopes.evaluateText(state, run, output) : sinkOutput(state, id, sinks);
    if (up.parent?.index !== undefined && !isSpilled(text)) decodeJson(text, id); // it becomes a part of a list
    return [{ type: "execution.completed", data: { id, output: text, ...up } }];
  } catch (error) {
    const flaw = encodeRefusal(error, "expression/failed");
    return [{ type: "execution.failed", data: { id, error: flaw, ...up, tasks: [], approvals: [] } }];
  }
}

function sinkOutput({ nodes }: WorkflowsState, id: string, sinks: readonly string[]): string {
  const outputOf = (node: string): string => {
    const ended = nodes.get(nodeKey(id, node));
    return (ended?.status === "completed" ? ended.output : undefined) ?? "null";
  };
  if (sinks.length === 1) return outputOf(sinks[0] ?? "");
  for (const node of sinks) if (!isSpilled(outputOf(node))) decodeJson(outputOf(node), node); // a text that isn't JSON could pass for another node's output
  return `{${sinks.map((node) => `${JSON.stringify(node)}:${outputOf(node)}`).join(",")}}`;
}

function workEnded({ nodes }: WorkflowsState, { execution, node, index, round }: TaskParent): Request[] {
  const state = nodes.get(nodeKey(execution, node));
  if (state?.round !== round) return [];
  const data = { execution, node };
  if (index === undefined) return [{ type: "node.complete", data }];
  if (state?.kind === "loop" || state?.kind === "dynamic") return [{ type: "loop.turn", data }];
  return [{ type: state && state.done === state.total ? "node.complete" : "map.fill", data }];
}

/** `inner`: the path within the run that it was. */
function workFailed(
  lookups: Lookups,
  state: WorkflowsState,
  parent: TaskParent,
  error: ErrorData,
  inner?: string,
): Request[] {
  const { execution, node, index, round, undo } = parent;
  if (undo !== undefined) return undoEnded(parent, error);
  const place = placeOf(lookups, state, parent);
  if (!place || place.reached.round !== round) return [];
  const planned = place.planned.node;
  if (planned.type === "map" && planned.onError === "collect") return workEnded(state, parent);
  const path = [node, index, inner].filter((part) => part !== undefined).join("/");
  return [{ type: "node.fail", data: { execution, node, error, path } }];
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
