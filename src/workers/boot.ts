/**
 * How a place becomes the host of a name, or stands by. One lock says who may: `troupe:<name>:host`. Whoever
 * doesn't get it at once asks the holder over the channel to step aside if it is older, and queues.
 * Pages reach the host by a port of their own (SharedWorker), or over the channel, from anywhere.
 */
import { encodeError, RuntimeError } from "../core/errors.ts";
import { hostLock, lifeLock } from "../core/locks.ts";
import type { Journal, Vault } from "../core/ports.ts";
import type { HostFrame, HostPlace } from "../core/protocol.ts";
import type { Identify } from "./approving.ts";
import type { AuditOptions } from "./audit.ts";
import { startHost, type Host } from "./host.ts";
import type { Connection } from "./sessions.ts";

/** What is said on the channel `troupe:<name>`. */
export type ChannelMessage =
  | { readonly to: "host"; readonly from: string; readonly frame: unknown }
  | { readonly to: "page"; readonly page: string; readonly frame: unknown }
  | { readonly to: "pages"; readonly kind: "host-up" }
  /** The place that may be host can't: pages that speak over the channel hear why. */
  | { readonly to: "pages"; readonly kind: "host-failed"; readonly frame: HostFrame }
  | { readonly to: "hosts"; readonly kind: "step-aside"; readonly version: string };

/** What a standing-by SharedWorker says on a port: the host is elsewhere; or now it is here. */
export interface Signpost {
  readonly signpost: "elsewhere" | "here";
}

export interface BootOptions {
  readonly name: string;
  /** What this place is: its pages are told. */
  readonly place: HostPlace;
  readonly version: string;
  readonly openJournal: () => Journal;
  readonly vault?: Vault | undefined;
  /** After a host that stopped the next one starts so much later, in milliseconds. Default 1,000. */
  readonly restartAfter?: number;
  /** A page has so long to bring a worker that it was told to start, in milliseconds. Default 30,000. */
  readonly spawnPatience?: number;
  /** As in {@link HostOptions}. */
  readonly identify?: Identify;
  readonly audit?: AuditOptions;
  readonly snapshotEvery?: number;
}

/** A place that can be the host. */
export interface Boot {
  /** A page's own port has come (SharedWorker). */
  attach(port: MessagePort): void;
  close(): Promise<void>;
}

/** The lock is looked for elsewhere when it doesn't come within so many milliseconds. */
const PATIENCE = 100;

const RESTART_AFTER = 1_000;

interface State {
  readonly options: BootOptions;
  readonly channel: BroadcastChannel;
  readonly closing: AbortController;
  readonly ports: Set<PortEnd>;
  /** Pages that speak over the channel, by session. */
  readonly connections: Map<string, Connection>;
  host: Host | undefined;
  /** Another place is the host. */
  standby: boolean;
  /** A newer version wants to be the host. */
  yielding: boolean;
  failure: RuntimeError | undefined;
}

export function bootHost(options: BootOptions): Boot {
  const state: State = {
    options,
    channel: new BroadcastChannel(`troupe:${options.name}`),
    closing: new AbortController(),
    ports: new Set(),
    connections: new Map(),
    host: undefined,
    standby: false,
    yielding: false,
    failure: undefined,
  };
  state.channel.onmessage = ({ data }: MessageEvent<ChannelMessage | null>) => {
    if (data) heard(state, data);
  };
  void run(state);
  return {
    attach(port) {
      const end = createPortEnd(port, () => state.ports.delete(end));
      state.ports.add(end);
      settlePort(state, end);
    },
    async close() {
      state.closing.abort();
      await state.host?.stop();
      state.channel.close();
    },
  };
}

function say({ channel }: State, message: ChannelMessage): void {
  channel.postMessage(message);
}

function heard(state: State, message: ChannelMessage): void {
  const { host, connections, options } = state;
  if (message.to === "hosts" && isNewer(message.version, options.version)) {
    state.yielding = true; // also when this one is still starting
    void host?.stop(superseded());
  }
  if (message.to !== "host" || !host) return;
  const page = message.from;
  let connection = connections.get(page);
  if (!connection) {
    connection = host.connect((frame) => {
      say(state, { to: "page", page, frame });
    });
    connections.set(page, connection);
  }
  connection.receive(message.frame, []);
  const { kind } = Object(message.frame) as { readonly kind?: unknown };
  if (kind === "bye") connections.delete(page);
}

function superseded(): RuntimeError {
  return new RuntimeError("host/stopped", { reason: "a newer version takes over" });
}

/** Tells a port what is known: who serves, where to look, or what went wrong. */
function settlePort({ host, standby, failure }: State, end: PortEnd): void {
  if (host) end.serve(host);
  else if (standby) end.signpost("elsewhere");
  else if (failure) end.fail(failure);
}

