/** What a page gives and gets of messages and schedules. */
import type { FireTimesOptions } from "../calendar/cron.ts";
import type { MessageCalls } from "./mail-types.ts";
import type { AuditCalls } from "./audit-types.ts";
import type { WorkflowInput } from "../core/workflows/definition.ts";
import type { MigrationPreview } from "../core/workflows/migration.ts";
import type { VersionRecord } from "../core/workflows/versions.ts";
import type { Schedule, ScheduleRequest } from "../core/schedules/schedule.ts";

export type { FireTimesOptions };

/** How a message is published. */
export interface PublishOptions {
  /** What tells messages of one name apart, as an order's number does; 7 and "7" are the same. Default: none. */
  readonly key?: string | number;
  /** A second message of the same id, for as long as the first is kept and at least an hour, is the first one again. */
  readonly id?: string;
  /** It is kept for so many milliseconds for who waits later; 0: only those that wait now get it. Default an hour. */
  readonly ttl?: number;
}

/** A schedule as it is set; all but the first three can be left out. See docs/time.md. */
export type ScheduleOptions = Omit<ScheduleRequest, "input"> & {
  /** The input of every run, any JSON value. Default null. */
  readonly input?: unknown;
};

export type ScheduleView = Omit<Schedule, "input"> & { readonly input: unknown };

/** A version of a workflow; its name is the digest of its definition. */
export type VersionView = Omit<VersionRecord, "text"> & { readonly definition: WorkflowInput };

/** Calls of the handle that few pages make. */
export interface TimingCalls extends AuditCalls, MessageCalls {
  /**
   * Publishes a message for runs that wait for one of this name and key. Resolves when it is durable.
   * @throws RuntimeError `message/overflow` when too many are kept already, `json/…`, `command/invalid`
   */
  publish(name: string, payload?: unknown, options?: PublishOptions): Promise<void>;
  /**
   * Begins runs of the workflow by a cron pattern. Given again as it is, nothing changes: call it whenever the page
   * loads. Otherwise the schedule is changed; its runs go on. Resolves when that is durable.
   * @throws RuntimeError `schedule/invalid` with what is wrong, `workflow/unknown`, `command/invalid`
   */
  schedule(schedule: ScheduleOptions): Promise<void>;
  /** Its runs go on; those that wait for them don't begin. @throws RuntimeError `schedule/unknown` */
  unschedule(id: string): Promise<void>;
  schedules(): Promise<readonly ScheduleView[]>;
  /**
   * When a cron pattern fires next, in milliseconds since 1970.
   * @throws RuntimeError `schedule/invalid`, `command/invalid`
   */
  nextFireTimes(cron: string, options?: FireTimesOptions): Promise<readonly number[]>;
  readonly workflows: {
    /** The versions that are known, the newest first. @throws RuntimeError `workflow/unknown` */
    versions(workflow: string): Promise<readonly VersionView[]>;
    /**
     * Gives new runs a version that is kept. Later versions are withdrawn: a page that registers one of them again changes
     * nothing, until they are rolled back to themselves. @throws RuntimeError `workflow/unknown`
     */
    rollback(workflow: string, version: string): Promise<void>;
    /**
     * Lets a live run go on with another version, in one step, and tells what becomes of its nodes; `dryRun`: only tells.
     * @throws RuntimeError `execution/blocked` with what blocks it, `execution/unknown`, `workflow/unknown`
     */
    migrate(execution: string, version: string, options?: { readonly dryRun?: boolean }): Promise<MigrationPreview>;
  };
}
