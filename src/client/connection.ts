/** The page's side of the protocol: hello, resynchronise, resend. */
import { decodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { PROTOCOL, type HostFrame, type PageCommand, type PageFrame, type Query, type Wire } from "../core/protocol.ts";
import type { CoreEvent } from "../core/runtime.ts";
import type { Mirror } from "./mirror.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createReach, type Places } from "./reach.ts";
import type { Mode } from "./runtime.ts";

export interface ConnectionOptions {
  readonly name: string;
  readonly version: string;
  readonly session: string;
  readonly lock: string;
  readonly places: Places;
  readonly modes: readonly Mode[];
  readonly mirror: Mirror;
  readonly onEvents: (events: readonly CoreEvent[]) => void;
  readonly onSignals: (frame: Extract<HostFrame, { kind: "signals" }>) => void;
  readonly onRefused: (id: string, error: RuntimeError) => void;
  /** A host has welcomed the page; `fresh` when it is another one than before. */
  readonly onWelcome: (mode: Mode, epoch: number, fresh: boolean) => void;
  readonly onStorageLost: (database: string, before: string) => void;
  readonly onOrder: (frame: Extract<HostFrame, { kind: "spawn" | "kill" | "relay" }>) => void;
  readonly onStopped: (error: RuntimeError) => void;
}

export interface Connection {
  readonly outbox: Outbox;
  /** False where agents' frames must be relayed. */
  readonly ports: boolean;
  command(id: string, command: PageCommand): void;
  say(frame: PageFrame, transfer?: readonly unknown[]): void;
  ask(query: Query): Promise<unknown>;
  close(): Promise<void>;
}

/** A hello that isn't answered is said again after so long, and the host looked for again, in milliseconds. */
const IMPATIENCE = 5_000;

interface Call {
  readonly query: Query;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: RuntimeError) => void;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { name, version, session, lock, mirror } = options;
  let wire: Wire | undefined;
  let mode: Mode = "shared";
  let database: string | undefined;
  let epoch = 0;
  let ready = false;
  let closed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watching: AbortController | undefined;
  const calls = new Map<number, Call>();
  let lastCall = 0;

  const say: Connection["say"] = (frame, transfer) => wire?.post(frame, transfer);
  const outbox = createOutbox((first, commands, acknowledged) => {
    if (ready) say({ kind: "commands", first, acknowledged, commands: [...commands] });
  }, options.onRefused);
  const hello = (): void => {
    ready = false;
    if (closed) return;
    if (mirror.store.getState().status === "ready") mirror.update({ status: "connecting" });
    clearTimeout(timer);
    timer = setTimeout(() => {
      reach.again(false);
    }, IMPATIENCE);
    say({ kind: "hello", protocol: PROTOCOL, version, session, lock });
  };
  const watchHost = (): void => {
    watching?.abort();
    watching = watchLock(`troupe:${name}:host`, () => {
      if (!closed && ready) reach.again(true);
    });
  };
  const welcome = (frame: Extract<HostFrame, { kind: "welcome" }>): void => {
    const { origin, state, mark, refused } = frame;
    clearTimeout(timer);
    const before = database;
    const fresh = epoch !== origin.epoch || before !== origin.database;
    const lost = before !== undefined && (before !== origin.database || origin.seq < mirror.store.getState().seq);
    database = origin.database;
    epoch = origin.epoch;
    ready = true;
    mirror.reset(state, origin.seq, epoch);
    mirror.update({ status: "ready", mode, error: undefined });
    if (lost) options.onStorageLost(origin.database, before);
    outbox.resend(mark, refused);
    for (const [call, { query }] of calls) say({ kind: "query", call, query });
    watchHost();
    options.onWelcome(mode, epoch, fresh);
  };
  const stopped = (data: ErrorData): void => {
    const error = decodeError(data);
    ready = false;
    if (error.code === "host/incompatible") {
      fail(error);
      return;
    }
    mirror.update({ status: "connecting", error: error.code === "host/unreachable" ? undefined : data });
    clearTimeout(timer);
    timer = setTimeout(hello, error.code === "host/unreachable" ? 0 : 200);
  };
  const fail = (error: RuntimeError): void => {
    clearTimeout(timer);
    outbox.fail(error);
    for (const { reject } of calls.values()) reject(error);
    calls.clear();
    options.onStopped(error);
  };
  const heard = (raw: unknown): void => {
    const frame = raw as HostFrame; // the host is of our own origin and protocol
    if (closed) return;
    if (frame.kind === "welcome") welcome(frame);
    else if (frame.kind === "stopped") stopped(frame.error);
    else if (!ready) return;
    else if (frame.origin.epoch !== epoch || frame.origin.database !== database) hello();
    else hear(frame);
  };
  const hear = (frame: Exclude<HostFrame, { kind: "welcome" | "stopped" }>): void => {
    switch (frame.kind) {
      case "batch":
        if (frame.from > mirror.store.getState().seq + 1)
          hello(); // a batch was missed
        else options.onEvents(mirror.fold(frame.text, frame.from, frame.to));
        return;
      case "replies":
        outbox.answered(frame.mark, frame.refused);
        return;
      case "signals":
        options.onSignals(frame);
        return;
      case "answer":
        settleCall(calls, frame);
        return;
      case "spawn":
      case "kill":
      case "relay":
        options.onOrder(frame);
    }
  };
  const reach = createReach({
    name,
    session,
    places: options.places,
    modes: options.modes,
    onFrame: heard,
    onWire(next, way) {
      wire = next;
      mode = way;
      hello();
    },
    onFailed: fail,
  });

  return {
    outbox,
    get ports() {
      return wire?.ports ?? false;
    },
    command: outbox.push,
    say,
    ask: (query) =>
      new Promise((resolve, reject) => {
        const call = ++lastCall;
        calls.set(call, { query, resolve, reject });
        if (ready) say({ kind: "query", call, query });
      }),
    async close() {
      closed = true;
      clearTimeout(timer);
      watching?.abort();
      if (ready) say({ kind: "bye" });
      outbox.fail(new RuntimeError("runtime/closed"));
      for (const { reject } of calls.values()) reject(new RuntimeError("runtime/closed"));
      await reach.close();
    },
  };
}

function settleCall(calls: Map<number, Call>, { call, value, error }: Extract<HostFrame, { kind: "answer" }>): void {
  const waiting = calls.get(call);
  calls.delete(call);
  if (error) waiting?.reject(decodeError(error));
  else waiting?.resolve(value);
}

/** Calls back when the holder of the lock is gone. */
function watchLock(lock: string, gone: () => void): AbortController {
  const ending = new AbortController();
  navigator.locks
    .request(lock, { mode: "shared", signal: ending.signal }, () => {
      if (!ending.signal.aborted) gone();
    })
    .catch(() => undefined); // aborted: another watch has begun
  return ending;
}
