/** The host: one engine, and the pages and workers around it. It decides nothing itself. */
import { calendar } from "../calendar/cron.ts";
import { openEngine, type Engine, type EngineOptions } from "../core/engine.ts";
import { encodeError, RuntimeError } from "../core/errors.ts";
import { createIds } from "../core/ids.ts";
import type { Journal, Vault } from "../core/ports.ts";
import type { HostFrame, HostPlace, Origin } from "../core/protocol.ts";
import type { Identify } from "./approving.ts";
import { withAudit, type AuditOptions } from "./audit.ts";
import { createAlarm, type Alarm } from "./alarm.ts";
import { createDefer } from "./defer.ts";
import { createLinks, type Links } from "./links.ts";
import { endedBy } from "./ends.ts";
import { createMailDesk, type MailDesk } from "./mail.ts";
import { createPool, type Pool } from "./pool.ts";
import { createSecrets } from "./secrets.ts";
import { createSessions, type Connection, type Sessions } from "./sessions.ts";
import { createSignals, type Signals } from "./signals.ts";
import { createSpawning, type Spawning } from "./spawning.ts";
import { createStreams, type Streams } from "./streams.ts";

export interface HostOptions {
  readonly journal: Journal;
  /** Default: none; tasks that are given secrets fail then. */
  readonly vault?: Vault | undefined;
  /** Version of the library, told to pages. */
  readonly version: string;
  readonly place: HostPlace;
  /** A page has so long to bring a worker that it was told to start, in milliseconds. Default 30,000. */
  readonly spawnPatience?: number;
  /** Finds out who is at a page, by what the page brings. Default: pages are believed, and that is recorded as a click. */
  readonly identify?: Identify | undefined;
  /** Calls back when the page that holds the lock is gone. */
  readonly watchLock: (lock: string, gone: () => void) => () => void;
  readonly audit?: AuditOptions;
  /** Events between two snapshots, at least. Default 20,000. */
  readonly snapshotEvery?: number | undefined;
}

export interface Host {
  readonly epoch: number;
  /** A page has come: `post` reaches it. Give its frames to the connection. */
  connect(post: (frame: HostFrame, transfer?: readonly unknown[]) => void): Connection;
  stop(error?: RuntimeError): Promise<void>;
  /** Resolves when it has stopped, with why. */
  readonly ended: Promise<RuntimeError>;
}

/** What stands around the engine; it comes to be once the engine has recovered. */
interface Around {
  readonly links: Links;
  readonly pool: Pool;
  readonly spawning: Spawning;
  readonly sessions: Sessions;
  readonly alarm: Alarm;
  readonly signals: Signals;
  readonly streams: Streams;
  readonly mail: MailDesk;
}

/** @throws RuntimeError what the journal throws when it can't be opened. */
export async function startHost(given: HostOptions): Promise<Host> {
  const journal = withAudit(given.journal, given.audit);
  const options = { ...given, journal };
  const ids = createIds(Date.now, Math.random);
  const life: { around?: Around; engine?: Engine; stopping?: Promise<void> } = {};
  let tellEnd: (error: RuntimeError) => void = () => undefined;
  const ended = new Promise<RuntimeError>((resolve) => (tellEnd = resolve));
  const end = async (error: RuntimeError): Promise<void> => {
    life.engine?.stop(error);
    if (life.around) stopAll(life.around, error);
    await journal.close().catch(() => undefined); // it may be what has broken
    tellEnd(error);
  };
  const stop = (error = new RuntimeError("host/closed")): Promise<void> => (life.stopping ??= end(error));

  const engine = await openOrClose({
    journal,
    clock: Date.now,
    calendar,
    random: Math.random,
    ids,
    defer: createDefer(),
    audited: journal.audit !== undefined,
    snapshotEvery: given.snapshotEvery,
    onCommitted(batch, events) {
      if (!life.around) return;
      const { links, pool, sessions, spawning, alarm, signals, streams, mail } = life.around;
      links.dispatch(events); // work first: pages can wait
      sessions.broadcast(batch);
      for (const event of events) {
        const task = endedBy(event);
        if (task === undefined) continue;
        signals.end(task);
        streams.end(task);
      }
      mail.follow(events);
      pool.follow(events);
      spawning.follow(events);
      spawning.consider();
      alarm.set();
    },
    onStopped: (error) => void stop(reasonOf(error)),
  });
  life.engine = engine;
  life.around = surround(options, engine, ids);
  if (life.stopping) stopAll(life.around, new RuntimeError("host/stopped")); // it has failed before it began
  journal.onLost((reason) => void stop(new RuntimeError("runtime/storage-lost", { reason })));
  return { epoch: engine.epoch, connect: life.around.sessions.connect, stop, ended };
}

/** A journal that can't be used isn't kept open: it would be in the way of the next one. */
async function openOrClose(options: EngineOptions): Promise<Engine> {
  try {
    return await openEngine(options);
  } catch (error) {
    await options.journal.close().catch(() => undefined);
    throw error;
  }
}

/** Pages are told what went wrong, not only that something did. */
function reasonOf(error: RuntimeError): RuntimeError {
  return error.cause instanceof RuntimeError ? error.cause : error;
}

function surround(
  { journal, vault, version, place, watchLock, spawnPatience, identify }: HostOptions,
  engine: Engine,
  ids: () => string,
): Around {
  const signals: Signals = createSignals((list) => {
    sessions.signal(list);
  });
  const streams = createStreams((task) => engine.state.tasks.tasks.has(task), Date.now);
  const mail = createMailDesk(engine);
  const secrets = createSecrets(engine, vault);
  const links = createLinks({ engine, journal, now: Date.now, signal: signals.add, streams, secrets, mail });
  const spawning = createSpawning({ engine, links, pages: () => sessions.spawners(), ids, patience: spawnPatience });
  const origin = (): Origin => ({
    database: engine.databaseId,
    epoch: engine.epoch,
    seq: engine.head,
  });
  const sessions: Sessions = createSessions({
    engine,
    journal,
    vault,
    links,
    signals,
    streams,
    mail,
    spawning,
    version,
    place,
    watchLock,
    origin,
    identify,
  });
  const pool = createPool({ engine, links, now: Date.now });
  return { links, pool, spawning, sessions, alarm: createAlarm(engine), signals, streams, mail };
}

function stopAll(
  { alarm, pool, spawning, links, signals, streams, mail, sessions }: Around,
  error: RuntimeError,
): void {
  alarm.stop();
  pool.stop();
  spawning.stop();
  links.stop();
  signals.stop();
  streams.stop();
  mail.stop();
  sessions.stop(encodeError(error));
}
