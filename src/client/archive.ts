/** Bytes beside the journal, and what has finished. Loaded with the first call. */
import { decodeJson } from "../core/json.ts";
import type { BlobRef } from "../core/plugin.ts";
import type { ArchivePage, ArchiveQuery, ArchiveRow } from "../core/ports.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Execution } from "../core/workflows/execution.ts";
import type { Connection } from "./connection.ts";
import type { ExecutionView, TaskView } from "./runtime.ts";
import { viewExecution, viewTask } from "./views.ts";

type Asker = Pick<Connection, "ask">;

export async function writeBytes({ ask }: Asker, owner: string, bytes: Uint8Array): Promise<BlobRef> {
  return (await ask({ type: "blob.write", owner, bytes })) as BlobRef;
}

export async function readBytes({ ask }: Asker, { blob, size, offset = 0 }: BlobRef): Promise<Uint8Array> {
  return (await ask({ type: "blob.read", blob, offset, size })) as Uint8Array;
}

async function row({ ask }: Asker, id: string): Promise<ArchiveRow | undefined> {
  return (await ask({ type: "archived", id })) as ArchiveRow | undefined;
}

export async function archivedTask(asker: Asker, id: string): Promise<TaskView | undefined> {
  const found = await row(asker, id);
  return found?.kind === "task" ? viewTask(decodeJson(found.text) as Task) : undefined;
}

export async function archivedExecution(asker: Asker, id: string): Promise<ExecutionView | undefined> {
  const found = await row(asker, id);
  if (found?.kind !== "execution") return undefined;
  return viewExecution(decodeJson(found.text) as Execution, () => []);
}

export async function listArchive({ ask }: Asker, query: ArchiveQuery = {}): Promise<ArchivePage> {
  return (await ask({ type: "archive", ...query })) as ArchivePage;
}
