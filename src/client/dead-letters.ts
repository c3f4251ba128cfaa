/** Tasks that have failed for good, and how one is tried again. */
import { RuntimeError } from "../core/errors.ts";
import { decodeJson } from "../core/json.ts";
import type { ArchivePage, ArchiveRow } from "../core/ports.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Connection } from "./connection.ts";
import type { Runtime } from "./runtime.ts";
import { viewTask } from "./views.ts";

type Calls = Pick<Runtime, "deadLetters" | "requeue">;

export function createDeadLetters({ ask }: Pick<Connection, "ask">, createTask: Runtime["createTask"]): Calls {
  return {
    async deadLetters({ type: task, ...query } = {}) {
      const { rows, next } = (await ask({
        type: "dead-letters",
        ...query,
        ...(task !== undefined && { task }),
      })) as ArchivePage;
      return { tasks: rows.map(({ text }) => viewTask(decodeJson(text) as Task)), next };
    },
    async requeue(id, changes = {}) {
      const row = (await ask({ type: "archived", id })) as ArchiveRow | undefined;
      if (row?.kind !== "task") throw new RuntimeError("task/unknown", { id });
      const record = decodeJson(row.text, id) as Task;
      const { status, alias } = record;
      if (status === "completed" || alias !== undefined) throw new RuntimeError("task/finished", { id, status, alias });
      const input = "input" in changes ? changes.input : decodeJson(record.input, "input");
      return createTask({ ...askedAgain(record), input, requeuedFrom: id });
    },
  };
}

/** What the task asked for that still makes sense. */
function askedAgain(record: Task): Parameters<Runtime["createTask"]>[0] {
  const { capabilities, optional, specializations, agents, priority, fairness, limits, retry } = record;
  const { timeout, timeouts, type, title, description } = record;
  const asked = { optional, specializations, agents, priority, fairness, limits, retry, timeout, timeouts };
  const given = Object.entries({ ...asked, type, title, description }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), capabilities };
}
