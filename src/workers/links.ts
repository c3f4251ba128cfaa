/** The host's ends of the workers that serve agents: what is sent to them, and what of theirs is believed. */
import { holdingId, type LeaveCause } from "../core/agents/agent.ts";
import { MAX_FRAMES, type HostFrame } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { Journal } from "../core/ports.ts";
import type { Signal } from "../core/protocol.ts";
import type { CoreEvent, CoreEvents } from "../core/runtime.ts";
import { isActive } from "../core/tasks/task.ts";
import { isWhole, readWhole, type Recorded } from "./hand-over.ts";
import { createDuty, type Duty } from "./duty.ts";
import { createHeartbeat, type Heartbeat } from "./heartbeat.ts";
import { createIncoming, type Incoming } from "./incoming.ts";
import { beatOf, createLiveness, type Liveness } from "./liveness.ts";
import type { MailDesk } from "./mail.ts";
import type { Secrets } from "./secrets.ts";
import type { Streams } from "./streams.ts";
import { weigh, type Weighed } from "./weighing.ts";

/** After an abort a worker has so long to give up the attempt, in milliseconds; then it is killed. */
export const GRACE = 500;

/** Frames that a worker may send per second, beside answers to what it was given. */
const MAX_RATE = 10_000;

/** After so many its calls are answered when the second is over: whoever awaits them can't flood. */
const PACE = 8_000;

/** In milliseconds. */
const SECOND = 1_000;

export interface LinkEnd {
  readonly id: string;
  readonly agent: string;
  readonly session: string;
  /** Posts frames to the worker. */
  readonly post: (frames: readonly HostFrame[]) => void;
  /** Has the page end the worker. */
  readonly kill: () => void;
  /** Asks its page for a sign of life. */
  readonly probe: () => void;
}

export interface LinksOptions {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly now: () => number;
  readonly signal: (signal: Signal) => void;
  readonly streams: Streams;
  readonly mail: Pick<MailDesk, "take" | "release">;
  readonly secrets: Secrets;
}

export interface Links {
  open(end: LinkEnd): void;
  /** The worker is gone; its slots and attempts go back. */
  close(link: string, cause: LeaveCause, error?: ErrorData): void;
  /** Ends a worker that isn't needed any more. */
  end(link: string): void;
  /** Frames from the worker, still unchecked. */
  receive(link: string, frames: unknown): void;
  /** Sends what durable events mean for workers. */
  dispatch(events: readonly CoreEvent[]): void;
  /** The worker's page has answered a probe. */
  alive(link: string): void;
  /** The worker takes so many bytes of memory. */
  weighed(link: string, bytes: number): void;
  ofSession(session: string): readonly LinkEnd[];
  ofAgent(agent: string): readonly LinkEnd[];
  has(link: string): boolean;
  stop(): void;
}

interface OpenLink {
  readonly end: LinkEnd;
  out: HostFrame[];
  windowStart: number;
  /** Frames in this window, less what it was given to answer. */
  received: number;
  readonly weighed: Weighed;
}

interface State extends LinksOptions {
  readonly open: Map<string, OpenLink>;
  readonly liveness: Liveness;
  /** Timers of aborted attempts, by attempt; and of agents that were unregistered, by agent. */
  readonly graces: Map<string, ReturnType<typeof setTimeout>>;
  /** Links with frames to be posted at the end of this turn. */
  touched: Set<OpenLink>;
  readonly heartbeat: Heartbeat;
  readonly duty: Duty;
}

function createState(options: LinksOptions): State {
  const { engine, now } = options;
  const open = new Map<string, OpenLink>();
  const about = {
    engine,
    now,
    send: (link: string, frame: HostFrame): void => {
      send(state, link, frame);
    },
  };
  const heartbeat = createHeartbeat({ ...about, links: () => open.keys() });
  const duty = createDuty({
    ...about,
    probe: (link) => open.get(link)?.end.probe(),
    kill: (link, error) => {
      kill(state, link, "crashed", error);
    },
  });
  const liveness = createLiveness(engine, now);
  const state: State = { ...options, open, liveness, graces: new Map(), touched: new Set(), heartbeat, duty };
  return state;
}

