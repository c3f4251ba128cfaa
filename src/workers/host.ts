/** The host: one engine, and the pages and workers around it. It decides nothing itself. */
import { openEngine } from "../core/engine.ts";
import { encodeError, RuntimeError } from "../core/errors.ts";
import { createIds } from "../core/ids.ts";
import type { Journal } from "../core/ports.ts";
import type { HostFrame, Origin, Signal } from "../core/protocol.ts";
import { createAlarm, type Alarm } from "./alarm.ts";
import { createDefer } from "./defer.ts";
import { createLinks, type Links } from "./links.ts";
import { createSessions, type Connection, type Sessions } from "./sessions.ts";
import { createSpawning } from "./spawning.ts";

export interface HostOptions {
  readonly journal: Journal;
  /** Version of the library, told to pages. */
  readonly version: string;
  /** Calls back when the page that holds the lock is gone. */
  readonly watchLock: (lock: string, gone: () => void) => () => void;
}

export interface Host {
  readonly epoch: number;
  /** A page has come: `post` reaches it. Give its frames to the connection. */
  connect(post: (frame: HostFrame, transfer?: readonly unknown[]) => void): Connection;
  stop(error?: RuntimeError): Promise<void>;
  /** Resolves when it has stopped, with why. */
  readonly ended: Promise<RuntimeError>;
}

/** Signals are gathered for so long before they are posted, in milliseconds. */
const SIGNAL_EVERY = 50;

/** @throws RuntimeError what the journal throws when it can't be opened. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { journal, version, watchLock } = options;
  const ids = createIds(Date.now, Math.random);
  let sessions: Sessions | undefined;
  let consider: (() => void) | undefined;
  let alarm: Alarm | undefined;
  let dispatch: Links["dispatch"] | undefined;

  const engine = await openEngine({
    journal,
    clock: Date.now,
    random: Math.random,
    ids,
    defer: createDefer(),
    onCommitted(batch, events) {
      dispatch?.(events); // work first: pages can wait
      sessions?.broadcast(batch);
      consider?.();
      alarm?.set();
    },
    onStopped: (error) => void stop(error),
  });
  alarm = createAlarm(engine);
  const signals = createSignals((list) => sessions?.signal(list));
  const links = createLinks({ engine, journal, now: Date.now, signal: signals.add });
  dispatch = links.dispatch;
  const origin = (): Origin => ({
    database: engine.databaseId,
    epoch: engine.epoch,
    seq: engine.head,
  });
  const spawning = createSpawning(engine, links, () => sessions?.spawners() ?? [], ids);
  consider = spawning.consider;
  sessions = createSessions({ engine, journal, links, spawning, version, watchLock, origin });
  let tellEnd: (error: RuntimeError) => void = () => undefined;
  const ended = new Promise<RuntimeError>((resolve) => (tellEnd = resolve));
  let stopping: Promise<void> | undefined;
  const stop = (error = new RuntimeError("host/closed")): Promise<void> =>
    (stopping ??= (async () => {
      engine.stop(error);
      alarm?.stop();
      spawning.stop();
      links.stop();
      signals.stop();
      sessions?.stop(encodeError(error));
      await journal.close();
      tellEnd(error);
    })());
  journal.onLost((reason) => void stop(new RuntimeError("runtime/storage-lost", { reason })));

  return { epoch: engine.epoch, connect: sessions.connect, stop, ended };
}

/** Gathers signals; of one task only the latest progress counts. */
function createSignals(post: (signals: readonly Signal[]) => void): {
  add(signal: Signal): void;
  stop(): void;
} {
  let progress = new Map<string, Signal>();
  let logs: Signal[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    const all = [...logs, ...progress.values()];
    progress = new Map();
    logs = [];
    post(all);
  };
  return {
    add(signal) {
      if (signal.kind === "progress") progress.set(signal.task, signal);
      else if (logs.length < 1_000) logs.push(signal);
      timer ??= setTimeout(flush, SIGNAL_EVERY);
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
