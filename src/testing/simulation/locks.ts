/** The Web Locks of one origin. A process that ends lets go of what it holds, a moment later. */
import type { Process, World } from "./world.ts";

interface LockOptions {
  readonly mode?: "exclusive" | "shared";
  readonly signal?: AbortSignal;
}

type Granted = () => unknown;

interface Request {
  readonly process: Process;
  readonly shared: boolean;
  readonly grant: () => void;
}

interface LockInfo {
  readonly name: string;
}

export interface SimulatedLocks {
  query(): Promise<{ readonly held: readonly LockInfo[]; readonly pending: readonly LockInfo[] }>;
  request(name: string, options: LockOptions | Granted, granted?: Granted): Promise<unknown>;
}

interface Lock {
  held: Request[];
  waiting: Request[];
}

interface State {
  readonly world: World;
  readonly delay: () => number;
  readonly locks: Map<string, Lock>;
  readonly watched: WeakSet<Process>;
}

/** `delay` draws the milliseconds that a grant takes. */
export function createLocks(world: World, delay: () => number): SimulatedLocks {
  const state: State = { world, delay, locks: new Map(), watched: new WeakSet() };
  const list = (part: "held" | "waiting"): LockInfo[] =>
    [...state.locks].flatMap(([name, lock]) => lock[part].map(() => ({ name })));
  return {
    query: () => Promise.resolve({ held: list("held"), pending: list("waiting") }),
    request(name, given, last) {
      const options = typeof given === "function" ? {} : given;
      return request(state, name, options, typeof given === "function" ? given : last);
    },
  };
}

function request(
  state: State,
  name: string,
  { mode = "exclusive", signal }: LockOptions,
  granted: Granted = () => undefined,
): Promise<unknown> {
  const { locks, world } = state;
  const process = world.current;
  if (!process.alive) return new Promise(() => undefined); // it died in this turn
  watch(state, process);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const lock = locks.get(name) ?? { held: [], waiting: [] };
    locks.set(name, lock);
    const end = (): void => {
      lock.held = lock.held.filter((one) => one !== own);
      pump(state, name, lock);
    };
    const own: Request = {
      process,
      shared: mode === "shared",
      grant() {
        const outcome = new Promise((settle) => {
          settle(granted());
        });
        outcome.then(end, end);
        outcome.then(resolve, reject);
      },
    };
    lock.waiting.push(own);
    signal?.addEventListener("abort", () => {
      if (!lock.waiting.includes(own)) return; // it is granted already
      lock.waiting = lock.waiting.filter((one) => one !== own);
      reject(signal.reason as Error);
      pump(state, name, lock);
    });
    pump(state, name, lock);
  });
}

function pump({ world, delay, locks }: State, name: string, lock: Lock): void {
  for (;;) {
    const [next] = lock.waiting;
    if (!next) break;
    const isFree = lock.held.length === 0 || (next.shared && lock.held.every(({ shared }) => shared));
    if (!isFree) return;
    lock.waiting.shift();
    lock.held.push(next);
    world.plan(next.process, delay(), `lock ${name}`, next.grant);
  }
  if (lock.held.length === 0 && locks.get(name) === lock) locks.delete(name);
}

/** What a process holds is let go of when it is gone, a moment later. */
function watch(state: State, process: Process): void {
  const { world, delay, locks, watched } = state;
  if (watched.has(process)) return;
  watched.add(process);
  process.onEnd.add(() => {
    world.plan(world.machine, delay(), `locks of ${process.name} are let go of`, () => {
      for (const [name, lock] of [...locks]) {
        lock.held = lock.held.filter((one) => one.process !== process);
        lock.waiting = lock.waiting.filter((one) => one.process !== process);
        pump(state, name, lock);
      }
    });
  });
}
