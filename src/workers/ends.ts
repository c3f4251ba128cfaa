import type { CoreEvent } from "../core/runtime.ts";

/** The task that the event ends. Not asked of the live state, which may be ahead of what is durable. */
export function endedBy({ type, data }: CoreEvent): string | undefined {
  const isEnd =
    type === "task.completed" ||
    type === "task.cancelled" ||
    type === "task.skipped" ||
    (type === "task.failed" && data.retryAt === undefined);
  return isEnd ? data.id : undefined;
}
