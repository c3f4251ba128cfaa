/** A host's links, pool and spawning around an engine, with workers and pages that a test speaks for. */
import { mock } from "node:test";
import { PING, type HostFrame } from "../../../src/core/agents/protocol.ts";
import type { Journal } from "../../../src/core/ports.ts";
import { createLinks, type Links } from "../../../src/workers/links.ts";
import { createMailDesk } from "../../../src/workers/mail.ts";
import { createPool, type Pool } from "../../../src/workers/pool.ts";
import { createSpawning, type Spawner, type Spawning } from "../../../src/workers/spawning.ts";
import { createSecrets } from "../../../src/workers/secrets.ts";
import { createStreams } from "../../../src/workers/streams.ts";
import { never, openWorld, type Host } from "../core/kit.ts";

export interface Yard {
  readonly world: Host;
  readonly links: Links;
  readonly pool: Pool;
  readonly spawning: Spawning;
  /** Frames that were posted, by link. */
  readonly posted: Map<string, HostFrame[]>;
  readonly killed: string[];
  readonly probed: string[];
  readonly ordered: [link: string, agent: string, page: string][];
  readonly pages: Spawner[];
  open(link: string, agent: string, page?: string): Promise<void>;
  /** Says that the worker has answered the ping. */
  answer(link: string): void;
}

export async function openYard(): Promise<Yard> {
  const around: { yard?: Yard } = {};
  const world = await openWorld(1, {
    behaviour: never,
    onCommitted(events) {
      around.yard?.links.dispatch(events);
      around.yard?.pool.follow(events);
      around.yard?.spawning.follow(events);
      around.yard?.spawning.consider();
    },
  });
  const { engine } = world;
  const streams = createStreams(() => true, Date.now);
  const mail = createMailDesk(engine);
  const links = createLinks({
    engine,
    mail,
    now: Date.now,
    signal: () => undefined,
    streams,
    journal: {} as Journal,
    secrets: createSecrets(engine, undefined),
  });
  const pages: Spawner[] = [];
  let count = 0;
  const ids = (): string => `ordered${String(++count)}`;
  const spawning = createSpawning({ engine, links, pages: () => pages, ids, patience: undefined });
  const yard: Yard = {
    world,
    links,
    pool: createPool({ engine, links, now: Date.now }),
    spawning,
    posted: new Map(),
    killed: [],
    probed: [],
    ordered: [],
    pages,
    async open(id, agent, session = "page") {
      spawning.arrived(id);
      const frames: HostFrame[] = [];
      yard.posted.set(id, frames);
      const post = (posted: readonly HostFrame[]): void => void frames.push(...posted);
      links.open({ id, agent, session, post, kill: () => yard.killed.push(id), probe: () => yard.probed.push(id) });
      await world.durable();
    },
    answer(link) {
      const { task, attempt, error } = PING as Extract<HostFrame, { kind: "abort" }>;
      links.receive(link, [{ kind: "failed", task, attempt, error }]);
    },
  };
  return (around.yard = yard);
}

export function pageOf({ ordered }: Yard, session: string, cores: number, ...offers: string[]): Spawner {
  return { session, cores, offers: new Set(offers), spawn: (link, agent) => ordered.push([link, agent, session]) };
}

/** Virtual time passes, and what it brought is durable. */
export async function pass({ world }: Yard, milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  await world.durable();
}
