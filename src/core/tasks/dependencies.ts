/**
 * Tasks that come before others. A task can name only such that exist, so there is never a cycle: its tasks were
 * all made before it.
 */
import { RuntimeError, type ErrorData } from "../errors.ts";
import { endOf, resolveAlias, type Ends } from "./ends.ts";
import { failTask, type TaskFact } from "./failures.ts";
import type { TasksState } from "./fold.ts";
import { gateStatus, neededOf, type GateCounts } from "./gates.ts";
import type { After } from "./order.ts";
import type { Task } from "./task.ts";

/** The longest chain of ids that an error names. */
const MAX_CHAIN = 20;

/** What a new task waits for: the tasks by their real ids, each once, and how many of them are over already. */
export interface Entry {
  readonly after: After;
  readonly counts: GateCounts;
  readonly status: ReturnType<typeof gateStatus>;
}

/** @throws RuntimeError `task/dependency-unknown`, `command/invalid` */
export function enter({ tasks, ends }: TasksState, id: string, after: After): Entry {
  const before = [...new Set(after.tasks.map((named) => resolveAlias(ends, named)))];
  const named = { ...after, tasks: before };
  const needed = neededOf(named);
  if (needed !== undefined && needed > before.length)
    throw new RuntimeError("command/invalid", { id, at: "after.when", when: needed, tasks: before.length });
  let [ended, succeeded] = [0, 0];
  for (const dependency of before) {
    const live = tasks.get(dependency);
    if (live?.parent)
      throw new RuntimeError("task/dependency-unknown", { id, dependency, reason: "it belongs to a run" });
    if (live) continue;
    const end = endOf(ends, dependency);
    if (!end) throw new RuntimeError("task/dependency-unknown", { id, dependency });
    ended++;
    if (end.outcome === "completed") succeeded++;
  }
  const counts = { ended, succeeded };
  return { after: named, counts, status: gateStatus({ ...counts, total: before.length, needed }) };
}

/** The end of a task whose condition can't come true any more: it fails, or is skipped. */
export function close(ends: Ends, task: Pick<Task, "id" | "attempt" | "status" | "after">): TaskFact {
  const { id, after } = task;
  const cause = after?.tasks.find((before) => isBad(ends, before)) ?? "";
  const chain = chainOf(ends, cause);
  const detail = { dependency: cause, outcome: endOf(ends, cause)?.outcome ?? "unknown", chain };
  const way = chain.join(" ← ");
  if (after?.otherwise === "skip") {
    const error = errorOf("task/skipped", `not started, since a task before it has not succeeded: ${way}`, detail);
    return { type: "task.skipped", data: { id, error, cause } };
  }
  const error = errorOf("task/dependency-failed", `a task before it has not succeeded: ${way}`, detail);
  return failTask(task as Task, error, { cause });
}

function errorOf(code: string, message: string, detail: object): ErrorData {
  return { name: "RuntimeError", message, code, detail: { ...detail }, retryable: false };
}

function isBad(ends: Ends, id: string): boolean {
  const end = endOf(ends, id);
  return end !== undefined && end.outcome !== "completed";
}

/** The task that has not succeeded, the one that it failed for, and so on to the first. */
function chainOf(ends: Ends, first: string): string[] {
  const chain = [first];
  for (
    let next = endOf(ends, first)?.cause;
    next !== undefined && chain.length < MAX_CHAIN;
    next = endOf(ends, next)?.cause
  )
    chain.push(next);
  return chain;
}
