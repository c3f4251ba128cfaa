/**
 * The host as it is behind a page's port, on virtual time: engine, sessions, links and all that is around them, with one
 * page whose every frame passes the algorithm of ports, and workers whose frames the page relays.
 */
import { calendar } from "../../src/calendar/cron.ts";
import { openEngine, type Engine } from "../../src/core/engine.ts";
import type { HostFrame as WorkerFrame } from "../../src/core/agents/protocol.ts";
import { encodeError, type ErrorData, type RuntimeError } from "../../src/core/errors.ts";
import { createIds } from "../../src/core/ids.ts";
import type { HostFrame, Origin } from "../../src/core/protocol.ts";
import { applyEvent, restoreState, saveState, type CoreEvent } from "../../src/core/runtime.ts";
import { decodeEvents } from "../../src/core/events.ts";
import { createStage } from "../../src/core/stage.ts";
import { PROTOCOL } from "../../src/core/version.ts";
import { createMemoryDisk, type MemoryDisk } from "../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../src/plugins/journals/memory.ts";
import { createMemoryVault } from "../../src/plugins/vaults/memory.ts";
import { createAlarm, type Alarm } from "../../src/workers/alarm.ts";
import { withAudit } from "../../src/workers/audit.ts";
import { createLinks } from "../../src/workers/links.ts";
import { createMailDesk } from "../../src/workers/mail.ts";
import { createPool } from "../../src/workers/pool.ts";
import { createSecrets } from "../../src/workers/secrets.ts";
import { createSessions, type Connection, type Sessions } from "../../src/workers/sessions.ts";
import { createSignals } from "../../src/workers/signals.ts";
import { createSpawning } from "../../src/workers/spawning.ts";
import { createStreams } from "../../src/workers/streams.ts";
import { Finding } from "./door.ts";
import type { Tape } from "./tape.ts";
import { pendingCrypto, START, time } from "./virtual-time.ts";

/** What the page was told since it was last asked. */
export interface Told {
  readonly refused: readonly (readonly [number, ErrorData])[];
  readonly replies: number;
  readonly answers: readonly Extract<HostFrame, { kind: "answer" }>[];
  /** Frames for workers, by link. */
  readonly orders: readonly (readonly [link: string, frame: WorkerFrame])[];
  readonly killed: readonly string[];
}

export interface Stand {
  readonly engine: Engine;
  /** Events that were written since {@link Stand.said} was last called. */
  readonly events: readonly CoreEvent[];
  /** Posts a frame over the page's port, waits until nothing is under way, and checks what always has to hold. */
  post(frame: unknown): Promise<Told>;
  /** Commands of the page, under its next numbers. */
  command(...commands: unknown[]): Promise<Told>;
  ask(query: unknown): Promise<Told>;
  /** Frames of a worker, as its page relays them. */
  relay(link: string, frames: unknown): Promise<Told>;
  /** Lets virtual time pass. */
  advance(milliseconds: number): Promise<Told>;
  /** The state without what every command changes: the numbers of the page's commands. */
  state(): string;
  /** The next number of a command. */
  readonly next: number;
  /** The page says hello, under its own session unless another is named. */
  hello(session?: string): Promise<Told>;
  /** Checks that the journal tells the same as the state, that the state survives its text, and that work goes on. */
  prove(): Promise<void>;
  stop(): void;
}

export interface StandOptions {
  readonly audited?: boolean;
  readonly disk?: MemoryDisk;
}

const SESSION = "s1";

export async function openStand(
  tape: Tape,
  { audited = false, disk = createMemoryDisk({ databaseId: () => "fuzz" }) }: StandOptions = {},
): Promise<Stand> {
  time.reset(START);
  const plain = createMemoryJournal({ disk });
  const journal = audited ? withAudit(plain) : plain;
  const seed = tape.below(1_000_000);
  let word = seed;
  const random = (): number => (word = (word * 48_271 + 11) % 2_147_483_647) / 2_147_483_647;
  const around: Partial<Surroundings> = {}; // it comes to be once the engine has recovered
  const stopped: { why?: RuntimeError } = {};
  const told = createTold();
  const events: CoreEvent[] = [];
  const defer = (flush: () => void): void => {
    queueMicrotask(flush);
  };
  const engine = await openEngine({
    journal,
    clock: time.now,
    calendar,
    random,
    ids: createIds(time.now, random),
    defer,
    audited,
    onCommitted(batch, some) {
      events.push(...some);
      around.follow?.(some);
      around.sessions?.broadcast(batch);
    },
    onStopped: (error) => (stopped.why = error),
  });
  const { sessions, alarm, end } = Object.assign(around, surround(engine, journal, random));
  const connection = sessions.connect((frame) => {
    told.hear(frame);
  });
  let calls = 0;
  let hellos = 0;
  let current = SESSION;
  const nextNumber = (): number => (engine.state.hosting.sessions.get(current)?.mark ?? 0) + 1;

  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 2;) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = pendingCrypto() > 0 ? 0 : quiet + 1;
    }
    alarm.set();
    if (stopped.why) throw new Finding(`stopped ${kindOf(stopped.why)}`, stopped.why.message, stopped.why.cause);
    time.check();
  };
  const post = async (frame: unknown): Promise<Told> => {
    receive(connection, frame);
    await settle();
    return told.take();
  };
  const stand: Stand = {
    engine,
    events,
    get next() {
      return nextNumber();
    },
    post,
    hello(session = SESSION) {
      current = session;
      const about = { protocol: PROTOCOL, version: "0.1.0", lock: "l", listening: true };
      hellos = Math.max(hellos + 1, 2 ** 52);
      return post({ kind: "hello", number: hellos, session, ...about });
    },
    async command(...commands) {
      const first = nextNumber();
      return post({ kind: "commands", first, acknowledged: first - 1, commands });
    },
    ask: (query) => post({ kind: "query", call: ++calls, query }),
    relay: (link, frames) => post({ kind: "relay", link, frames }),
    async advance(milliseconds) {
      const until = time.now() + milliseconds;
      while (time.step(until)) await settle();
      return told.take();
    },
    state: () => {
      const { text } = engine.capture();
      return text.slice(text.indexOf(',"tasks":{'));
    },
    prove: () => prove(stand, disk),
    stop() {
      end();
      engine.stop();
      time.reset(START);
    },
  };
  await stand.hello();
  return stand;
}

