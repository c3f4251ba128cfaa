/** The handle that a page gets from `connect`. */
import type {
  Agent,
  AgentStatus,
  ArchivePage,
  ArchiveQuery,
  BlobRef,
  Capability,
  CoreEvents,
  Enforcements,
  ErrorData,
  Execution,
  Limit,
  LimitSettings,
  LogLevel,
  Manifest,
  NodeState,
  Priority,
  AgentMatch,
  Retry,
  RuntimeError,
  Task,
  TaskRequest,
  UnregisterMode,
  Waiting,
  WorkflowInput,
} from "../core/index.ts";
import type { HostPlace } from "../core/protocol.ts";
import type { StoreApi } from "zustand/vanilla";
import type { AnswerInput, ApprovalCalls, ApprovalRequest, ApprovalView } from "./approval-types.ts";
import type { TimingCalls } from "./timing-types.ts";
import type { CapabilityOptions, TypedInput } from "./capability-types.ts";

export type { ApprovalView };

/** Where the host runs: in a SharedWorker, in a worker of the tab that was elected, or in a page itself. */
export type Mode = HostPlace;

/** connecting: looking for a host · ready · stopped: for good, see `error`. */
export type ConnectionStatus = "connecting" | "ready" | "stopped";

/** What a new task needs; all but `capabilities` can be left out. */
export interface TaskInput extends Omit<Partial<TaskRequest>, "id" | "input" | "capabilities" | "retry" | "after"> {
  /** All of them must be offered by the agent. */
  readonly capabilities: readonly string[];
  /** Any JSON value; bytes go into a blob. */
  readonly input?: unknown;
  readonly retry?: Partial<Retry>;
  /** Tasks that come before. They must exist: live, or finished not long ago. */
  readonly after?: {
    readonly tasks: readonly string[];
    /** all: every one has succeeded (the default) · any: one has · a number: so many have · done: every one has ended. */
    readonly when?: "all" | "any" | "done" | number;
    /** What becomes of this task when that can't come true any more. Default "fail". */
    readonly otherwise?: "fail" | "skip";
  };
}

/** Where to begin to read a stream. */
export interface StreamOptions {
  /** Default 0. */
  readonly from?: number;
  /** The attempt that `from` counts in; another one is read from its beginning. Default the present one. */
  readonly attempt?: number;
}

export interface StreamItem {
  readonly attempt: number;
  /** Counts from 0 in each attempt. */
  readonly offset: number;
  readonly value: unknown;
}

/** Which dead letters to list. */
export interface DeadLetterQuery {
  /** Only tasks of this type. */
  readonly type?: string;
  /** As `next` of an earlier page gave it. */
  readonly after?: string;
  /** Default 50, at most 200. */
  readonly limit?: number;
}

export interface DeadLetterPage {
  /** Newest first; there may be fewer than the limit, even none, though a next page has some. */
  readonly tasks: readonly TaskView[];
  readonly next: string | undefined;
}

/** How a page registers an agent: where its code is, and what it may do. */
export interface AgentOptions {
  readonly url: string | URL;
  /** SHA-256 of the code, as `sha256-` and base 64. Default: the bytes of the first load. */
  readonly integrity?: string;
  /** True: a plain worker of this origin. Default: an isolated cell. */
  readonly trusted?: boolean;
  /** Hosts that an isolated agent may connect to. Default none. */
  readonly network?: readonly string[];
  /** Secrets, by name, that tasks may give to it. Default none. */
  readonly secrets?: readonly string[];
  /** The most workers at once. Default 1. */
  readonly workers?: number;
  /** Workers that are kept up, also when there is nothing to do, while a page offers the agent. Default 0. */
  readonly minWorkers?: number;
  /** Attempts per worker at once. Default: what the agent says, or 1. */
  readonly slots?: number;
  /** The most attempts at once, over all workers: no more than the agent itself says. */
  readonly maxConcurrentTasks?: number;
  /** The longest an attempt may run, for tasks that say nothing else. Default: what the agent says, or the capability. */
  readonly timeout?: number;
  /** How tasks that say nothing else are tried again. What is left out is as the capability has it. */
  readonly retry?: Retry;
  /** Among agents that fit as well, those of a higher priority come first. Default "medium". */
  readonly priority?: Priority;
  /** What tasks can ask for, and lists are filtered by. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What is known of its past, which counts like `weight` attempts that were seen. Default: 10 that all went well. */
  readonly prior?: {
    readonly successRate?: number;
    /** In milliseconds. */
    readonly averageResponseTime?: number;
    readonly weight?: number;
  };
  /** What a worker may use. Where the platform can't enforce it, `enforcement` of the agent's view says so. */
  readonly resourceLimits?: {
    /** A worker over it is ended, and what it ran has failed (`agent/memory-exceeded`). */
    readonly maxMemoryMB?: number;
    /** A worker that has grown by so much ends what it runs, and is replaced. */
    readonly maxMemoryGrowthMB?: number;
    /** Of one processor: over it for 10 s a worker gets no new work; for 20 s more, it is ended (`agent/cpu-exceeded`). */
    readonly maxCPUPercent?: number;
  };
  /** True: take the place of what is registered under the same name and version, if it differs. Default: it is refused. */
  readonly replace?: boolean;
}

