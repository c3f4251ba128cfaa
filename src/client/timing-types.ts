/** What a page gives and gets of messages and schedules. */
import type { FireTimesOptions } from "../calendar/cron.ts";
import type { MessageCalls } from "./mail-types.ts";
import type { AuditCalls } from "./audit-types.ts";
import type { WorkflowInput } from "../core/workflows/definition.ts";
import type { MigrationPreview } from "../core/workflows/migration.ts";
import type { Progress } from "../core/workflows/progress.ts";
import type { StandingRun } from "../core/workflows/standing.ts";
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

/** Where a run stands: one that lives as it is now, one that has ended as it was in the end. */
export type ProgressView = Omit<StandingRun, "nodes" | "variables"> &
  Progress & {
    /** As they are now. */
    readonly variables: Readonly<Record<string, unknown>>;
    /** With `within`: the runs within it, to whatever depth; those that it waits for, and those that have ended. */
    readonly runs: readonly string[];
  };

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
  /** Values for tasks that mustn't be written down: see docs/secrets.md. No page can read them back. */
  readonly secrets: {
    /**
     * Keeps a secret, encrypted, in the place of one that has this name. A value has 8 to 65,536 characters.
     * @throws RuntimeError `secret/invalid`, `secret/unavailable`
     */
    set(name: string, value: string): Promise<void>;
    /** The names, in order. @throws RuntimeError `secret/unavailable` */
    list(): Promise<readonly string[]>;
    /** @throws RuntimeError `secret/unknown`, `secret/unavailable` */
    delete(name: string): Promise<void>;
  };
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
    /**
     * Where a run stands, whether it lives or has ended: what runs, in which order nodes began, what has failed, its
     * variables, version, times. `within`: the execution path has the nodes of runs within it, items and iterations, too;
     * that reads the archive. @throws RuntimeError `execution/unknown`
     */
    progress(execution: string, options?: { readonly within?: boolean }): Promise<ProgressView>;
  };
}