export function createLinks(options: LinksOptions): Links {
  const state = createState(options);
  const { engine, now, open, heartbeat, duty, liveness } = state;
  const incoming: Incoming = createIncoming({
    ...options,
    holds: (link, { task, attempt }) => engine.state.agents.holdings.get(holdingId(task, attempt))?.link === link,
    send: (link, frame) => {
      send(state, link, frame);
    },
    sign: liveness.sign,
  });
  const ends = (): LinkEnd[] => [...open.values()].map(({ end }) => end);
  return {
    open(end) {
      open.set(end.id, { end, out: [], windowStart: now(), received: 0, weighed: {} });
      const { id: link, agent, session } = end;
      engine.submit([{ type: "link.join", data: { link, agent, session } }]);
    },
    close(link, cause, error) {
      close(state, link, cause, error);
    },
    end(link) {
      kill(state, link, "closed");
    },
    receive(id, frames) {
      const link = open.get(id);
      if (!link) return;
      heartbeat.heard(id);
      try {
        const list = measured(link, frames, now());
        duty.hear(id, list);
        incoming.receive(id, list);
      } catch (error) {
        if (!(error instanceof RuntimeError) || error.code === "host/stopped") throw error;
        kill(state, id, "crashed", encodeError(error)); // it can't be trusted with another frame
      }
    },
    dispatch(events) {
      for (const event of events) dispatch(state, event);
      incoming.follow(events);
      flush(state);
    },
    alive: duty.alive,
    weighed(id, bytes) {
      const link = open.get(id);
      const error = link && weigh(engine, id, link.weighed, bytes);
      if (error) kill(state, id, "crashed", error);
    },
    ofSession: (session) => ends().filter((end) => end.session === session),
    ofAgent: (agent) => ends().filter((end) => end.agent === agent),
    has: (link) => open.has(link),
    stop() {
      heartbeat.stop();
      duty.stop();
      for (const timer of state.graces.values()) clearTimeout(timer);
      liveness.stop();
      open.clear();
    },
  };
}

function send(state: State, link: string, frame: HostFrame): void {
  const target = state.open.get(link);
  if (!target) return;
  const rest = target.windowStart + SECOND - state.now();
  if (frame.kind === "answer" && target.received > PACE && rest > 0) {
    setTimeout(send, rest, state, link, frame);
    return;
  }
  target.out.push(frame);
  if (frame.kind === "run") target.received--; // its outcome is an answer, and no part of a flood
  if (state.touched.size === 0)
    queueMicrotask(() => {
      flush(state);
    });
  state.touched.add(target);
}

function flush(state: State): void {
  const due = state.touched;
  state.touched = new Set();
  for (const { end, out } of due) if (out.length > 0) end.post(out.splice(0));
}

function close(state: State, link: string, cause: LeaveCause, told?: ErrorData): void {
  const { open, engine, heartbeat, duty, secrets, mail } = state;
  if (!open.delete(link)) return;
  const error = secrets.cleanError(link, told);
  heartbeat.forget(link);
  duty.forget(link);
  mail.release(`link:${link}`);
  engine.submit([{ type: "link.leave", data: { link, cause, ...(error && { error }) } }]);
}

function kill(state: State, link: string, cause: LeaveCause, error?: ErrorData): void {
  state.open.get(link)?.end.kill();
  close(state, link, cause, error);
}

/** Tells the worker to give the attempt up, and kills it if its slot isn't free after the grace. */
function abort(state: State, link: string, task: string, attempt: number, error: ErrorData): void {
  send(state, link, { kind: "abort", task, attempt, error });
  const key = holdingId(task, attempt);
  const timer = setTimeout(() => {
    state.graces.delete(key);
    if (state.engine.state.agents.holdings.get(key)?.link === link) kill(state, link, "killed");
  }, GRACE);
  state.graces.set(key, timer);
}

