/** The handle that a page gets from `connect`. */
import type {
  Agent,
  AgentStatus,
  ArchivePage,
  ArchiveQuery,
  BlobRef,
  CoreEvents,
  ErrorData,
  Execution,
  LogLevel,
  Manifest,
  NodeState,
  Priority,
  Retry,
  RuntimeError,
  Task,
  WorkflowInput,
} from "../core/index.ts";
import type { HostPlace } from "../core/protocol.ts";
import type { StoreApi } from "zustand/vanilla";

/** Where the host runs: in a SharedWorker, in a worker of the tab that was elected, or in a page itself. */
export type Mode = HostPlace;

/** connecting: looking for a host · ready · stopped: for good, see `error`. */
export type ConnectionStatus = "connecting" | "ready" | "stopped";

/** What a new task needs. */
export interface TaskInput {
  /** All of them must be offered by the agent. */
  readonly capabilities: readonly string[];
  /** Any JSON value; bytes go into a blob. */
  readonly input?: unknown;
  readonly priority?: Priority;
  readonly retry?: Partial<Retry>;
  /** The longest an attempt may run, in milliseconds. Default 60,000. */
  readonly timeout?: number;
  readonly title?: string;
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

/** How a page registers an agent: where its code is, and what it may do. */
export interface AgentOptions {
  readonly url: string | URL;
  /** SHA-256 of the code, as `sha256-` and base 64. Default: the bytes of the first load. */
  readonly integrity?: string;
  /** True: a plain worker of this origin. Default: an isolated cell. */
  readonly trusted?: boolean;
  /** Hosts that an isolated agent may connect to. Default none. */
  readonly network?: readonly string[];
  /** The most workers at once. Default 1. */
  readonly workers?: number;
  /** Attempts per worker at once. Default 1. */
  readonly slots?: number;
}

/** A task as a page sees it: payloads are values. */
export type TaskView = Omit<Task, "input" | "output" | "checkpoint" | "effects"> & {
  readonly input: unknown;
  readonly output?: unknown;
  /** True until the host has accepted it. */
  readonly optimistic?: boolean;
};

/** A run as a page sees it. */
export type ExecutionView = Omit<Execution, "input" | "output" | "nodes"> & {
  readonly input: unknown;
  readonly output?: unknown;
  /** Every node that was reached, in the order of the definition. */
  readonly nodes: readonly NodeState[];
  readonly optimistic?: boolean;
};

/** An open request as a page sees it. */
export interface ApprovalView {
  readonly id: string;
  readonly message: string;
  readonly payload: unknown;
  readonly approvers: readonly string[];
  readonly requestedAt: number;
  readonly expiresAt?: number | undefined;
  readonly execution?: string | undefined;
  readonly node?: string | undefined;
}

export interface AgentView extends Agent {
  readonly status: AgentStatus;
  /** Workers that serve it now, and slots of them that are taken. */
  readonly running: number;
  readonly links: number;
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
  /** Latest progress by task, while it runs. */
  readonly progress: ReadonlyMap<string, { readonly fraction: number; readonly note?: string }>;
}

/** Events of the journal, by their type, and those of the connection. */
export type RuntimeEvents = {
  readonly [K in keyof CoreEvents]: CoreEvents[K] & { readonly at: number };
} & {
  /** Every journal event: its type, data and time. */
  readonly event: { readonly type: string; readonly data: unknown; readonly at: number };
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
export interface Runtime {
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

  /** Loads the agent once, learns what it is, and registers it. @throws RuntimeError `agent/…` */
  registerAgent(options: AgentOptions): Promise<Manifest>;
  unregisterAgent(id: string): void;
  /** @throws RuntimeError `command/invalid`, `json/…` when the input can't be a task at all. */
  createTask(input: TaskInput): string;
  cancelTask(id: string, reason?: string): void;
  /**
   * Registers a definition under its id. The host checks it wholly: `settled(id)` rejects with `workflow/invalid` and
   * what is wrong at which nodes. `planWorkflow` of `troupe/core` makes the same check on the spot.
   */
  registerWorkflow(definition: WorkflowInput): string;
  startWorkflow(
    workflow: string,
    input?: unknown,
    options?: { readonly priority?: Priority; readonly id?: string },
  ): string;
  cancelWorkflow(execution: string, reason?: string): void;
  /** Answers an open approval. */
  answer(
    approval: string,
    answer: {
      readonly approved: boolean;
      readonly by: string;
      readonly reason?: string;
      readonly data?: unknown;
    },
  ): void;

  /** Resolves when what the id names is durable; rejects when it was refused. `settled()` waits for all commands so far. */
  settled(id?: string): Promise<void>;
  /** The output of a task or run when it has ended; rejects with its error. */
  result(id: string): Promise<unknown>;
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

  on<K extends keyof RuntimeEvents>(type: K, listener: (event: RuntimeEvents[K]) => void): () => void;
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
