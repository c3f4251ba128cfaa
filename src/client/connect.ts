/** Makes the handle: the mirror, the connection and the cells put together. */
import { RuntimeError, decodeError } from "../core/errors.ts";
import { createIds } from "../core/ids.ts";
import type { StreamChannel } from "../core/protocol.ts";
import { pageLock } from "../core/locks.ts";
import mitt from "mitt";
import { createAgentCalls } from "./agents.ts";
import { createCells, type Cells } from "./cells.ts";
import { createCommands } from "./commands.ts";
import { createConnection, type Connection } from "./connection.ts";
import { hearing, listenTo, type Emitter } from "./events.ts";
import { createMirror, type Mirror } from "./mirror.ts";
import type { Places } from "./places.ts";
import { attend, holdLock } from "./presence.ts";
import { createResults } from "./results.ts";
import type { ConnectOptions, Mode, Runtime, StreamItem, StreamOptions } from "./runtime.ts";
import type * as Later from "./later.ts";
import { unfit } from "./unfit.ts";

/** What an entry of the package gives to `connect`. */
export interface Platform {
  readonly version: string;
  places(options: ConnectOptions): Places;
  cellURL(options: ConnectOptions): string;
}

/**
 * Finds or starts the host of the name, and returns the page's handle once it is welcomed.
 * @throws RuntimeError `host/unavailable` when no way of hosting works, `host/unreachable` after the timeout,
 * `host/incompatible` when tabs of another protocol hold it.
 */
export async function connectWith(platform: Platform, options: ConnectOptions = {}): Promise<Runtime> {
  const { name = "troupe", timeout = 15_000, modes = ["shared", "elected", "page"] } = options;
  checkName(name);
  if (!("locks" in navigator))
    throw new RuntimeError("host/unavailable", { reason: "Web Locks need https or localhost" });
  const createId = createIds(Date.now, randomNumber);
  const session = createId();
  const release = await holdLock(pageLock(name, session));
  const emitter: Emitter = mitt();
  const parts = assemble(platform, { ...options, modes }, { name, session, createId, emitter });
  try {
    await within(timeout, parts.welcomed, parts.mirror);
  } catch (error) {
    await parts.connection.close();
    release();
    throw error;
  }
  return createRuntime({ ...parts, name, session, createId, emitter, release });
}

interface Base {
  readonly name: string;
  readonly session: string;
  readonly createId: () => string;
  readonly emitter: Emitter;
}

interface Parts {
  readonly mirror: Mirror;
  readonly connection: Connection;
  readonly cells: Cells;
  readonly results: ReturnType<typeof createResults>;
  readonly expected: Map<string, () => void>;
  readonly welcomed: Promise<void>;
}

function assemble(
  platform: Platform,
  options: ConnectOptions & { readonly modes: readonly Mode[] },
  { name, session, createId, emitter }: Base,
): Parts {
  const { promise: welcomed, resolve: welcome, reject: refuse } = deferred();
  const expected = new Map<string, () => void>();
  const cells: Cells = createCells(() => connection, platform.cellURL(options), createId);
  const mirror = createMirror({
    finished: (record) => {
      results.finished(record);
    },
    unregistered: cells.withdraw,
  });
  const made = (id: string, error: RuntimeError | undefined): void => {
    expected.delete(id);
    if (!error) return;
    mirror.retract(id);
    results.refused(id, error);
  };
  let greeted = false;
  const connection: Connection = createConnection({
    name,
    version: platform.version,
    session,
    lock: pageLock(name, session),
    places: platform.places(options),
    modes: options.modes,
    mirror,
    ...hearing(emitter),
    onSignals: ({ signals }) => {
      mirror.signal(signals);
      for (const { kind, ...signal } of signals) emitter.emit(kind, signal);
    },
    onAnswered: ({ id, command }, error) => {
      if (command.type === "task.create" || command.type === "execution.start") made(id, error);
      if (error) emitter.emit("refused", { id, error });
    },
    onWelcome: ({ mode, epoch, fresh, links }) => {
      for (const show of expected.values()) show();
      cells.welcomed(links, fresh);
      if (fresh && greeted) emitter.emit("host-changed", { epoch, mode });
      greeted = true;
      results.recheck();
      emitter.emit("status", { status: "ready" });
      welcome();
    },
    onOrder: cells.order,
    onStopped: (error) => {
      stopped(mirror, emitter, error);
      results.fail(error);
      refuse(error);
    },
  });
  const results = createResults(connection, mirror);
  connection.open();
  return { mirror, connection, cells, results, expected, welcomed };
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: RuntimeError) => void;
}

/** `Promise.withResolvers`, which the oldest supported browsers lack. */
function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  let reject: (error: RuntimeError) => void = () => undefined;
  const promise = new Promise<void>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

function stopped(mirror: Mirror, emitter: Emitter, error: RuntimeError): void {
  const { name, message, code } = error;
  mirror.update({ status: "stopped", error: { name, message, code } });
  emitter.emit("status", { status: "stopped", error });
}

