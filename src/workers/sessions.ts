/** The pages that are connected: their commands in, batches and replies out. */
import * as v from "valibot";
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { Batch, Journal, Vault } from "../core/ports.ts";
import {
  PageFrameSchema,
  type HostFrame,
  type HostPlace,
  type Origin,
  type PageFrame,
  type Signal,
} from "../core/protocol.ts";
import { PROTOCOL } from "../core/version.ts";
import { pageOf, type Identify } from "./approving.ts";
import { decideOne } from "./deciding.ts";
import type { Links } from "./links.ts";
import type { MailDesk } from "./mail.ts";
import { answerQuery } from "./queries.ts";
import type { Signals } from "./signals.ts";
import type { Streams } from "./streams.ts";
import type { Spawner, Spawning } from "./spawning.ts";

type Post = (frame: HostFrame, transfer?: readonly unknown[]) => void;
type Said<K extends PageFrame["kind"]> = Extract<PageFrame, { readonly kind: K }>;
/** A host frame without its origin, which is added when it is posted. */
type Bare = HostFrame extends infer F ? (F extends HostFrame ? Omit<F, "origin"> : never) : never;

export interface SessionsOptions {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly vault: Vault | undefined;
  readonly links: Links;
  readonly signals: Pick<Signals, "latest">;
  readonly streams: Pick<Streams, "read">;
  readonly mail: MailDesk;
  readonly spawning: Spawning;
  readonly version: string;
  readonly place: HostPlace;
  readonly watchLock: (lock: string, gone: () => void) => () => void;
  readonly origin: () => Origin;
  readonly identify?: Identify | undefined;
}

/** The host's end of one page. */
export interface Connection {
  receive(frame: unknown, ports: readonly MessagePort[]): void;
}

export interface Sessions {
  connect(post: Post): Connection;
  broadcast(batch: Batch): void;
  signal(signals: readonly Signal[]): void;
  spawners(): Iterable<Spawner>;
  stop(error: ErrorData): void;
}

interface Session extends Spawner {
  offers: ReadonlySet<string>;
  cores: number;
  /** It wants the events beside what they change. */
  listening: boolean;
  /** Batches that came before the welcome, to be posted after it. */
  backlog: Bare[] | undefined;
  /** The number of its latest hello. */
  number: number;
  /** By the wire that its latest hello came over. */
  post: (frame: Bare, transfer?: readonly unknown[]) => void;
  unwatch: () => void;
}

/** So many ms pages and workers have to come to a new host. */
const PATIENCE = 10_000;

export function createSessions(options: SessionsOptions): Sessions {
  const { links, spawning, origin } = options;
  const sessions = new Map<string, Session>();

  const end = (id: string): void => {
    const session = sessions.get(id);
    if (!session) return;
    sessions.delete(id);
    if (sessions.size === 0) options.engine.hide();
    session.unwatch();
    spawning.forget(id);
    options.engine.submit([{ type: "page.offer", data: { session: id, agents: [] } }]);
    for (const link of links.ofSession(id)) links.close(link.id, "page-gone");
    options.mail.release(pageOf(id));
    spawning.consider();
  };
  /** What was taken of an earlier host, by whoever hasn't come to this one. */
  const orphans = setTimeout(() => {
    for (const consumer of options.engine.state.mail.held.keys()) {
      const id = consumer.slice(5); // behind "page:" or "link:"
      if (!sessions.has(id) && !links.has(id)) options.mail.release(consumer);
    }
  }, PATIENCE);

  return {
    connect(rawPost) {
      const post = (frame: Bare, transfer?: readonly unknown[]): void => {
        rawPost({ ...frame, origin: origin() }, transfer);
      };
      return { receive: createReceive(options, { sessions, post, end }) };
    },
    broadcast({ from, to, text }) {
      const parts = options.engine.changes(to);
      for (const { post, backlog, listening } of sessions.values()) {
        const frame = { kind: "batch", from, to, parts, ...(listening && { text }) } as const;
        if (backlog) backlog.push(frame);
        else post(frame);
      }
    },
    signal(signals) {
      for (const { post, backlog } of sessions.values()) if (!backlog) post({ kind: "signals", signals });
    },
    spawners: () => sessions.values(),
    stop(error) {
      clearTimeout(orphans);
      for (const { post, unwatch } of sessions.values()) {
        unwatch();
        post({ kind: "stopped", error });
      }
      sessions.clear();
    },
  };
}

