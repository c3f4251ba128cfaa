/** Time that passes only when it is told to, put in the place of the platform's: for the thread of one door. */

export const START = 1_700_000_000_000;

interface Timer {
  readonly id: number;
  at: number;
  readonly every: number | undefined;
  readonly run: () => void;
}

let now = START;
let last = 0;
let timers: Timer[] = [];
let thrown: Error[] = [];

/** A timer is an object with `unref` in Node, a number in browsers; ours is a number. */
function add(run: (...args: unknown[]) => void, wait: number | undefined, every: boolean, args: unknown[]): number {
  const span = Math.max(0, Math.trunc(wait ?? 0) || 0);
  timers.push({
    id: ++last,
    at: now + span,
    every: every ? Math.max(1, span) : undefined,
    run: () => {
      run(...args);
    },
  });
  return last;
}

function remove(id: unknown): void {
  timers = timers.filter((timer) => timer.id !== id);
}

function first(): Timer | undefined {
  return timers.reduce<Timer | undefined>((one, other) => (one && one.at <= other.at ? one : other), undefined);
}

export const time = {
  now: (): number => now,
  reset(to: number): void {
    now = to;
    timers = [];
    thrown = [];
  },
  /** Moves to the next timer up to a moment, and runs it; without one to that moment, and gives false. */
  step(until: number): boolean {
    const timer = first();
    if (!timer || timer.at > until) {
      now = Math.max(now, until);
      return false;
    }
    now = Math.max(now, timer.at);
    if (timer.every === undefined) remove(timer.id);
    else timer.at = now + timer.every;
    timer.run();
    return true;
  },
  /** Throws what nobody has caught meanwhile. */
  check(): void {
    const [error] = thrown.splice(0);
    if (error) throw error;
  },
};

let pending = 0;

/** Calls of WebCrypto that are under way, on threads of their own. */
export const pendingCrypto = (): number => pending;

let installed = false;

/** Puts it in place, for good. Promises that nobody looks after are kept for {@link time.check}. */
export function installTime(): void {
  if (installed) return;
  installed = true;
  Object.assign(globalThis, {
    setTimeout: (run: () => void, wait?: number, ...args: unknown[]) => add(run, wait, false, args),
    setInterval: (run: () => void, wait?: number, ...args: unknown[]) => add(run, wait, true, args),
    clearTimeout: remove,
    clearInterval: remove,
  });
  Date.now = () => now;
  const keep = (reason: unknown): void => {
    thrown.push(reason instanceof Error ? reason : new Error("what was thrown is no error", { cause: reason }));
  };
  process.on("unhandledRejection", keep);
  process.on("uncaughtException", keep);
  const { subtle } = crypto;
  for (const name of ["digest", "verify", "importKey", "sign"] as const) {
    const plain = subtle[name].bind(subtle) as (...args: unknown[]) => Promise<unknown>;
    Object.defineProperty(subtle, name, {
      value: async (...args: unknown[]) => {
        pending++;
        try {
          return await plain(...args);
        } finally {
          pending--;
        }
      },
    });
  }
}
