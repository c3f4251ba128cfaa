/** The page's side of the protocol: hello, resynchronise, resend. */
import { lifeLock } from "../core/locks.ts";
import { decodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { type HostFrame, type PageRequest, type PageFrame, type Query, type Wire } from "../core/protocol.ts";
import { PROTOCOL } from "../core/version.ts";
import { type CoreEvent } from "../core/runtime.ts";
import { decodeEvents } from "../core/events.ts";
import type { Mirror } from "./mirror.ts";
import { createOutbox, type OnAnswered, type Outbox } from "./outbox.ts";
import type { Places } from "./places.ts";
import { createReach, type Reach } from "./reach.ts";
import type { Mode } from "./runtime.ts";
import { unfit } from "./unfit.ts";

export interface ConnectionOptions {
  readonly name: string;
  readonly version: string;
  readonly session: string;
  readonly lock: string;
  readonly places: Places;
  readonly modes: readonly Mode[];
  readonly mirror: Mirror;
  /** Whether the page wants the journal's events. */
  readonly isListening: () => boolean;
  readonly onEvents: (events: readonly CoreEvent[]) => void;
  readonly onSignals: (frame: Extract<HostFrame, { kind: "signals" }>) => void;
  readonly onAnswered: OnAnswered;
  /** A host has welcomed the page. */
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onStorageLost: (database: string, before: string) => void;
  readonly onOrder: (frame: Order) => void;
  readonly onStopped: (error: RuntimeError) => void;
}

export interface Welcome {
  readonly mode: Mode;
  readonly epoch: number;
  /** It is another host than before. */
  readonly fresh: boolean;
  /** The page's workers that it knows. */
  readonly links: readonly string[];
}

export interface Connection {
  readonly outbox: Outbox;
  /** Welcomed by the host that answers now. */
  readonly ready: boolean;
  /** The way to the host; another one has lost what was under way over the one before. */
  readonly wire: Wire | undefined;
  /** `later` resolves with the command to send instead, and holds up what comes after it. */
  command(id: string, command: PageRequest, later?: Promise<PageRequest>): void;
  say(frame: PageFrame, transfer?: readonly unknown[]): void;
  /** A query that is made hands its bytes over; it is made anew for every host. */
  ask(query: Query | (() => Query)): Promise<unknown>;
  /** Looks for the host. */
  open(): void;
  /** Says goodbye for now: what waits goes on waiting until `open`. */
  leave(): void;
  close(): Promise<void>;
}

/** A hello that isn't answered is said again after so long, and the host looked for again, in milliseconds. */
const IMPATIENCE = 5_000;

/** A host that stopped by itself is greeted again after so long, in milliseconds. */
const PAUSE = 200;

interface Call {
  readonly query: Query | (() => Query);
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: RuntimeError) => void;
}

interface State {
  readonly options: ConnectionOptions;
  readonly outbox: Outbox;
  readonly calls: Map<number, Call>;
  reach: Reach | undefined;
  wire: Wire | undefined;
  database: string | undefined;
  epoch: number;
  /** The number of the last hello: only its welcome counts. */
  hellos: number;
  /** Welcomed by the host that answers now. */
  ready: boolean;
  /** The host went while the page wasn't welcomed; the next hello that isn't answered tells of it. */
  gone: boolean;
  /** It has ended: why. */
  failure: RuntimeError | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  watching: AbortController | undefined;
}

export function createConnection(options: ConnectionOptions): Connection {
  const outbox = createOutbox((first, commands, acknowledged) => {
    if (state.ready) say(state, { kind: "commands", first, acknowledged, commands: [...commands] });
  }, options.onAnswered);
  const state: State = {
    options,
    outbox,
    calls: new Map(),
    reach: undefined,
    wire: undefined,
    database: undefined,
    epoch: 0,
    hellos: 0,
    ready: false,
    gone: false,
    failure: undefined,
    timer: undefined,
    watching: undefined,
  };
  let lastCall = 0;
  return {
    outbox,
    get ready() {
      return state.ready;
    },
    get wire() {
      return state.wire;
    },
    command: outbox.push,
    say: (frame, transfer) => {
      say(state, frame, transfer);
    },
    ask: (query) =>
      new Promise((resolve, reject) => {
        if (state.failure) throw state.failure;
        const call = ++lastCall;
        state.calls.set(call, { query, resolve, reject });
        if (state.ready) sayQuery(state, call, query);
      }),
    open() {
      if (!state.failure && !state.reach) open(state);
    },
    leave() {
      void leave(state);
    },
    async close() {
      if (state.failure) return;
      end(state, new RuntimeError("runtime/closed"));
      options.mirror.update({ status: "stopped" });
      await leave(state);
    },
  };
}

function open(state: State): void {
  const { name, version, session, places, modes } = state.options;
  state.reach = createReach({
    name,
    version,
    session,
    places,
    modes,
    onFrame: (frame) => {
      heard(state, frame as HostFrame); // a host is of our own origin and protocol
    },
    onWire(wire) {
      state.wire = wire;
      hello(state);
    },
    onFailed: (error) => {
      fail(state, error);
    },
  });
}

async function leave(state: State): Promise<void> {
  const { reach, ready, options } = state;
  if (ready) say(state, { kind: "bye" });
  state.ready = false;
  state.reach = undefined;
  state.wire = undefined;
  clearTimeout(state.timer);
  state.watching?.abort();
  if (!state.failure) options.mirror.update({ status: "connecting" });
  await reach?.close();
}

