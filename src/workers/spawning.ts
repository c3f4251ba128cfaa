/** Orders pages to start workers for agents that have work waiting. */
import type { Engine } from "../core/engine.ts";
import type { ErrorData } from "../core/errors.ts";
import type { Links } from "./links.ts";

/** A page that can spawn. */
export interface Spawner {
  readonly session: string;
  readonly offers: ReadonlySet<string>;
  readonly spawn: (link: string, agent: string) => void;
}

export interface Spawning {
  /** Orders what is needed now. */
  consider(): void;
  /** True when the link was ordered and is welcome. */
  arrived(link: string): boolean;
  /** A worker that was ordered didn't come up. */
  failed(link: string, error: ErrorData | undefined): void;
  /** Orders to the page are void: it is gone. */
  forget(session: string): void;
  stop(): void;
}

interface Order {
  readonly agent: string;
  readonly session: string;
}

/** After a failed start the next one waits, twice as long each time, up to half a minute. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

export function createSpawning(
  engine: Engine,
  links: Links,
  pages: () => Iterable<Spawner>,
  ids: () => string,
): Spawning {
  const orders = new Map<string, Order>();
  const failures = new Map<string, number>();
  const waits = new Map<string, ReturnType<typeof setTimeout>>();

  const ordered = (agent: string): number => [...orders.values()].filter((order) => order.agent === agent).length;
  const pick = (agent: string): Spawner | undefined => {
    let best: Spawner | undefined;
    let load = Infinity;
    for (const page of pages()) {
      if (!page.offers.has(agent)) continue;
      const own =
        links.ofSession(page.session).length +
        [...orders.values()].filter(({ session }) => session === page.session).length;
      if (own < load) [best, load] = [page, own];
    }
    return best;
  };
  const consider = (): void => {
    for (const [id, queued] of engine.scheduler.waiting()) {
      const agent = engine.state.agents.agents.get(id);
      if (!agent || queued === 0 || waits.has(id)) continue;
      let coming = ordered(id);
      const room = agent.workers - links.ofAgent(id).length;
      while (coming < room && coming * agent.slots < queued) {
        const page = pick(id);
        if (!page) break;
        const link = ids();
        orders.set(link, { agent: id, session: page.session });
        page.spawn(link, id);
        coming++;
      }
    }
  };

  return {
    consider,
    arrived(link) {
      const order = orders.get(link);
      if (!order) return false;
      orders.delete(link);
      failures.delete(order.agent);
      return true;
    },
    failed(link, error) {
      const order = orders.get(link);
      if (!order) return;
      orders.delete(link);
      const { agent } = order;
      if (error) engine.submit([{ type: "agent.fault", data: { id: agent, error } }]);
      const count = (failures.get(agent) ?? 0) + 1;
      failures.set(agent, count);
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (count - 1));
      waits.set(
        agent,
        setTimeout(() => {
          waits.delete(agent);
          consider();
        }, wait),
      );
    },
    forget(session) {
      for (const [link, order] of orders) if (order.session === session) orders.delete(link);
    },
    stop() {
      for (const timer of waits.values()) clearTimeout(timer);
    },
  };
}
