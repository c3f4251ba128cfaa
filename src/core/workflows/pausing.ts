/** Pausing a run, and going on with it; also with one that stands still though it shouldn't. */
import type { ApprovalsState } from "../approvals/fold.ts";
import { RuntimeError } from "../errors.ts";
import type { Request } from "../kernel.ts";
import type { MessagesState } from "../messages/fold.ts";
import type { TasksState } from "../tasks/fold.ts";
import type { TimersState } from "../timers/fold.ts";
import {
  workKey,
  type Execution,
  type NodeState,
  type Restart,
  type WorkflowCommands,
  type WorkflowEvents,
} from "./execution.ts";
import { delayKey } from "./keys.ts";
import type { WorkflowFact } from "./edges.ts";
import type { WorkflowsState } from "./fold.ts";
import { nodesOf } from "./nodes.ts";
import { openWork, turnWork } from "./open-work.ts";
import { settle } from "./tokens.ts";
import type { Lookups } from "./lookups.ts";

export interface PausingView {
  readonly workflows: WorkflowsState;
  readonly tasks: TasksState;
  readonly approvals: ApprovalsState;
  readonly timers: TimersState;
  readonly messages: MessagesState;
}

function liveRun({ executions }: WorkflowsState, id: string): Execution {
  const run = executions.get(id);
  if (!run) throw new RuntimeError("execution/unknown", { id });
  return run;
}

/** @throws RuntimeError `execution/unknown` */
export function pause(
  { workflows }: PausingView,
  { id, interrupt }: WorkflowCommands["execution.pause"],
): WorkflowFact[] {
  const run = liveRun(workflows, id);
  if (run.status === "compensating" || (run.status === "paused" && !interrupt)) return [];
  const data = { id, ...(interrupt && { interrupt }), ...openWork(workflows, run) };
  return [{ type: "execution.paused", data }];
}

export function afterPause({
  tasks,
  children = [],
  timers = [],
  interrupt,
}: WorkflowEvents["execution.paused"]): Request[] {
  return [
    ...(interrupt ? tasks.map((id) => ({ type: "task.suspend", data: { id, reason: "the run is paused" } })) : []),
    ...timers.map((id) => ({ type: "timer.hold", data: { id } })),
    ...children.map((id) => ({ type: "execution.pause", data: { id, ...(interrupt && { interrupt }) } })),
  ];
}

/** @throws RuntimeError `execution/unknown` */
export function resume(
  lookups: Lookups,
  view: PausingView,
  { id }: WorkflowCommands["execution.resume"],
): WorkflowFact[] {
  const { workflows } = view;
  const run = liveRun(workflows, id);
  if (run.status === "compensating") return [];
  const nodes = nodesOf(workflows, run);
  const settled = nodes.filter((node) => isReady(lookups, workflows, run, node)).map(({ node }) => node);
  const restarted = nodes.flatMap((node) => lostWork(view, node));
  const open = openWork(workflows, run);
  const isStill = run.status !== "paused" && settled.length + restarted.length === 0;
  if (isStill && !open.children) return [];
  return [{ type: "execution.resumed", data: { id, settled, restarted, ...open } }];
}

function isReady(lookups: Lookups, state: WorkflowsState, run: Execution, { status, node }: NodeState): boolean {
  if (status !== "pending") return false;
  return settle(lookups, state, { execution: run.id, node }, true).length > 0;
}

/** Work of a running node that nobody has: neither a task, nor an approval, a timer, a wait, nor a run. */
function lostWork({ workflows, tasks, approvals, timers, messages }: PausingView, node: NodeState): Restart[] {
  const { kind, status, total, begun = 0, done = 0 } = node;
  if (status !== "running") return [];
  const id = workKey(node);
  const isThere = (work: string): boolean => tasks.tasks.has(work) || workflows.executions.has(work);
  if (node.delayed) return timers.timers.has(delayKey(id)) ? [] : [[node.node]];
  if (kind === "timer") return timers.timers.has(id) ? [] : [[node.node]];
  if (kind === "monitor") return tasks.meters.watchers.has(id) ? [] : [[node.node]];
  if (kind === "event") return messages.waits.has(id) ? [] : [[node.node]];
  if (kind === "approval") return approvals.approvals.has(id) ? [] : [[node.node]];
  if (kind === "loop" || kind === "dynamic")
    return turnWork(node).some((one) => !isThere(one)) ? [[node.node, done]] : [];
  if (total === undefined) return isThere(id) ? [] : [[node.node]];
  const indexes = Array.from({ length: begun }, (_none, index) => index);
  const lost = indexes.filter(
    (index) => !workflows.items.has(`${node.id}/${String(index)}`) && !isThere(`${id}/${String(index)}`),
  );
  return lost.map((index) => [node.node, index] as const);
}

/** A run that goes on: what waited is looked at again. */
export function afterResume(
  { workflows }: PausingView,
  { id: execution, settled, children = [], timers = [] }: WorkflowEvents["execution.resumed"],
): Request[] {
  const run = workflows.executions.get(execution);
  const running = run ? nodesOf(workflows, run).filter(({ status, delayed }) => status === "running" && !delayed) : [];
  const turned = running.flatMap(({ node, kind }): Request[] => {
    if (kind === "monitor") return [{ type: "monitor.ask", data: { execution, node } }];
    if (kind !== "map" && kind !== "loop" && kind !== "dynamic") return [];
    return [{ type: kind === "map" ? "map.fill" : "loop.turn", data: { execution, node } }];
  });
  return [
    ...settled.map((node) => ({ type: "node.settle", data: { execution, node } })),
    ...turned,
    ...timers.map((id) => ({ type: "timer.release", data: { id } })),
    ...children.map((id) => ({ type: "execution.resume", data: { id } })),
    { type: "execution.settle", data: { id: execution } },
  ];
}