function say({ wire }: State, frame: PageFrame, transfer?: readonly unknown[]): void {
  wire?.post(frame, transfer);
}

function sayQuery(state: State, call: number, made: Call["query"]): void {
  try {
    const isMade = typeof made === "function";
    const query = isMade ? made() : made;
    say(state, { kind: "query", call, query }, isMade && "bytes" in query ? [query.bytes.buffer] : []);
  } catch (error) {
    state.calls.get(call)?.reject(unfit(error)); // no port can carry it
    state.calls.delete(call);
  }
}

function hello(state: State): void {
  state.ready = false;
  if (state.failure) return;
  const { mirror, version, session, lock, isListening } = state.options;
  if (mirror.store.getState().status === "ready") mirror.update({ status: "connecting" });
  clearTimeout(state.timer);
  state.timer = setTimeout(() => {
    const { gone } = state;
    state.gone = false; // once: a host that is slow to start must not be started over and over
    state.reach?.again(gone);
  }, IMPATIENCE);
  const about = { protocol: PROTOCOL, version, session, lock, listening: isListening() };
  say(state, { kind: "hello", number: ++state.hellos, ...about });
}

function heard(state: State, frame: HostFrame): void {
  if (state.failure) return;
  const { origin, kind } = frame;
  if (kind === "welcome") welcome(state, frame);
  else if (kind === "stopped") stopped(state, frame.error);
  else if (origin.epoch !== state.epoch || origin.database !== state.database) {
    if (state.ready) hello(state);
  } else if (state.ready || isOrder(frame)) hear(state, frame); // workers go on while the page says hello once more
}

function welcome(state: State, frame: Extract<HostFrame, { kind: "welcome" }>): void {
  const { options, outbox } = state;
  const { origin, seq, mark, refused, links, place: mode } = frame;
  // What the host knew at an earlier hello isn't what it knows now.
  if (state.ready || frame.number !== state.hellos) return;
  if (origin.database === state.database && origin.epoch < state.epoch) return; // one that has stopped meanwhile
  clearTimeout(state.timer);
  const before = state.database;
  const fresh = state.epoch !== origin.epoch || before !== origin.database;
  const shrunk = origin.seq < options.mirror.store.getState().seq;
  state.database = origin.database;
  state.epoch = origin.epoch;
  state.ready = true;
  state.gone = false;
  options.mirror.reset(frame.state, seq, origin.epoch);
  options.mirror.update({ status: "ready", mode, error: undefined });
  if (before !== undefined && (before !== origin.database || shrunk)) options.onStorageLost(origin.database, before);
  outbox.resend(mark, refused);
  for (const [call, { query }] of state.calls) sayQuery(state, call, query);
  watchHost(state);
  options.onWelcome({ mode, epoch: origin.epoch, fresh, links });
}

type Order = Extract<HostFrame, { kind: "spawn" | "kill" | "relay" }>;

function isOrder({ kind }: HostFrame): boolean {
  return kind === "spawn" || kind === "kill" || kind === "relay";
}

function hear(state: State, frame: Exclude<HostFrame, { kind: "welcome" | "stopped" }>): void {
  const { options, outbox, calls } = state;
  switch (frame.kind) {
    case "batch":
      batch(state, frame);
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
}

function batch(state: State, { from, to, parts, text }: Extract<HostFrame, { kind: "batch" }>): void {
  const { mirror, onEvents } = state.options;
  const { seq } = mirror.store.getState();
  if (from > seq + 1)
    hello(state); // a batch was missed
  else if (to > seq) {
    mirror.advance(parts, to);
    if (text !== undefined) onEvents(decodeEvents(text).slice(seq + 1 - from));
  }
}

function stopped(state: State, data: ErrorData): void {
  const error = decodeError(data);
  if (error.code === "host/incompatible") {
    fail(state, error);
    return;
  }
  const unknown = error.code === "host/unreachable"; // a host that was re-run: it only wants a hello
  state.ready = false;
  state.options.mirror.update({ status: "connecting", error: unknown ? undefined : data });
  clearTimeout(state.timer);
  state.timer = setTimeout(
    () => {
      hello(state);
    },
    unknown ? 0 : PAUSE,
  );
}

/** No host can be had, now or ever. */
function fail(state: State, error: RuntimeError): void {
  end(state, error);
  void leave(state);
  state.options.onStopped(error);
}

function end(state: State, error: RuntimeError): void {
  state.failure = error;
  state.outbox.fail(error);
  for (const { reject } of state.calls.values()) reject(error);
  state.calls.clear();
}

function settleCall(calls: Map<number, Call>, { call, value, error }: Extract<HostFrame, { kind: "answer" }>): void {
  const waiting = calls.get(call);
  calls.delete(call);
  if (error) waiting?.reject(decodeError(error));
  else waiting?.resolve(value);
}

/** Waits for the lock that this host holds: it is granted the moment the host is gone. */
function watchHost(state: State): void {
  state.watching?.abort();
  const watching = new AbortController();
  state.watching = watching;
  navigator.locks
    .request(lifeLock(state.options.name, state.epoch), { mode: "shared", signal: watching.signal }, () => {
      if (watching.signal.aborted) return;
      if (state.ready) state.reach?.again(true);
      else state.gone = true;
    })
    .catch(() => undefined); // aborted: another watch has begun
}
