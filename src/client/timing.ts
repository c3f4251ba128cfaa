/** Messages for runs that wait, schedules, and versions of workflows. Loaded with the first call. */
import type { nextFireTimes as fireTimes } from "../calendar/cron.ts";
import { encodeJson, decodeJson } from "../core/json.ts";
import { MAX_INLINE } from "../core/payload/reference.ts";
import type { PageRequest } from "../core/protocol.ts";
import type { Schedule } from "../core/schedules/schedule.ts";
import type { WorkflowInput } from "../core/workflows/definition.ts";
import type { MigrationPreview } from "../core/workflows/migration.ts";
import type { VersionRecord } from "../core/workflows/versions.ts";
import type { Connection } from "./connection.ts";
import type { PublishOptions, ScheduleOptions, ScheduleView, VersionView } from "./timing-types.ts";

export async function nextFireTimes(_: Asker, ...args: Parameters<typeof fireTimes>): Promise<readonly number[]> {
  return (await import("../calendar/cron.ts")).nextFireTimes(...args); // larger than all the rest
}

type Asker = Pick<Connection, "command" | "outbox" | "ask">;

/** @throws RuntimeError `message/overflow`, `json/…`, `command/invalid` */
export async function publish(
  connection: Asker,
  name: string,
  payload: unknown = null,
  { key, ...options }: PublishOptions = {},
): Promise<void> {
  const data = {
    ...options,
    ...(key !== undefined && { key: String(key) }),
    name,
    payload: encodeJson(payload, "payload", MAX_INLINE),
  };
  return settle(connection, `message ${crypto.randomUUID()}`, { type: "message.publish", data });
}

/** @throws RuntimeError `schedule/invalid`, `workflow/unknown`, `json/…`, `command/invalid` */
export async function schedule(connection: Asker, { input = null, ...rest }: ScheduleOptions): Promise<void> {
  const data = { ...rest, input: encodeJson(input, "input", MAX_INLINE) };
  return settle(connection, `schedule ${rest.id}`, { type: "schedule.set", data });
}

/** @throws RuntimeError `schedule/unknown` */
export function unschedule(connection: Asker, id: string): Promise<void> {
  return settle(connection, `schedule ${id}`, { type: "schedule.remove", data: { id } });
}

export async function schedules({ ask }: Asker): Promise<readonly ScheduleView[]> {
  const list = (await ask({ type: "schedules" })) as readonly Schedule[];
  return list.map(({ input, ...rest }) => ({ ...rest, input: decodeJson(input, "input") }));
}

export async function versions({ ask }: Asker, workflow: string): Promise<readonly VersionView[]> {
  const list = (await ask({ type: "versions", workflow })) as readonly VersionRecord[];
  return list.map(({ text, ...rest }) => ({ ...rest, definition: decodeJson(text, workflow) as WorkflowInput }));
}

/** @throws RuntimeError `workflow/unknown` */
export function rollback(connection: Asker, workflow: string, version: string): Promise<void> {
  return settle(connection, `rollback ${workflow}`, { type: "workflow.rollback", data: { workflow, version } });
}

/** @throws RuntimeError `execution/blocked`, `execution/unknown`, `workflow/unknown` */
export async function migrate(
  connection: Asker,
  id: string,
  version: string,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<MigrationPreview> {
  const preview = (await connection.ask({ type: "migration", id, version })) as MigrationPreview;
  if (!dryRun) await settle(connection, `migration ${id}`, { type: "execution.migrate", data: { id, version } });
  return preview;
}

function settle({ command, outbox }: Asker, id: string, request: PageRequest): Promise<void> {
  command(id, request);
  return outbox.settled(id);
}
