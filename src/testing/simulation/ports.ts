/**
 * Message ports and broadcast channels. What is posted arrives in order, some time later, while the process at the other
 * end lives; what arrives before somebody listens waits.
 */
import { cloneMessage } from "./clone.ts";
import type { Process, World } from "./world.ts";

/** How messages travel. */
export interface Post {
  readonly world: World;
  /** Milliseconds that the next message takes. */
  delay(): number;
  /** How often a message is there a second time: only of what its sender may send again. */
  isEchoed(from: Process, data: unknown): boolean;
}

type Listener = (event: SimulatedMessage) => void;

/** The part of a MessageEvent that Troupe reads. */
export interface SimulatedMessage {
  readonly data: unknown;
  readonly ports: readonly SimulatedPort[];
}

/** A MessagePort of the simulation: a class because the platform's is one (`instanceof`). */
export class SimulatedPort {
  /** Where it lives; undefined while it is under way. */
  owner: Process | undefined;
  peer: SimulatedPort | undefined;
  readonly #post: Post;
  readonly #listeners = new Set<Listener>();
  #handler: Listener | null = null;
  #started = false;
  #closed = false;
  #early: (() => void)[] = [];
  #lastAt = 0;

  constructor(post: Post, owner: Process) {
    this.#post = post;
    this.owner = owner;
  }

  get onmessage(): Listener | null {
    return this.#handler;
  }

  set onmessage(handler: Listener | null) {
    this.#handler = handler;
    this.start();
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.#listeners.delete(listener);
  }

  start(): void {
    this.#started = true;
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#early = [];
  }

  postMessage(data: unknown, transfer: readonly unknown[] = []): void {
    const { world, isEchoed } = this.#post;
    const ports = transfer.filter((one) => one instanceof SimulatedPort);
    const copy = cloneMessage(data, (one) => one instanceof SimulatedPort);
    if (!world.spend()) return;
    for (const port of ports) port.owner = undefined;
    const { peer } = this;
    if (!peer || this.#closed || peer.#closed) return;
    peer.#travel({ data: copy, ports });
    if (ports.length === 0 && isEchoed(world.current, data))
      peer.#travel({ data: cloneMessage(data, (one) => one instanceof SimulatedPort), ports });
  }

  /** It has come to another process. */
  arrive(owner: Process): void {
    this.owner = owner;
    this.#flush();
  }

  #travel(message: SimulatedMessage): void {
    const { world, delay } = this.#post;
    if (this.owner === world.current) {
      this.#land(message, world.now()); // a channel within one thread
      return;
    }
    this.#lastAt = Math.max(this.#lastAt, world.now() + delay());
    this.#land(message, this.#lastAt);
  }

  /** Plans the delivery; without an owner it waits until there is one. */
  #land(message: SimulatedMessage, at: number): void {
    const { world } = this.#post;
    const { owner } = this;
    if (this.#closed) return;
    if (!owner || !this.#started) {
      this.#early.push(() => {
        this.#land(message, at);
      });
      return;
    }
    world.plan(owner, at - world.now(), describe(message.data), () => {
      if (this.#closed) return;
      if (this.owner !== owner) {
        this.#land(message, world.now()); // it went to another process meanwhile
        return;
      }
      for (const port of message.ports) port.arrive(owner);
      this.#handler?.(message);
      for (const listener of this.#listeners) listener(message);
    });
  }

  #flush(): void {
    if (!this.#started || !this.owner) return;
    for (const land of this.#early.splice(0)) land();
  }
}

export function createChannel(post: Post): { readonly port1: SimulatedPort; readonly port2: SimulatedPort } {
  const { current } = post.world;
  const [port1, port2] = [new SimulatedPort(post, current), new SimulatedPort(post, current)];
  port1.peer = port2;
  port2.peer = port1;
  return { port1, port2 };
}

/** A BroadcastChannel of the simulation. */
export interface SimulatedBroadcast {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(data: unknown): void;
  close(): void;
}

/** All channels of the origin, by name. */
export function createBroadcasts(post: Post): (name: string) => SimulatedBroadcast {
  const byName = new Map<string, Set<SimulatedBroadcast & { hear(data: unknown): void }>>();
  return (name) => {
    const { world, delay } = post;
    const owner = world.current;
    const all = byName.get(name) ?? new Set();
    byName.set(name, all);
    let lastAt = 0;
    const own = {
      onmessage: null as SimulatedBroadcast["onmessage"],
      postMessage(data: unknown): void {
        if (!world.spend()) return;
        for (const other of all) if (other !== own) other.hear(cloneMessage(data, () => false));
      },
      hear(data: unknown): void {
        lastAt = Math.max(lastAt, world.now() + delay());
        world.plan(owner, lastAt - world.now(), describe(data), () => {
          if (all.has(own)) own.onmessage?.({ data });
        });
      },
      close: () => void all.delete(own),
    };
    owner.onEnd.add(own.close);
    all.add(own);
    return own;
  };
}

/** A message in few words, for the story. */
function describe(data: unknown): string {
  if (Array.isArray(data)) return data.map(describe).join(", ");
  const { kind, frame, frames, task, attempt, link, type } = Object(data) as Readonly<Record<string, unknown>>;
  const inner = frames ?? frame;
  const parts = [kind ?? type, task, typeof attempt === "number" ? `#${attempt}` : undefined, link];
  const own = parts.filter((part) => typeof part === "string").join(" ");
  return inner === undefined ? own || typeof data : `${own} ${describe(inner)}`;
}