/** Ends the workers of an agent that is gone: at once, or when what they ran had time to stop. */
function dismiss(state: State, { id, mode }: CoreEvents["agent.unregistered"]): void {
  const links = [...state.open.values()].filter(({ end }) => end.agent === id).map(({ end }) => end.id);
  const endAll = (): void => {
    for (const link of links) kill(state, link, "killed");
  };
  if (mode === "requeue") state.graces.set(id, setTimeout(endAll, GRACE));
  else endAll();
}

/** Refuses a flood before it is looked at. */
function measured(link: OpenLink, frames: unknown, at: number): readonly unknown[] {
  if (!Array.isArray(frames) || frames.length > MAX_FRAMES) {
    const expected = `a list of up to ${String(MAX_FRAMES)} frames`;
    throw new RuntimeError("agent/message-invalid", { expected });
  }
  if (at - link.windowStart >= SECOND) {
    link.windowStart = at;
    link.received = 0;
  }
  link.received += frames.length;
  if (link.received > MAX_RATE) throw new RuntimeError("agent/flooded", { frames: link.received, limit: MAX_RATE });
  return frames;
}

/** Why an attempt can't be handed over, and another one couldn't either. */
const HOPELESS: ReadonlySet<string> = new Set(["secret/unknown", "secret/not-granted", "task/input-invalid"]);

/** Sends an attempt when all of its texts were read; if they can't be, it has failed. */
async function handOver(state: State, link: string, run: Recorded): Promise<void> {
  const { engine, journal, open, secrets } = state;
  const { task: id, attempt } = run;
  const target = open.get(link);
  const isSecret = engine.state.tasks.tasks.get(id)?.secrets !== undefined;
  const isMeant = (): boolean => {
    const task = engine.state.tasks.tasks.get(id);
    return open.get(link) === target && task?.attempt === attempt && isActive(task);
  };
  try {
    const whole = await readWhole(journal, { link, isSecret }, run, secrets);
    if (isMeant()) send(state, link, whole);
  } catch (error) {
    const told = encodeError(error);
    const failure = { id, attempt, error: HOPELESS.has(told.code) ? { ...told, retryable: false } : told };
    const over = { link, task: id, attempt };
    if (isMeant())
      engine.submit([
        { type: "task.fail", data: failure },
        { type: "slot.release", data: over },
      ]);
  }
}

/** What a durable event means for workers. */
function dispatch(state: State, event: CoreEvent): void {
  const { tasks, agents } = state.engine.state;
  state.liveness.follow(event);
  switch (event.type) {
    case "task.assigned": {
      const { id, attempt, link } = event.data;
      const task = tasks.tasks.get(id);
      if (task?.attempt !== attempt || !isActive(task)) return; // decided otherwise meanwhile
      const { input, checkpoint, effects, capabilities } = task;
      const capability = capabilities[0] ?? "";
      const run = {
        kind: "run",
        task: id,
        attempt,
        capability,
        input,
        checkpoint,
        effects,
        beat: beatOf(task),
      } as const;
      if (isWhole(run) && !task.secrets) send(state, link, run);
      else void handOver(state, link, run);
      state.liveness.watch(task, attempt);
      state.heartbeat.start();
      state.duty.start(link);
      return;
    }
    case "task.failed": {
      const { id, attempt, link, held, error } = event.data;
      if (held && link !== undefined) abort(state, link, id, attempt, error);
      return;
    }
    case "task.cancelled": {
      const { id, attempt, reason, running } = event.data;
      const holding = agents.holdings.get(holdingId(id, attempt));
      if (!running || !holding) return;
      const error = { name: "AbortError", message: reason, code: "task/cancelled" };
      abort(state, holding.link, id, attempt, error);
      return;
    }
    case "task.interrupted": {
      // Its worker is still there when its run was paused, or its agent unregistered: then it may stop in order.
      const { id, attempt, link, reason, held } = event.data;
      const error = { name: "AbortError", message: reason, code: "task/interrupted" };
      if (held) abort(state, link, id, attempt, error);
      else if (state.open.has(link)) send(state, link, { kind: "abort", task: id, attempt, error });
      return;
    }
    case "agent.unregistered":
      dismiss(state, event.data);
      return;
    default:
  }
}
