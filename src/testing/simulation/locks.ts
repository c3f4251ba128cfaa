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

/** `delay` draws the milliseconds that a grant takes. */
export function createLocks(world: World, delay: () => number): SimulatedLocks {
  const locks = new Map<string, Lock>();
  const watched = new WeakSet<Process>();

  const pump = (name: string, lock: Lock): void => {
    for (;;) {
      const [next] = lock.waiting;
      if (!next) break;
      const isFree = lock.held.length === 0 || (next.shared && lock.held.every(({ shared }) => shared));
      if (!isFree) return;
      lock.waiting.shift();
      lock.held.push(next);
      world.plan(next.process, delay(), `lock ${name}`, next.grant);
    }
    if (lock.held.length === 0) locks.delete(name);
  };
  const release = (name: string, lock: Lock, request: Request): void => {
    lock.held = lock.held.filter((one) => one !== request);
    pump(name, lock);
  };
  const watch = (process: Process): void => {
    if (watched.has(process)) return;
    watched.add(process);
    process.onEnd.add(() => {
      world.plan(world.machine, delay(), `locks of ${process.name} are let go of`, () => {
        for (const [name, lock] of [...locks]) {
          lock.held = lock.held.filter((one) => one.process !== process);
          lock.waiting = lock.waiting.filter((one) => one.process !== process);
          pump(name, lock);
        }
      });
    });
  };
  const list = (part: "held" | "waiting"): LockInfo[] =>
    [...locks].flatMap(([name, lock]) => lock[part].map(() => ({ name })));
  return {
    query: () => Promise.resolve({ held: list("held"), pending: list("waiting") }),
    request(name, given, last) {
      const { mode = "exclusive", signal } = typeof given === "function" ? ({} as LockOptions) : given;
      const granted = typeof given === "function" ? given : last;
      const process = world.current;
      watch(process);
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const lock = locks.get(name) ?? { held: [], waiting: [] };
        locks.set(name, lock);
        const end = (): void => {
          release(name, lock, request);
        };
        const request: Request = {
          process,
          shared: mode === "shared",
          grant() {
            const outcome = (async () => granted?.())();
            outcome.then(end, end);
            outcome.then(resolve, reject);
          },
        };
        lock.waiting.push(request);
        signal?.addEventListener("abort", () => {
          if (!lock.waiting.includes(request)) return; // it is granted already
          lock.waiting = lock.waiting.filter((one) => one !== request);
          reject(signal.reason as Error);
          pump(name, lock);
        });
        pump(name, lock);
      });
    },
  };
}
