/** A run as it is shown: of a live execution, or of one that has ended. */
import type { ErrorData, ExecutionView, MirrorState } from "../../src/index.ts";
import { count, counted } from "../page/format.ts";
import type { Graph } from "./graph.ts";

export type NodeState = ExecutionView["nodes"][number];
export type RunStatus = "starting" | "running" | "waiting" | "completed" | "failed" | "cancelled";

export interface Run {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly nodes: ReadonlyMap<string, NodeState>;
  /** File checks: the items of all maps. */
  readonly done: number;
  readonly total: number;
  readonly error: ErrorData | undefined;
  /** Where it failed. */
  readonly failedAt: string | undefined;
  readonly output: unknown;
  /** The open request to review, when there is one. */
  readonly approval: string | undefined;
}

/** Reads an execution; `mirror` tells whether a person is asked. */
export function runOf(execution: ExecutionView, mirror: Pick<MirrorState, "approvals">): Run {
  const nodes = new Map(execution.nodes.map((node) => [node.node, node]));
  const maps = execution.nodes.filter(({ kind }) => kind === "map");
  const approval = [...mirror.approvals.values()].find((one) => one.execution === execution.id);
  return {
    id: execution.id,
    name: nameOf(execution.input),
    status: statusOf(execution, approval !== undefined),
    startedAt: execution.startedAt,
    finishedAt: execution.finishedAt,
    nodes,
    done: maps.reduce((sum, { done = 0 }) => sum + done, 0),
    total: maps.reduce((sum, { total = 0 }) => sum + total, 0),
    error: execution.error,
    failedAt: execution.nodes.find(({ status }) => status === "failed")?.node,
    output: execution.output,
    approval: approval?.id,
  };
}

export const isOver = ({ status }: Run): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

function statusOf({ status, optimistic, nodes }: ExecutionView, asked: boolean): RunStatus {
  if (status === "paused") return "waiting";
  if (status === "compensating") return "running";
  if (status === "compensated" || status === "compensation-failed") return "failed";
  if (status !== "running") return status;
  if (optimistic === true || nodes.length === 0) return "starting";
  const busy = nodes.some((node) => node.status === "running" && node.kind !== "approval");
  return asked && !busy ? "waiting" : "running";
}

function nameOf(input: unknown): string {
  const name = typeof input === "object" && input !== null && "name" in input ? input.name : undefined;
  return typeof name === "string" && name !== "" ? name : "Unnamed code base";
}

/** One sentence on where the run is. */
export function phaseOf(run: Run, graph: Graph): string {
  switch (run.status) {
    case "starting":
      return "Starting";
    case "waiting":
      return "Waiting for your review";
    case "completed":
      return "The report is ready";
    case "failed":
      return "The audit failed";
    case "cancelled":
      return "The audit was cancelled";
    case "running":
      return runningPhase(run, graph);
  }
}

function runningPhase(run: Run, { nodes }: Graph): string {
  const active = nodes.filter(({ id }) => run.nodes.get(id)?.status === "running");
  const mapping = active.some(({ kind }) => kind === "map");
  if (mapping) return `${count(run.done)} of ${counted(run.total, "file check")} done`;
  const names = active.map(({ title }) => title);
  return names.length === 0 ? "Between two steps" : names.join(", ");
}

/** From 0 to 1: file checks weigh most, other steps a little each. */
export function fractionOf(run: Run, { nodes }: Graph): number {
  if (run.status === "completed") return 1;
  const steps = nodes.filter(({ kind }) => kind === "task" || kind === "approval" || kind === "map");
  if (steps.length === 0) return 0;
  const shares = steps.map(({ id, kind }) => shareOf(run.nodes.get(id), kind === "map" ? 6 : 1));
  const whole = shares.reduce((sum, { weight }) => sum + weight, 0);
  return shares.reduce((sum, { weight, done }) => sum + weight * done, 0) / whole;
}

function shareOf(node: NodeState | undefined, weight: number): { weight: number; done: number } {
  if (node?.status === "completed" || node?.status === "skipped") return { weight, done: 1 };
  const { done = 0, total = 0 } = node ?? {};
  return { weight, done: total === 0 ? 0 : done / total };
}