/** What a port can't carry never arrives. */
function receive(connection: Connection, frame: unknown): void {
  let posted: unknown;
  try {
    posted = structuredClone(frame);
  } catch {
    return;
  }
  connection.receive(posted, []);
}

function kindOf({ cause, code }: RuntimeError): string {
  const place = cause instanceof Error ? (/\/(src\/[^)\s]+:\d+)/u.exec(cause.stack ?? "")?.[1] ?? cause.message) : code;
  return place;
}

interface Surroundings {
  readonly sessions: Sessions;
  readonly alarm: Alarm;
  readonly follow: (events: readonly CoreEvent[]) => void;
  readonly end: () => void;
}

/** As host.ts puts it together. */
function surround(
  engine: Engine,
  journal: Parameters<typeof createLinks>[0]["journal"],
  random: () => number,
): Surroundings {
  const vault = createMemoryVault();
  const signals = createSignals((list) => {
    sessions.signal(list);
  });
  const streams = createStreams((task) => engine.state.tasks.tasks.has(task), time.now);
  const mail = createMailDesk(engine);
  const secrets = createSecrets(engine, vault);
  const links = createLinks({ engine, journal, now: time.now, signal: signals.add, streams, secrets, mail });
  const ids = createIds(time.now, random);
  const spawning = createSpawning({ engine, links, pages: () => sessions.spawners(), ids });
  const origin = (): Origin => ({ database: engine.databaseId, epoch: engine.epoch, seq: engine.head });
  const sessions: Sessions = createSessions({
    engine,
    journal,
    vault,
    links,
    signals,
    streams,
    mail,
    spawning,
    version: "0.1.0",
    place: "page",
    watchLock: () => () => undefined,
    origin,
  });
  const pool = createPool({ engine, links, now: time.now });
  const alarm = createAlarm(engine);
  return {
    sessions,
    alarm,
    follow(events) {
      links.dispatch(events);
      mail.follow(events);
      pool.follow(events);
      spawning.follow(events);
      spawning.consider();
    },
    end() {
      for (const part of [alarm, pool, spawning, links, signals, streams, mail]) part.stop();
      sessions.stop(encodeError(new Error("over")));
    },
  };
}

function createTold(): { hear(frame: HostFrame): void; take(): Told } {
  const none = (): {
    refused: (readonly [number, ErrorData])[];
    replies: number;
    answers: Extract<HostFrame, { kind: "answer" }>[];
    orders: (readonly [string, WorkerFrame])[];
    killed: string[];
  } => ({ refused: [], replies: 0, answers: [], orders: [], killed: [] });
  let heard = none();
  return {
    hear(posted) {
      const frame = structuredClone(posted); // what can't be posted would have thrown in the host
      if (frame.kind === "replies") {
        heard.replies++;
        heard.refused.push(...frame.refused);
      } else if (frame.kind === "answer") heard.answers.push(frame);
      else if (frame.kind === "kill") heard.killed.push(frame.link);
      else if (frame.kind === "relay")
        for (const each of frame.frames as WorkerFrame[]) heard.orders.push([frame.link, each]);
    },
    take() {
      const taken = heard;
      heard = none();
      return taken;
    },
  };
}

async function prove(stand: Stand, disk: MemoryDisk): Promise<void> {
  const { engine } = stand;
  await stand.hello("prober");
  const id = `probe ${String(engine.head)}`;
  const { refused, replies } = await stand.command({
    type: "task.create",
    data: { id, capabilities: ["probe"], input: "1" },
  });
  if (replies !== 1 || refused.length > 0 || !engine.state.tasks.tasks.has(id))
    throw new Finding("no probe", `a task can't be created any more: ${JSON.stringify(refused)}`);
  const live = saveState(engine.state);
  const copy = createStage();
  restoreState(copy.state, live);
  if (saveState(copy.state) !== live) throw new Finding("restore differs", difference(live, saveState(copy.state)));
  const folded = createStage();
  for await (const { text } of createTail(disk).read(0))
    for (const event of decodeEvents(text)) applyEvent(folded.state, event);
  if (saveState(folded.state) !== live) throw new Finding("replay differs", difference(live, saveState(folded.state)));
}

/** Reads the batches on the disk without becoming their owner. */
function createTail(disk: MemoryDisk): { read(after: number): AsyncIterable<{ readonly text: string }> } {
  return {
    async *read(after) {
      const journal = createMemoryJournal({ disk });
      await journal.open();
      yield* journal.read(after);
    },
  };
}

function difference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 200);
  return `at ${String(at)}:\n  ${a.slice(from, at + 300)}\n  ${b.slice(from, at + 300)}`;
}
