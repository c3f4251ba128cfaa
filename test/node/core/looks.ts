/** What tests look at of the task `t`. */
import type { AgentsState } from "../../../src/core/agents/fold.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import type { Host } from "./kit.ts";

export const taskOf = (host: Host): Task | undefined => host.mirror.tasks.tasks.get("t");

/** Slots of the link that are taken. */
export const heldOn = ({ agents }: { readonly agents: AgentsState }, link = "a-1"): number | undefined =>
  agents.links.get(link)?.held;

/** The row that was archived last. */
export async function archivedTask(host: {
  readonly disk: { readonly archived: readonly { readonly text: string }[] };
}): Promise<Task> {
  await Promise.resolve();
  return JSON.parse(host.disk.archived.at(-1)?.text ?? "null") as Task;
}