/** Queues for the lock again and again; whoever has it is the host until it stops. */
async function run(state: State): Promise<void> {
  while (!state.closing.signal.aborted) {
    await turn(state);
    if (state.failure?.code === "host/incompatible") return; // a newer version owns the database
    const { restartAfter = RESTART_AFTER } = state.options;
    if (!state.yielding) await new Promise((done) => setTimeout(done, restartAfter));
    state.yielding = false;
  }
}

async function turn(state: State): Promise<void> {
  const { options, closing, connections, ports } = state;
  const impatience = setTimeout(() => {
    lookElsewhere(state);
  }, PATIENCE);
  try {
    await navigator.locks.request(hostLock(options.name), { signal: closing.signal }, () => {
      clearTimeout(impatience);
      return serve(state).catch((error: unknown) => {
        state.failure = toRuntimeError(error);
        say(state, { to: "pages", kind: "host-failed", frame: stopFrame(state.failure) });
      });
    });
  } catch (error) {
    state.failure = toRuntimeError(error); // it is closing
  }
  clearTimeout(impatience);
  state.host = undefined;
  connections.clear();
  for (const end of ports) settlePort(state, end);
}

function lookElsewhere(state: State): void {
  state.standby = true;
  say(state, { to: "hosts", kind: "step-aside", version: state.options.version });
  for (const end of state.ports) end.signpost("elsewhere");
}

async function serve(state: State): Promise<void> {
  const { options, ports, closing } = state;
  state.standby = false;
  const journal = options.openJournal();
  const host = await startHost({ ...options, journal, watchLock });
  await new Promise<void>((held) => {
    void navigator.locks.request(lifeLock(options.name, host.epoch), () => {
      held();
      return host.ended;
    });
  });
  if (state.yielding) await host.stop(superseded());
  if (closing.signal.aborted) await host.stop();
  state.host = host;
  state.failure = undefined;
  for (const end of ports) end.serve(host);
  say(state, { to: "pages", kind: "host-up" });
  state.failure = await host.ended;
}

/** The host's side of one page's port; it keeps what comes before it is known who serves. */
interface PortEnd {
  serve(host: Host): void;
  signpost(where: Signpost["signpost"]): void;
  fail(error: RuntimeError): void;
}

function createPortEnd(port: MessagePort, onBye: () => void): PortEnd {
  let early: MessageEvent<unknown>[] = [];
  let connection: Connection | undefined;
  let directed = false;
  port.onmessage = (event: MessageEvent<unknown>) => {
    if (connection) connection.receive(event.data, event.ports);
    else if (!directed) early.push(event);
    const { kind } = Object(event.data) as { readonly kind?: unknown }; // it may be null
    if (kind === "bye") onBye();
  };
  return {
    serve(host) {
      connection = host.connect((frame: HostFrame, transfer = []) => {
        port.postMessage(frame, transfer as Transferable[]);
      });
      // Whoever was sent elsewhere comes back by itself; whoever waited is answered now.
      if (directed) port.postMessage({ signpost: "here" } satisfies Signpost);
      directed = false;
      for (const { data, ports } of early) connection.receive(data, ports);
      early = [];
    },
    signpost(where) {
      connection = undefined;
      directed = true;
      early = [];
      port.postMessage({ signpost: where } satisfies Signpost);
    },
    fail(error) {
      connection = undefined;
      early = [];
      port.postMessage(stopFrame(error));
    },
  };
}

function stopFrame(error: RuntimeError): HostFrame {
  return { kind: "stopped", error: encodeError(error), origin: { database: "", epoch: 0, seq: 0 } };
}

/** Calls back when the page that holds the lock is gone: the lock is granted to whoever waits for it. */
function watchLock(lock: string, gone: () => void): () => void {
  const ending = new AbortController();
  navigator.locks
    .request(lock, { signal: ending.signal, mode: "shared" }, () => {
      if (!ending.signal.aborted) gone();
    })
    .catch(() => undefined); // aborted: nobody asks any more
  return () => {
    ending.abort();
  };
}

function toRuntimeError(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new RuntimeError("host/unavailable", { reason }, { cause: error });
}

/** Compares major.minor.patch; what isn't a version is never newer. */
function isNewer(theirs: string, ours: string): boolean {
  const numbers = (text: string): number[] => (/^\d+\.\d+\.\d+/u.exec(text)?.[0] ?? "0.0.0").split(".").map(Number);
  const [a, b] = [numbers(theirs), numbers(ours)];
  for (const [place, number] of a.entries()) {
    const other = b[place] ?? 0;
    if (number !== other) return number > other;
  }
  return false;
}