/** What a view has in the place of a payload that is too long for a record (`size` in bytes, about): `runtime.load` reads it. */
export interface SpilledPayload {
  readonly spilled: true;
  readonly size: number;
}

/** A task as a page sees it: payloads are values, or a {@link SpilledPayload} where one is very long. */
export type TaskView = Omit<Task, "input" | "output" | "checkpoint" | "effects"> & {
  readonly input: unknown;
  readonly output?: unknown;
  /** True until the host has accepted it. */
  readonly optimistic?: boolean;
};

/** A run as a page sees it; payloads as in a {@link TaskView}. */
export type ExecutionView = Omit<Execution, "input" | "output" | "nodes" | "variables"> & {
  readonly input: unknown;
  readonly output?: unknown;
  /** Only of a finished one: its variables in the end. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Every node that was reached, in the order of the definition. `troupe/core` tells more of them (`progressOf`). */
  readonly nodes: readonly NodeState[];
  readonly optimistic?: boolean;
};

/** What of a finished run is done again. */
export interface RetryOptions {
  /** From this node on. Default: from wherever something has failed, and of maps only the failed items. */
  readonly node?: string;
  /** Also all that comes behind. Default true. */
  readonly downstream?: boolean;
  /** Of the node and what is behind it, begin where something has failed; of a map with its failed items. Default false. */
  readonly onlyFailed?: boolean;
  /** On the version that was registered last. Default: on the run's own, which has to be known still. */
  readonly latest?: boolean;
}

export interface AgentView extends Agent {
  readonly status: AgentStatus;
  /** Slots that are taken, also by attempts that were stopped and haven't given theirs back. */
  readonly running: number;
  /** The most that may be taken, over all workers that it may have. */
  readonly capacity: number;
  /** Workers that serve it now. */
  readonly links: number;
  /** The part of attempts that end well, from 0 to 1, with the prior's part. */
  readonly successRate: number;
  /** Mean milliseconds of an attempt, with the prior's part; undefined before the first. */
  readonly averageResponseTime: number | undefined;
  /** For every resource limit that was asked for, whether it is enforced here, and why not. */
  readonly enforcement: Enforcements;
}

/** A limit, and what it has given out now. */
export interface LimitView extends Limit {
  /** Attempts that hold a slot, over all keys. */
  readonly running: number;
  /** The same by key, for a limit per key; keys of which none runs are left out. */
  readonly byKey: Readonly<Record<string, number>>;
}

/** The store's state: one immutable picture of all that lives. */
export interface MirrorState {
  readonly status: ConnectionStatus;
  readonly mode: Mode | undefined;
  readonly error: ErrorData | undefined;
  /** Sequence number up to which the picture is true. */
  readonly seq: number;
  readonly epoch: number;
  readonly tasks: ReadonlyMap<string, TaskView>;
  readonly executions: ReadonlyMap<string, ExecutionView>;
  readonly approvals: ReadonlyMap<string, ApprovalView>;
  readonly agents: ReadonlyMap<string, AgentView>;
  readonly limits: ReadonlyMap<string, LimitView>;
  /** What was registered, by name; `troupe/discovery` reads it. */
  readonly capabilities: ReadonlyMap<string, Capability>;
  /** Latest progress by task, while it runs. */
  readonly progress: ReadonlyMap<string, { readonly fraction: number; readonly note?: string }>;
}

