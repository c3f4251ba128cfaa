/**
 * How busy workers keep their processors, where an agent has a bound for it. Nothing tells it, so it is sampled: pings
 * at random moments, of which the part that finds the worker busy is the part of its time that it is (Wolff, "Poisson
 * arrivals see time averages", 1982). A worker over the bound gets no new work; one that stays over it is ended.
 */
import { PING, type HostFrame } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";

/** Between two samples on average, in milliseconds. */
export const SAMPLE = 250;

/** The share is that of so many samples, ten seconds. */
export const WINDOW = 40;

/** A worker that is over its bound for so many samples more, twenty seconds, is ended. */
export const PATIENCE = 80;

/** A worker that needs longer than this to answer is busy, in milliseconds. */
export const LATE = 10;

/** The host itself was busy when a timer comes so late: the sample tells nothing. */
const SLACK = 5;

/** So many samples before a worker would be ended, its page is asked for a sign: a frozen page's workers are not busy. */
const NOTICE = 16;

/** A ping of our own, so that no answer is taken for that of a heartbeat's. */
const ASK: HostFrame = { ...PING, task: "duty" } as HostFrame;

export interface Duty {
  /** The worker was given an attempt. */
  start(link: string): void;
  /** Frames from the worker, still unchecked. */
  hear(link: string, frames: readonly unknown[]): void;
  /** The page that hosts the worker has given a sign. */
  alive(link: string): void;
  forget(link: string): void;
  stop(): void;
}

export interface DutyOptions {
  readonly engine: Pick<Engine, "state" | "submit">;
  readonly send: (link: string, frame: HostFrame) => void;
  /** Asks the link's page for a sign. */
  readonly probe: (link: string) => void;
  readonly kill: (link: string, error: ErrorData) => void;
  readonly now: () => number;
}

/** What is known of one worker. */
interface Record {
  /** Of the latest samples, which found it busy; and how many of them. */
  readonly samples: boolean[];
  at: number;
  busy: number;
  /** A ping is unanswered. */
  asked: boolean;
  /** Samples in a row for which the worker was over its bound. */
  over: number;
  /** Its page has answered. */
  alive: boolean;
}

interface State extends DutyOptions {
  readonly records: Map<string, Record>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export function createDuty(options: DutyOptions): Duty {
  const { engine } = options;
  const records = new Map<string, Record>();
  const state: State = { ...options, records, timer: undefined };
  return {
    start(link) {
      if (records.has(link) || boundOf(engine, link) >= 100) return;
      records.set(link, { samples: [], at: 0, busy: 0, asked: false, over: 0, alive: false });
      plan(state);
    },
    hear(link, frames) {
      const record = records.get(link);
      if (record?.asked && frames.some((frame) => (frame as { task?: unknown } | undefined)?.task === "duty"))
        record.asked = false;
    },
    alive(link) {
      const record = records.get(link);
      if (record) record.alive = true;
    },
    forget: (link) => void records.delete(link),
    stop() {
      clearTimeout(state.timer);
      records.clear();
    },
  };
}

function boundOf({ state }: DutyOptions["engine"], link: string): number {
  const { agents, links } = state.agents;
  return agents.get(links.get(link)?.agent ?? "")?.resourceLimits?.maxCPUPercent ?? 100;
}

function heldBy({ state }: DutyOptions["engine"], link: string): number {
  return state.agents.links.get(link)?.held ?? 0;
}

function plan(state: State): void {
  if (state.timer !== undefined || state.records.size === 0) return;
  state.timer = setTimeout(ask, SAMPLE * (0.5 + Math.random()) - LATE, state);
}

function ask(state: State): void {
  const { records, engine, send, now } = state;
  for (const [link, record] of records) {
    if (record.asked || heldBy(engine, link) === 0) continue; // what has nothing to do is idle, and what is late is busy
    record.asked = true;
    send(link, ASK);
  }
  state.timer = setTimeout(judge, LATE, state, now());
}

function judge(state: State, askedAt: number): void {
  state.timer = undefined;
  if (state.now() - askedAt <= LATE + SLACK) for (const [link, record] of state.records) note(state, link, record);
  plan(state);
}

function note(state: State, link: string, record: Record): void {
  const { engine, records } = state;
  const { samples, at, asked } = record;
  record.busy += Number(asked) - Number(samples[at] ?? false);
  samples[at] = asked;
  record.at = (at + 1) % WINDOW;
  if (samples.length < WINDOW) return;
  const percent = (record.busy / WINDOW) * 100;
  const isOver = percent > boundOf(engine, link);
  const strained = engine.state.agents.links.get(link)?.strained ?? false;
  if (isOver !== strained) engine.submit([{ type: "link.strain", data: { link, strained: isOver } }]);
  record.over = isOver ? record.over + 1 : 0;
  if (isOver) warn(state, link, record, percent);
  else if (record.busy === 0 && heldBy(engine, link) === 0) records.delete(link);
}

/** Ends a worker that has been over its bound for long, unless its page is frozen. */
function warn({ engine, probe, kill }: State, link: string, record: Record, percent: number): void {
  if (record.over === PATIENCE - NOTICE) {
    record.alive = false;
    probe(link);
  }
  if (record.over < PATIENCE) return;
  record.over = 0;
  if (!record.alive) return;
  const detail = { percent: Math.round(percent), limit: boundOf(engine, link) };
  kill(link, encodeError(new RuntimeError("agent/cpu-exceeded", detail)));
}
