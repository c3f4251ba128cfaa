/**
 * Calls that few pages make: all of it is loaded with the first one. Each takes the connection, what the handle adds, and
 * then what the page gives.
 */
import type { Connection } from "./connection.ts";
import { askAgain } from "./dead-letters.ts";
import { retryFrom as retry } from "./retrying.ts";
import { loadText } from "./payloads.ts";
import { spilledText } from "./views.ts";
import type { RetryOptions, Runtime } from "./runtime.ts";

export {
  archivedExecution as execution,
  archivedTask as task,
  listArchive as list,
  readBytes as read,
  writeBytes as write,
} from "./archive.ts";
export { decide, delegate, identify, registerApprover } from "./approving.ts";
export { exportLog, onAnchor, verifyLog } from "./audit.ts";
export { registerCapability, unregisterCapability } from "./capabilities.ts";
export { listDeadLetters as deadLetters } from "./dead-letters.ts";
export { explain, whyWaiting } from "./explaining.ts";
export { deadMessages, define, receive, replay, sendMessage, subscribe, take, unsubscribe } from "./mail.ts";
export { deleteSecret, listSecrets, setSecret } from "./secrets.ts";
export { progress } from "./progress.ts";
export { migrate, nextFireTimes, publish, rollback, schedule, schedules, unschedule, versions } from "./timing.ts";

export async function requeue(
  connection: Connection,
  createTask: Runtime["createTask"],
  ...asked: Parameters<Runtime["requeue"]>
): Promise<string> {
  return createTask(await askAgain(connection, ...asked));
}

/** The payload that a view shows as a reference; any other value as it is. */
export function load(connection: Connection, value: unknown): Promise<unknown> {
  const text = spilledText(value);
  return text === undefined ? Promise.resolve(value) : loadText(connection, text, "payload");
}

export function retryFrom(
  connection: Connection,
  createId: () => string,
  execution: string,
  options?: RetryOptions,
): Promise<string> {
  return retry(connection, createId(), execution, options);
}
