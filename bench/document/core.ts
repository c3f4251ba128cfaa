/** The core alone: the engine over a journal in memory, agents whose workers are there, and a page's mirror if one is wanted. */
import { createDiscovery, type Discovery } from "../../src/client/discovery.ts";
import { createMirror, type Mirror } from "../../src/client/mirror.ts";
import { openEngine, type Engine } from "../../src/core/engine.ts";
import type { CoreCommand, CoreEvent } from "../../src/core/runtime.ts";
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";
import { createMemoryDisk } from "../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../src/plugins/journals/memory.ts";
import { createChance } from "../../test/node/core/chance.ts";
import { join, registerAgent } from "../../test/node/core/things.ts";
import { demand } from "../page/measure.ts";

/** So many capabilities there are; each agent has three. */
const CAPABILITIES = 40;

export interface Core {
  readonly engine: Engine;
  readonly mirror: Mirror;
  readonly discovery: Discovery;
  /** Decides the commands, none of which may be refused, and waits until all that follows is in the journal. */
  submit(...commands: readonly CoreCommand[]): Promise<void>;
  follow(listener: (events: readonly CoreEvent[]) => void): void;
}

export interface CoreOptions {
  /** So many agents are registered; each has a worker with one slot. Default 0. */
  readonly agents?: number;
  /** A page looks on. Default false. */
  readonly mirrored?: boolean;
  /** Is told the text of every batch. */
  readonly onText?: (text: string) => void;
}

export async function openCore({ agents = 0, mirrored = false, onText }: CoreOptions = {}): Promise<Core> {
  const mirror = createMirror({ finished: () => undefined, unregistered: () => undefined });
  const listeners: ((events: readonly CoreEvent[]) => void)[] = [];
  let count = 0;
  let isShown = false;
  const engine: Engine = await openEngine({
    journal: createMemoryJournal({ disk: createMemoryDisk() }),
    clock: Date.now,
    random: createChance(1).next,
    ids: () => `id${String(++count)}`,
    defer: (flush) => {
      queueMicrotask(flush);
    },
    onCommitted: ({ to, text }, events) => {
      onText?.(text);
      if (isShown) mirror.advance(engine.changes(to), to);
      for (const listener of listeners) listener(events);
    },
  });
  const submit = async (...commands: readonly CoreCommand[]): Promise<void> => {
    const refused = engine.submit(commands);
    demand(refused.length === 0, refused[0]?.[1].message ?? "");
    await durable(engine);
  };
  for (let from = 0; from < agents; from += 1_000)
    await submit(
      ...Array.from({ length: Math.min(1_000, agents - from) }, (_, at) => serving(from + at)).flat(), // as frames come
    );
  if (mirrored) {
    const { text, seq } = engine.show();
    mirror.reset(text, seq, 1);
    isShown = true;
  }
  return {
    engine,
    mirror,
    discovery: createDiscovery(mirror),
    submit,
    follow(listener) {
      listeners.push(listener);
    },
  };
}

function durable(engine: Engine): Promise<void> {
  return new Promise((resolve, reject) => {
    engine.whenDurable((stopped) => {
      if (stopped) reject(stopped);
      else resolve();
    });
  });
}

export const capability = (at: number): string => `c${String(at % CAPABILITIES)}`;

/** Three of them, so that agents overlap. */
export const capabilitiesOf = (at: number): string[] => [
  capability(at),
  capability(at * 7 + 1),
  capability(at * 13 + 2),
];

function serving(at: number): CoreCommand[] {
  const name = `agent${String(at)}`;
  return [registerAgent(name, { capabilities: [...new Set(capabilitiesOf(at))] }), join(`link${String(at)}`, name)];
}

/** Layers of ten, each node behind two of the layer before: tasks of one capability. */
export function layered(id: string, size: number, wanted: string): WorkflowInput {
  const nodes = Array.from({ length: size }, (_, at) => ({
    id: `n${String(at)}`,
    type: "task" as const,
    capabilities: [wanted],
  }));
  const behind = nodes.slice(10);
  const left = behind.map(({ id: to }, at) => ({ from: `n${String(at)}`, to }));
  const right = behind.map(({ id: to }, at) => ({ from: `n${String(at - (at % 10) + ((at + 1) % 10))}`, to }));
  return { id, nodes, edges: [...left, ...right] };
}