interface Line {
  readonly sessions: Map<string, Session>;
  readonly post: Session["post"];
  readonly end: (id: string) => void;
}

/** Takes the frames of one page. */
function createReceive(options: SessionsOptions, { sessions, post, end }: Line): Connection["receive"] {
  let id: string | undefined;
  const hello = (frame: Said<"hello">): void => {
    if (frame.protocol !== PROTOCOL) {
      post({ kind: "stopped", error: incompatible(options, frame.protocol) });
      return;
    }
    if (id !== undefined && id !== frame.session) end(id);
    id = frame.session;
    const session = sessions.get(id) ?? createSession(id);
    if (frame.number < session.number) return; // late, over a wire that the page has left
    session.number = frame.number;
    sessions.set(id, session);
    session.unwatch();
    session.unwatch = options.watchLock(frame.lock, () => {
      end(frame.session);
    });
    session.post = post;
    session.listening = frame.listening;
    welcome(options, session);
  };
  return (raw, ports) => {
    const parsed = v.safeParse(PageFrameSchema, raw);
    if (!parsed.success) return; // nothing of ours
    const frame = parsed.output;
    if (frame.kind === "hello") {
      hello(frame);
      return;
    }
    const session = id === undefined ? undefined : sessions.get(id);
    // A page that talks to a host that was re-run under it must say hello first.
    if (!session) post({ kind: "stopped", error: encodeError(unknownSession()) });
    else if (frame.kind === "bye") {
      if (session.post === post) end(session.session); // or the page is back already, over another wire
    } else listen(options, session, frame, ports);
  };
}

function incompatible({ version }: SessionsOptions, page: number): ErrorData {
  return encodeError(new RuntimeError("host/incompatible", { page, host: PROTOCOL, version }));
}

function unknownSession(): RuntimeError {
  return new RuntimeError("host/unreachable", { reason: "this host doesn't know the page" });
}

/** What a page is taken to have that doesn't say. */
const UNKNOWN_CORES = 4;

function createSession(id: string): Session {
  const session: Session = {
    session: id,
    offers: new Set(),
    cores: UNKNOWN_CORES,
    listening: false,
    backlog: undefined,
    number: 0,
    post: () => undefined,
    unwatch: () => undefined,
    spawn: (link, agent) => {
      session.post({ kind: "spawn", link, agent });
    },
  };
  return session;
}

function welcome({ engine, links, signals, spawning, version, place }: SessionsOptions, session: Session): void {
  const { session: id, number, post } = session;
  const backlog: Bare[] = [];
  session.backlog = backlog;
  const { seq, text } = engine.show();
  const known = engine.state.hosting.sessions.get(id);
  engine.whenDurable((stopped) => {
    if (stopped || session.backlog !== backlog) return; // it has said hello again meanwhile
    const { mark = 0, refused = [] } = known ?? {};
    const own = links.ofSession(id).map((link) => link.id);
    const about = { number, place, protocol: PROTOCOL, version };
    post({ kind: "welcome", ...about, seq, state: text, mark, refused, links: own });
    for (const frame of backlog) post(frame);
    session.backlog = undefined;
    const progress = signals.latest();
    if (progress.length > 0) post({ kind: "signals", signals: progress });
    spawning.remind(session);
  });
}

