/** Bytes beside the journal, and what has finished. */
import { decodeJson } from "../core/json.ts";
import type { BlobRef } from "../core/plugin.ts";
import type { ArchivePage, ArchiveRow } from "../core/ports.ts";
import type { Task } from "../core/tasks/task.ts";
import type { Execution } from "../core/workflows/execution.ts";
import type { Connection } from "./connection.ts";
import type { Runtime } from "./runtime.ts";
import { viewExecution, viewTask } from "./views.ts";

export function createBlobs(connection: Connection): Runtime["blobs"] {
  return {
    async write(owner, bytes): Promise<BlobRef> {
      return (await connection.ask({ type: "blob.write", owner, bytes })) as BlobRef;
    },
    async read({ blob, size, offset = 0 }) {
      return (await connection.ask({ type: "blob.read", blob, offset, size })) as Uint8Array;
    },
  };
}

export function createArchive(connection: Connection): Runtime["archive"] {
  const row = async (id: string): Promise<ArchiveRow | undefined> =>
    (await connection.ask({ type: "archived", id })) as ArchiveRow | undefined;
  return {
    async task(id) {
      const found = await row(id);
      return found?.kind === "task" ? viewTask(decodeJson(found.text) as Task) : undefined;
    },
    async execution(id) {
      const found = await row(id);
      if (found?.kind !== "execution") return undefined;
      return viewExecution(decodeJson(found.text) as Execution, () => []);
    },
    async list(query = {}) {
      return (await connection.ask({ type: "archive", ...query })) as ArchivePage;
    },
  };
}