/** Events of the journal, by their type, and those of the connection. */
export type RuntimeEvents = {
  readonly [K in keyof CoreEvents]: CoreEvents[K] & { readonly at: number };
} & {
  /** Every journal event: its type, data and time. */
  readonly event: { readonly type: string; readonly data: unknown; readonly at: number };
  /** An approval waits: each that is open already, each new one, and one of which others are asked or that was edited. */
  readonly human_approval_request: ApprovalRequest;
  readonly progress: {
    readonly task: string;
    readonly attempt: number;
    readonly fraction: number;
    readonly note?: string | undefined;
  };
  readonly log: {
    readonly task: string;
    readonly attempt: number;
    readonly level: LogLevel;
    readonly message: string;
  };
  /** A command was refused; the call that made it had returned already. */
  readonly refused: { readonly id: string; readonly error: RuntimeError };
  /** Another host answers now; nothing was lost. */
  readonly "host-changed": { readonly epoch: number; readonly mode: Mode };
  /** The database is another one than before: what was acknowledged is gone. */
  readonly "storage-lost": { readonly database: string; readonly before: string };
  readonly status: { readonly status: ConnectionStatus; readonly error?: RuntimeError };
};

/** A durable runtime, as one page sees it. Every method that makes something returns its id at once. */
export interface Runtime extends TimingCalls, ApprovalCalls {
  readonly name: string;
  /** Where the host runs that answers now; also when this page would have looked for it elsewhere. */
  readonly mode: Mode;
  readonly session: string;
  /** zustand's vanilla store; `getState()` gives one immutable picture. */
  readonly store: StoreApi<MirrorState>;
  /** Always the present ones, on whatever handle. */
  readonly tasks: ReadonlyMap<string, TaskView>;
  readonly executions: ReadonlyMap<string, ExecutionView>;
  readonly approvals: ReadonlyMap<string, ApprovalView>;
  readonly agents: ReadonlyMap<string, AgentView>;
  readonly limits: ReadonlyMap<string, LimitView>;

  /**
   * Loads the agent once, learns what it is, and registers it under `name@version`. What differs from what is registered
   * there already is refused, unless it is to replace that. @throws RuntimeError `agent/…`, as `agent/duplicate`
   */
  registerAgent(options: AgentOptions): Promise<Manifest>;
  /**
   * Unregisters the agent of the id (`name@version`), or all versions of the name. drain, the default: it gets no new
   * work, and is gone when it has ended what it runs; requeue: what it runs is told to stop, and queued again; kill: the
   * same, and its workers are ended at once.
   */
  unregisterAgent(id: string, mode?: UnregisterMode): void;
  /** Takes the agent off: it ends what it runs and gets no new work, until it is put on again. By id or name. */
  setAgentOffline(id: string, offline: boolean): void;
  /**
   * Says what a capability takes and gives, for all tasks from now on. Resolves when that is durable.
   * @throws RuntimeError `capability/invalid` with the place in the schema, `capability/duplicate` when it is registered
   * otherwise, `command/invalid`, `runtime/limit`
   */
  registerCapability(capability: CapabilityOptions): Promise<void>;
  /** Takes it back, in the version, or in all when none is given. @throws RuntimeError `capability/unknown` */
  unregisterCapability(name: string, version?: string): Promise<void>;
  /** @throws RuntimeError `command/invalid`, `json/…` when the input can't be a task at all. */
  createTask<const C extends readonly string[]>(task: TaskInput & { readonly capabilities: C } & TypedInput<C>): string;
  cancelTask(id: string, reason?: string): void;
  /** Gives a live task another priority; the order of those that wait changes at once. Nothing happens to a finished one. */
  reprioritize(id: string, priority: Priority): void;
  /** Tasks that have failed or timed out for good, with the history of their attempts. */
  deadLetters(query?: DeadLetterQuery): Promise<DeadLetterPage>;
  /**
   * Makes a new task of a finished one that has not succeeded: with all that it asked for, but what it waited for, its
   * moments and its idempotency key; with another input if one is given. Resolves with the new id.
   * @throws RuntimeError `task/unknown`, `task/finished` when it has succeeded, `json/…` for the input.
   */
  requeue(id: string, changes?: { readonly input?: unknown }): Promise<string>;
  /**
   * Sets a limit that tasks name in `limits`, or changes it at once; the one named "*" applies to every task.
   * `settled(name)` rejects with `command/invalid` when it is none.
   */
  setLimit(name: string, settings: LimitSettings): void;
  /** Tasks that name it go on without it. `settled(name)` rejects with `limit/unknown`. */
  removeLimit(name: string): void;
  /** Why a live task hasn't started yet, as it is now. @throws RuntimeError `task/unknown` when it doesn't live. */
  whyWaiting(id: string): Promise<Waiting>;
  /** For every agent: how it fits, or what it lacks. @throws RuntimeError `command/invalid` */
  explain(
    requirement: Pick<TaskRequest, "capabilities" | "optional" | "specializations" | "agents">,
  ): Promise<readonly AgentMatch[]>;
  /**
   * Registers a definition under its id. The host checks it wholly: `settled(id)` rejects with `workflow/invalid` and
   * what is wrong at which nodes, and the event `workflow.registered` brings its `warnings`. With `strict` a warning
   * refuses it, too. `validate` of `troupe/workflow` makes the same check on the spot.
   */
  registerWorkflow(definition: WorkflowInput, options?: { readonly strict?: boolean }): string;
  startWorkflow(
    workflow: string,
    input?: unknown,
    options?: { readonly priority?: Priority; readonly deadline?: number | Date; readonly id?: string },
  ): string;
  cancelWorkflow(execution: string, reason?: string): void;
  /**
   * No node of the run begins any more, nor of those within it. What runs ends, or with `interrupt` is stopped and begun
   * again later. `settled(execution)` rejects with `execution/unknown` when it doesn't live.
   */
  pauseWorkflow(execution: string, options?: { readonly interrupt?: boolean }): void;
  /** A paused run goes on, and so does one that stands still; the event `execution.resumed` tells what it took. */
  resumeWorkflow(execution: string): void;
  /**
   * Does a part of a finished run again, in a run of its own that takes over what the other parts put out; resolves with
   * its id. @throws RuntimeError `execution/unknown` when no finished run has this id, `execution/finished` when it has
   * been undone
   */
  retryFrom(execution: string, options?: RetryOptions): Promise<string>;
  /** Answers an open approval. */
  answer(approval: string, answer: AnswerInput): void;