function createRuntime(parts: Parts & Base & { readonly release: () => void }): Runtime {
  const { mirror, connection, cells, results, name, session, createId, emitter } = parts;
  const goAway = attend({
    lock: pageLock(name, session),
    release: parts.release,
    leave() {
      cells.leave();
      connection.leave();
    },
    comeBack: connection.open,
  });
  const close = async (): Promise<void> => {
    cells.close();
    const closing = connection.close();
    results.fail(new RuntimeError("runtime/closed"));
    await closing;
    goAway();
  };
  const commands = createCommands(parts);
  const handle = guard({
    createId,
    ...createAgentCalls(parts),
    ...commands,
    settled: connection.outbox.settled,
    result: results.result,
    ...createReading(connection, createId),
    ...createLater(connection, createId, { ...commands, approvals: () => mirror.store.getState().approvals }),
    ...listenTo(emitter, connection, mirror.store),
    close,
  });
  return withPresent({ ...handle, name, session, store: mirror.store });
}

/** Whatever a page gives, what a call throws, or rejects with, is a RuntimeError. */
function guard<T extends object>(calls: T): T {
  const guarded = ([name, call]: [string, unknown]): unknown => {
    if (typeof call !== "function") return [name, guard(call as object)];
    const run = (...args: readonly unknown[]): unknown => {
      const refuse = (cause: unknown): never => {
        throw unfit(cause, name);
      };
      try {
        const made = (call as (...all: readonly unknown[]) => unknown)(...args);
        return made instanceof Promise ? made.catch(refuse) : made;
      } catch (cause) {
        return refuse(cause);
      }
    };
    return [name, run];
  };
  return Object.fromEntries(Object.entries(calls).map(guarded) as [string, unknown][]) as T;
}

const LATER = [
  "publish",
  "schedule",
  "unschedule",
  "schedules",
  "nextFireTimes",
  "whyWaiting",
  "explain",
  "registerCapability",
  "unregisterCapability",
  "deadLetters",
  "identify",
  "delegate",
  "registerApprover",
  "decide",
  "load",
] as const;

type LaterCalls = Pick<
  Runtime,
  | (typeof LATER)[number]
  | "requeue"
  | "retryFrom"
  | "secrets"
  | "workflows"
  | "audit"
  | "sendMessage"
  | "messages"
  | "archive"
  | "blobs"
>;

/** What these take is loaded with the first call. */
function createLater(
  connection: Connection,
  createId: () => string,
  own: Pick<Runtime, "createTask" | "answer"> & { readonly approvals: () => Runtime["approvals"] },
): LaterCalls {
  const call = (name: keyof typeof Later, ...own: readonly unknown[]): unknown =>
    async function (...args: readonly unknown[]): Promise<unknown> {
      const made = (await import("./later.ts"))[name] as (...all: readonly unknown[]) => unknown; // the handle's types say which
      return made(connection, ...own, ...args);
    };
  const group = (...names: readonly (keyof typeof Later)[]): object =>
    Object.fromEntries(names.map((name) => [name, call(name)]));
  return {
    ...group(...LATER),
    requeue: call("requeue", own.createTask),
    retryFrom: call("retryFrom", createId),
    archive: group("task", "execution", "list"),
    blobs: group("write", "read"),
    secrets: { set: call("setSecret"), list: call("listSecrets"), delete: call("deleteSecret") },
    workflows: group("versions", "rollback", "migrate", "progress"),
    sendMessage: call("sendMessage", own),
    messages: {
      ...group("take", "receive", "subscribe", "unsubscribe", "define", "replay"),
      deadLetters: call("deadMessages"),
    },
    audit: { export: call("exportLog"), verify: call("verifyLog"), onAnchor: call("onAnchor") },
  } as LaterCalls;
}

/** Few pages read streams: what it takes is loaded then. */
function createReading(connection: Connection, createId: () => string): Pick<Runtime, "stream" | "logs"> {
  const reading = (channel: StreamChannel) => (task: string, options?: StreamOptions) => {
    const given = { ...options, task, channel, reader: createId() };
    return (async function* (): AsyncGenerator<StreamItem, void, undefined> {
      yield* (await import("./streams.ts")).readStream(connection, given);
    })();
  };
  return { stream: reading("stream"), logs: reading("log") };
}

type Present = Pick<Runtime, "mode" | "tasks" | "executions" | "approvals" | "agents" | "limits">;

/** Adds the live getters: whatever handle is captured, it shows the present. */
function withPresent(handle: Omit<Runtime, keyof Present>): Runtime {
  const { getState } = handle.store;
  const fields = ["mode", "tasks", "executions", "approvals", "agents", "limits"] as const;
  const getters = fields.map((field) => [field, { enumerable: true, get: () => getState()[field] }]);
  return Object.defineProperties(handle, Object.fromEntries(getters) as PropertyDescriptorMap) as Runtime;
}

function checkName(name: string): void {
  if (!/^[\w.-]{1,64}$/u.test(name))
    throw new RuntimeError("command/invalid", { name, expected: "1 to 64 of letters, digits, '_', '.', '-'" });
}

function randomNumber(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

async function within(timeout: number, welcomed: Promise<void>, mirror: Mirror): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const { error } = mirror.store.getState();
      if (error) reject(decodeError(error));
      else reject(new RuntimeError("host/unreachable", { timeout }));
    }, timeout);
  });
  try {
    await Promise.race([welcomed, late]);
  } finally {
    clearTimeout(timer);
  }
}