function listen(
  options: SessionsOptions,
  session: Session,
  frame: Exclude<PageFrame, { kind: "hello" | "bye" }>,
  ports: readonly MessagePort[],
): void {
  const { links, spawning } = options;
  switch (frame.kind) {
    case "listen":
      session.listening = frame.on;
      return;
    case "commands":
      decide(options, session, frame);
      return;
    case "offer":
      session.offers = new Set(frame.agents);
      session.cores = frame.cores ?? UNKNOWN_CORES;
      options.engine.submit([{ type: "page.offer", data: { session: session.session, agents: frame.agents } }]);
      spawning.consider();
      return;
    case "memory":
      if (owns(links, session, frame.link)) links.weighed(frame.link, frame.bytes);
      return;
    case "joined":
      join(options, session, frame, ports[0]);
      return;
    case "left":
      if (frame.link.startsWith(PROBE)) {
        links.alive(frame.link.slice(PROBE.length));
        return;
      }
      spawning.failed(frame.link, frame.error);
      if (owns(links, session, frame.link)) links.close(frame.link, frame.cause, frame.error);
      spawning.consider();
      return;
    case "relay":
      if (owns(links, session, frame.link)) links.receive(frame.link, frame.frames);
      return;
    case "query":
      void answerQuery(options, session.session, frame.query).then((answer) => {
        const transfer = answer.value instanceof Uint8Array ? [answer.value.buffer] : [];
        session.post({ kind: "answer", call: frame.call, ...answer }, transfer);
      });
  }
}

/** A page is asked for a sign by an order that it can't carry out: an agent without a name. Pages of any release answer. */
const PROBE = "probe ";

function owns(links: Links, { session }: Session, link: string): boolean {
  return links.ofSession(session).some(({ id }) => id === link);
}

function join(
  { engine, links, spawning }: SessionsOptions,
  session: Session,
  { link, agent: id }: Said<"joined">,
  port: MessagePort | undefined,
): void {
  const agent = engine.state.agents.agents.get(id);
  const kill = (): void => {
    port?.close();
    session.post({ kind: "kill", link });
  };
  const ordered = spawning.arrived(link);
  const full = !ordered && agent && (links.ofAgent(id).length >= agent.workers || !spawning.hasRoom(session, id));
  const known = links.has(link);
  if (known) links.close(link, "killed"); // its worker serves the new port alone: what the old one carried is lost
  if (!agent || full || known) {
    kill();
    return;
  }
  if (port)
    port.onmessage = ({ data }: MessageEvent<unknown>) => {
      links.receive(link, data);
    };
  links.open({
    id: link,
    agent: id,
    session: session.session,
    post: (frames) => {
      if (port) port.postMessage(frames, transferOf(frames));
      else session.post({ kind: "relay", link, frames });
    },
    kill,
    probe: () => {
      session.post({ kind: "spawn", link: PROBE + link, agent: "" });
    },
  });
  spawning.consider();
}

/** Bytes are handed over, not copied. */
function transferOf(frames: readonly object[]): Transferable[] {
  return frames.flatMap((frame) =>
    Object.values(frame).flatMap((value: unknown) =>
      value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [],
    ),
  );
}

/** Decides a page's commands; those that an earlier sending has brought already are only answered again. */
function decide(
  options: SessionsOptions,
  { session, post }: Session,
  { first, commands, acknowledged }: Said<"commands">,
): void {
  const { engine } = options;
  const before = engine.state.hosting.sessions.get(session);
  const mark = before?.mark ?? 0;
  // A gap: the page resends from its first unanswered command. What it has answers to is none, though the session
  // was forgotten meanwhile or the storage was lost.
  if (first > Math.max(mark, acknowledged) + 1) return;
  const refused: [number, ErrorData][] = [];
  let number = first;
  for (const raw of commands) {
    if (number > mark) {
      const refusal = decideOne(options, raw, session);
      if (refusal) refused.push([number, refusal]);
    }
    number++;
  }
  const reached = Math.max(mark, number - 1);
  if (reached > mark)
    engine.submit([{ type: "session.advance", data: { session, mark: reached, refused, acknowledged } }]);
  const known = (before?.refused ?? []).filter(([at]) => at >= first);
  engine.whenDurable((stopped) => {
    if (!stopped) post({ kind: "replies", mark: reached, refused: [...known, ...refused] });
  });
}
