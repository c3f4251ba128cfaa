/** Ends workers that are no longer needed: after their last attempt, or when they had nothing to do for long. */
import { isSpent } from "../core/agents/fold.ts";
import type { Engine } from "../core/engine.ts";
import type { CoreEvent } from "../core/runtime.ts";
import type { Links } from "./links.ts";

/** A worker that had nothing to do for so many milliseconds is ended, but for the fewest that its agent keeps. */
export const LINGER = 300_000;

export interface Pool {
  /** Follows durable events. */
  follow(events: readonly CoreEvent[]): void;
  stop(): void;
}

export interface PoolOptions {
  readonly engine: Pick<Engine, "state">;
  readonly links: Pick<Links, "end" | "ofAgent">;
  readonly now: () => number;
}

export function createPool({ engine, links, now }: PoolOptions): Pool {
  /** Since when a worker has had nothing to do, by link; the longest first. */
  const idle = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = (id: string): void => {
    const link = engine.state.agents.links.get(id);
    if (!link || link.held > 0) idle.delete(id);
    else if (isSpent(engine.state.agents, link)) {
      idle.delete(id);
      links.end(id);
    } else if (!idle.has(id)) idle.set(id, now());
  };
  const plan = (): void => {
    const [first] = idle.values();
    if (timer === undefined && first !== undefined) timer = setTimeout(shrink, Math.max(0, first + LINGER - now()));
  };
  const shrink = (): void => {
    timer = undefined;
    for (const [id, since] of idle) {
      if (now() - since < LINGER) break;
      idle.delete(id);
      const agent = engine.state.agents.links.get(id)?.agent ?? "";
      const fewest = engine.state.agents.agents.get(agent)?.minWorkers ?? 0;
      if (links.ofAgent(agent).length > fewest) links.end(id);
    }
    plan();
  };
  return {
    follow(events) {
      for (const { type, data } of events)
        if (CHANGES.has(type) && "link" in data && data.link !== undefined) look(data.link);
      plan();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}

/** The events by which a worker gets or gives back slots. */
const CHANGES: ReadonlySet<CoreEvent["type"]> = new Set([
  "link.joined",
  "link.left",
  "link.worn",
  "slot.released",
  "task.assigned",
  "task.completed",
  "task.failed",
  "task.interrupted",
]);
