/** Tasks that come before others: who waits for whom, and how far a waiting one's condition is. */
import type { Table } from "../kernel.ts";
import type { After } from "./order.ts";

/** How many of the tasks that come before have ended, and how many of these well. */
export interface GateCounts {
  readonly ended: number;
  readonly succeeded: number;
}

/** The condition of a pending task. */
export interface Gate extends GateCounts {
  readonly id: string;
  /** Different tasks that come before. */
  readonly total: number;
  /** So many must end well; undefined: all must end, however. */
  readonly needed: number | undefined;
}

export interface Gates {
  readonly gates: Table<Gate>;
  /** Pending tasks by the id of a task that comes before; an index of the gates, not saved. */
  readonly dependents: Map<string, Set<string>>;
}

/** open: not decided yet · passed: the condition holds · closed: it can't come true any more. */
export function gateStatus({ total, needed, ended, succeeded }: Omit<Gate, "id">): "open" | "passed" | "closed" {
  if (needed === undefined) return ended === total ? "passed" : "open";
  if (succeeded >= needed) return "passed";
  return succeeded + total - ended < needed ? "closed" : "open";
}

/** How many must end well, by `when`. */
export function neededOf({ when = "all", tasks }: Pick<After, "when" | "tasks">): number | undefined {
  if (when === "done") return undefined;
  if (when === "all") return tasks.length;
  return when === "any" ? 1 : when;
}

export function addGate({ gates, dependents }: Gates, gate: Gate, tasks: readonly string[]): void {
  gates.set(gate.id, gate);
  for (const before of tasks) {
    const waiting = dependents.get(before);
    if (waiting) waiting.add(gate.id);
    else dependents.set(before, new Set([gate.id]));
  }
}

/** The task is pending no more. Costs as much as it has tasks before it. */
export function dropGate({ gates, dependents }: Gates, id: string, tasks: readonly string[]): void {
  gates.delete(id);
  for (const before of tasks) {
    const waiting = dependents.get(before);
    waiting?.delete(id);
    if (waiting?.size === 0) dependents.delete(before);
  }
}

/** A task has ended: those that wait for it count that. Costs as much as there are of these. */
export function countEnd({ gates, dependents }: Gates, id: string, well: boolean): void {
  for (const waiting of dependents.get(id) ?? []) {
    const gate = gates.get(waiting);
    if (gate) gates.set(waiting, { ...gate, ended: gate.ended + 1, succeeded: gate.succeeded + (well ? 1 : 0) });
  }
}
