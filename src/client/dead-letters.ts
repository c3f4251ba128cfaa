/** Tasks that have failed for good, and how one is tried again. */
import { RuntimeError } from "../core/errors.ts";
import { decodeJson } from "../core/json.ts";
import type { ArchivePage, ArchiveRow } from "../core/ports.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Connection } from "./connection.ts";
import type { DeadLetterPage, DeadLetterQuery, TaskInput } from "./runtime.ts";
import { loadText } from "./payloads.ts";
import { viewTask } from "./views.ts";

type Asker = Pick<Connection, "ask">;

export async function listDeadLetters(
  { ask }: Asker,
  { type: task, ...query }: DeadLetterQuery = {},
): Promise<DeadLetterPage> {
  const asked = { type: "dead-letters", ...query, ...(task !== undefined && { task }) } as const;
  const { rows, next } = (await ask(asked)) as ArchivePage;
  return { tasks: rows.map(({ text }) => viewTask(decodeJson(text) as Task)), next };
}

/** What `createTask` takes to make the task again. @throws RuntimeError `task/unknown`, `task/finished` */
export async function askAgain(
  { ask }: Asker,
  id: string,
  changes: { readonly input?: unknown } = {},
): Promise<TaskInput> {
  const row = (await ask({ type: "archived", id })) as ArchiveRow | undefined;
  if (row?.kind !== "task") throw new RuntimeError("task/unknown", { id });
  const record = decodeJson(row.text, id) as Task;
  const { status, alias } = record;
  if (status === "completed" || alias !== undefined) throw new RuntimeError("task/finished", { id, status, alias });
  const input = "input" in changes ? changes.input : await loadText({ ask }, record.input, "input");
  return { ...askedAgain(record), input, requeuedFrom: id };
}

/** What the task asked for that still makes sense. */
function askedAgain(record: Task): TaskInput {
  const { secrets, capabilities, optional, specializations, agents, priority, fairness, limits, retry } = record;
  const { timeout, timeouts, type, title, description } = record;
  const asked = { secrets, optional, specializations, agents, priority, fairness, limits, retry, timeout, timeouts };
  const given = Object.entries({ ...asked, type, title, description }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), capabilities };
}
