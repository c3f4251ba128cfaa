/**
 * Puts the simulation in the place of the platform: the globals that Troupe's pages, hosts and agents use are those of
 * the process whose turn it is. Put back by {@link Realm.leave}.
 */
import { digest, sha256 } from "./sha256.ts";
import { createBroadcasts, createChannel, SimulatedPort } from "./ports.ts";
import { createLocks } from "./locks.ts";
import { createSharedWorkerClass, createWorkerClass, SCOPE, type Workshop } from "./workers.ts";
import type { Planned, Process, World } from "./world.ts";

export interface Realm {
  leave(): void;
  /** Runs the listeners of the process's global object; false when there are none. */
  dispatch(process: Process, type: string, event: object): boolean;
}

export interface RealmOptions extends Workshop {
  /** Milliseconds that a lock takes. */
  lockDelay(): number;
}

/** Where pages of the simulation are. */
const ORIGIN = "https://simulated.test";

let isEntered = false;

/** @throws Error when another simulation runs in this thread: globals can be replaced once */
export function enterRealm(options: RealmOptions): Realm {
  if (isEntered) throw new Error("one simulation at a time: another one runs in this thread");
  isEntered = true;
  const { world } = options;
  const RealDate = Date;
  const globals = { ...timersOf(world), ...scopeOf(world), ...platformOf(options), Date: dateOf(world, RealDate) };
  const before = new Map<string, PropertyDescriptor | undefined>();
  const put = (name: string, descriptor: PropertyDescriptor): void => {
    before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { ...descriptor, configurable: true });
  };
  for (const [name, value] of Object.entries(globals)) put(name, { value, writable: true });
  put("self", { get: () => selfOf(world) });
  const { random } = Math;
  Math.random = () => world.current.chance.next();
  const { now } = performance;
  performance.now = world.now;
  return {
    leave() {
      isEntered = false;
      Math.random = random;
      performance.now = now;
      for (const [name, descriptor] of before)
        if (descriptor) Object.defineProperty(globalThis, name, descriptor);
        else Reflect.deleteProperty(globalThis, name);
    },
    dispatch(process, type, event) {
      const listeners = [...(listenersOf(process).get(type) ?? [])];
      for (const listener of listeners) listener(event);
      return listeners.length > 0;
    },
  };
}

/** A timer that is longer overflows, and rings at once. */
const MAX_DELAY = 2 ** 31 - 1;

function timersOf(world: World): object {
  const timers = new Map<number, Planned>();
  let count = 0;
  const set = (every: boolean, run: (...args: unknown[]) => void, ms = 0, args: readonly unknown[] = []): number => {
    const id = ++count;
    const process = world.current;
    const wait = ms > MAX_DELAY || (every && ms < 1) ? 1 : ms;
    const plan = (): void => {
      timers.set(
        id,
        world.plan(process, wait, `timer of ${process.name}`, () => {
          if (every) plan();
          else timers.delete(id);
          run(...args);
        }),
      );
    };
    plan();
    return id;
  };
  const clear = (id: number | undefined): void => {
    const timer = timers.get(id ?? 0);
    if (timer) timer.cancelled = true;
    timers.delete(id ?? 0);
  };
  return {
    setTimeout: (run: () => void, ms?: number, ...args: unknown[]) => set(false, run, ms, args),
    setInterval: (run: () => void, ms?: number, ...args: unknown[]) => set(true, run, ms, args),
    clearTimeout: clear,
    clearInterval: clear,
  };
}

type Listener = (event: object) => void;

function listenersOf({ scope }: Process): Map<string, Set<Listener>> {
  const known = scope.get("listeners") as Map<string, Set<Listener>> | undefined;
  if (known) return known;
  const made = new Map<string, Set<Listener>>();
  scope.set("listeners", made);
  return made;
}

interface ListenOptions {
  readonly once?: boolean;
  readonly signal?: AbortSignal;
}

/** The global object of a worker: its port to whoever started it, and listeners. */
function scopeOf(world: World): object {
  const portOf = (): SimulatedPort | undefined => world.current.scope.get(SCOPE.port) as SimulatedPort | undefined;
  return {
    addEventListener(type: string, listener: Listener, { once = false, signal }: ListenOptions = {}) {
      const all = listenersOf(world.current);
      const some = all.get(type) ?? new Set();
      all.set(type, some);
      const added: Listener = (event) => {
        if (once) some.delete(added);
        listener(event);
      };
      some.add(added);
      signal?.addEventListener("abort", () => some.delete(added));
      const port = type === "message" ? portOf() : undefined;
      if (port) port.onmessage = added;
    },
    removeEventListener: () => undefined, // nobody's listeners are removed but by a signal
    postMessage: (data: unknown, transfer?: readonly unknown[]) => portOf()?.postMessage(data, transfer),
    reportError: (error: unknown) => {
      world.uncaught(world.current, error);
    },
  };
}

function selfOf(world: World): object {
  const { current } = world;
  const known = current.scope.get("self") as object | undefined;
  if (known) return known;
  const made = {
    name: current.scope.get(SCOPE.name),
    close: () => {
      world.kill(current, "it closed itself");
    },
  };
  current.scope.set("self", made);
  return made;
}

function platformOf(options: RealmOptions): object {
  const { world, lockDelay } = options;
  const broadcast = createBroadcasts(options);
  return {
    MessagePort: SimulatedPort,
    MessageEvent: function MessageEvent(type: string, { data }: { readonly data: unknown }) {
      return { type, data };
    },
    MessageChannel: function MessageChannel() {
      return createChannel(options);
    },
    BroadcastChannel: function BroadcastChannel(name: string) {
      return broadcast(name);
    },
    Worker: createWorkerClass(options),
    SharedWorker: createSharedWorkerClass(options),
    navigator: { locks: createLocks(world, lockDelay), hardwareConcurrency: 4 },
    location: new URL(`${ORIGIN}/`),
    document: { baseURI: `${ORIGIN}/` },
    crypto: cryptoOf(world),
    fetch: () => Promise.reject(new TypeError("a simulation has no network")),
  };
}

interface NodeCrypto {
  createHash(name: string): { update(bytes: Uint8Array): { digest(): Uint8Array } };
}

/** Node's is forty times as fast; what it gives is the same. */
const fast = (
  globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } }
).process?.getBuiltinModule?.("node:crypto") as NodeCrypto | undefined;

function cryptoOf(world: World): object {
  const fill = <T extends ArrayBufferView>(view: T): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let at = 0; at < bytes.length; at++) bytes[at] = world.current.chance.below(256);
    return view;
  };
  return {
    getRandomValues: fill,
    randomUUID() {
      const { chance } = world.current;
      return digest(`${chance.next()} ${chance.next()} ${chance.next()}`).slice(0, 32);
    },
    subtle: {
      digest: (_name: string, data: Uint8Array) =>
        Promise.resolve((fast?.createHash("sha256").update(data).digest() ?? sha256(data)).slice().buffer),
    },
  };
}

function dateOf(world: World, RealDate: DateConstructor): DateConstructor {
  return class extends RealDate {
    constructor(...given: readonly unknown[]) {
      super(...((given.length === 0 ? [world.wall()] : given) as [number]));
    }

    static override now(): number {
      return world.wall();
    }
  } as DateConstructor;
}