  /** Resolves when what the id names is durable; rejects when it was refused. `settled()` waits for all commands so far. */
  settled(id?: string): Promise<void>;
  /** The output of a task or run when it has ended; rejects with its error. */
  result(id: string): Promise<unknown>;
  /**
   * Reads what a view shows as a {@link SpilledPayload}; any other value it gives back as it is.
   * @throws RuntimeError `payload/too-large` when its parts are more than 64 MiB together.
   */
  load(value: unknown): Promise<unknown>;
  /** A new id, as `startWorkflow` takes it: bytes can be stored for a run before it begins. */
  createId(): string;
  readonly blobs: {
    /** Stores bytes beside the journal, for the run or task that owns them. */
    write(owner: string, bytes: Uint8Array): Promise<BlobRef>;
    read(ref: BlobRef): Promise<Uint8Array>;
  };
  /**
   * What the task streams (`context.stream`), from the beginning or from an offset on, to its end. A reader that falls
   * far behind holds the agent back for a moment, then finds a gap in the offsets. Not durable: a new attempt, and a
   * new host, begin at offset 0, and a minute after the task's end it is gone.
   */
  stream(task: string, options?: StreamOptions): AsyncIterableIterator<StreamItem>;
  /** The lines that the task logs, in the same way: values are `{level, message}`. */
  logs(task: string, options?: StreamOptions): AsyncIterableIterator<StreamItem>;
  readonly archive: {
    task(id: string): Promise<TaskView | undefined>;
    execution(id: string): Promise<ExecutionView | undefined>;
    list(query?: ArchiveQuery): Promise<ArchivePage>;
  };

  /**
   * Listens, and returns the function that ends it. The host sends the journal's events to pages that listen to any, from
   * the moment it hears of it: of what the page asks for from now on, nothing is missed.
   */
  on<K extends keyof RuntimeEvents>(type: K, listener: (event: RuntimeEvents[K]) => void): () => void;
  /** The same for the next one alone. */
  once<K extends keyof RuntimeEvents>(type: K, listener: (event: RuntimeEvents[K]) => void): () => void;
  /** Ends what `on` or `once` has begun with this listener. */
  off<K extends keyof RuntimeEvents>(type: K, listener: (event: RuntimeEvents[K]) => void): void;
  /** Ends this page's part: its workers stop, its work goes to other pages. */
  close(): Promise<void>;
}

/** How to connect. */
export interface ConnectOptions {
  /** One host and one journal per origin and name. Default "troupe". */
  readonly name?: string;
  /** Ways of hosting to try, in order. Default all that the platform has: shared, elected, page. */
  readonly modes?: readonly Mode[];
  /** Where the worker scripts and cell.html are. Default: beside this module. */
  readonly assets?: string | URL;
  /** Milliseconds until the first host must have answered. Default 15,000. */
  readonly timeout?: number;
}
