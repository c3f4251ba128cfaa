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

export function createDuty({ engine, send, probe, kill, now }: DutyOptions): Duty {
  const records = new Map<string, Record>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const boundOf = (link: string): number => {
    const { agents, links } = engine.state.agents;
    return agents.get(links.get(link)?.agent ?? "")?.resourceLimits?.maxCPUPercent ?? 100;
  };
  const heldBy = (link: string): number => engine.state.agents.links.get(link)?.held ?? 0;
  const plan = (): void => {
    if (timer === undefined && records.size > 0) timer = setTimeout(ask, SAMPLE * (0.5 + Math.random()) - LATE);
  };
  const ask = (): void => {
    for (const [link, record] of records) {
      if (record.asked || heldBy(link) === 0) continue; // what has nothing to do is idle, and what is late is busy
      record.asked = true;
      send(link, ASK);
    }
    timer = setTimeout(judge, LATE, now());
  };
  const judge = (askedAt: number): void => {
    timer = undefined;
    if (now() - askedAt <= LATE + SLACK) for (const [link, record] of records) note(link, record);
    plan();
  };
  const note = (link: string, record: Record): void => {
    const { samples, at } = record;
    record.busy += Number(record.asked) - Number(samples[at] ?? false);
    samples[at] = record.asked;
    record.at = (at + 1) % WINDOW;
    const isIdle = record.busy === 0 && heldBy(link) === 0;
    if (samples.length < WINDOW) return;
    const strained = engine.state.agents.links.get(link)?.strained ?? false;
    const percent = (record.busy / WINDOW) * 100;
    const isOver = percent > boundOf(link);
    record.over = isOver ? record.over + 1 : 0;
    if (isOver !== strained) engine.submit([{ type: "link.strain", data: { link, strained: isOver } }]);
    if (isOver) warn(link, record, percent);
    else if (isIdle) records.delete(link);
  };
  const warn = (link: string, record: Record, percent: number): void => {
    if (record.over === PATIENCE - NOTICE) {
      record.alive = false;
      probe(link);
    }
    if (record.over < PATIENCE) return;
    record.over = 0;
    if (!record.alive) return;
    const detail = { percent: Math.round(percent), limit: boundOf(link) };
    kill(link, encodeError(new RuntimeError("agent/cpu-exceeded", detail)));
  };
  return {
    start(link) {
      if (records.has(link) || boundOf(link) >= 100) return;
      records.set(link, { samples: [], at: 0, busy: 0, asked: false, over: 0, alive: false });
      plan();
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
      clearTimeout(timer);
      records.clear();
    },
  };
}
