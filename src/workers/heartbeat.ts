/** Whether workers answer: those that hold attempts are pinged; one that is silent gets no new work until it answers. */
import { PING } from "../core/agents/protocol.ts";
import type { HostFrame } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";

/** Between two pings, in milliseconds. */
export const BEAT = 5_000;

/** So many pings in a row without an answer make a worker silent. */
const MISSES = 2;

export interface Heartbeat {
  /** Pings from now on, while any worker holds an attempt or is silent; else nothing ticks. */
  start(): void;
  /** The worker has said something, whatever it is. */
  heard(link: string): void;
  /** The worker is gone. */
  forget(link: string): void;
  stop(): void;
}

export interface HeartbeatOptions {
  readonly engine: Pick<Engine, "state" | "submit">;
  readonly links: () => Iterable<string>;
  readonly send: (link: string, frame: HostFrame) => void;
  readonly now: () => number;
}

export function createHeartbeat({ engine, links, send, now }: HeartbeatOptions): Heartbeat {
  const unanswered = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueAt = 0;

  const start = (): void => {
    if (timer !== undefined) return;
    dueAt = now() + BEAT;
    timer = setTimeout(beat, BEAT);
  };
  const beat = (): void => {
    timer = undefined;
    if (now() - dueAt > BEAT) unanswered.clear(); // the machine slept, and the workers with it
    let isNeeded = false;
    for (const link of links()) {
      const known = engine.state.agents.links.get(link);
      if (!known || (known.held === 0 && !known.silent)) {
        unanswered.delete(link);
        continue;
      }
      isNeeded = true;
      const missed = unanswered.get(link) ?? 0;
      if (missed >= MISSES && !known.silent) engine.submit([{ type: "link.silence", data: { link } }]);
      unanswered.set(link, missed + 1);
      send(link, PING);
    }
    if (isNeeded) start();
  };
  return {
    start,
    heard(link) {
      if (!unanswered.has(link)) return;
      unanswered.set(link, 0);
      if (engine.state.agents.links.get(link)?.silent) engine.submit([{ type: "link.hear", data: { link } }]);
    },
    forget(link) {
      unanswered.delete(link);
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
