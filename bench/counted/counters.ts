/** Counts what wakes a thread up and what it writes: put under the platform's own functions before anything uses them. */

export interface Counts {
  /** Callbacks of timers that ran. */
  timers: number;
  /** Messages posted, over whatever port, worker or channel. */
  posts: number;
  reads: number;
  writes: number;
}

/** A thread that counts: the host, the page, or the worker of an agent. */
export type Part = "host" | "page" | "worker";

interface Told {
  readonly part: Part;
  readonly id: string;
  readonly counts: Counts;
}

const CHANNEL = "bench counts";
/** The platform's own, for whoever measures in a thread that counts. */
const ownTimeout = globalThis.setTimeout.bind(globalThis);
const ownPost = Reflect.get(BroadcastChannel.prototype, "postMessage") as (message: unknown) => void;

let isCounting = false;

/** From now on this thread counts, and tells when it is asked. */
export function countAs(part: Part): void {
  const counts: Counts = { timers: 0, posts: 0, reads: 0, writes: 0 };
  const id = crypto.randomUUID();
  if (isCounting) return;
  isCounting = true;
  const channel = new BroadcastChannel(CHANNEL);
  countTimers(counts);
  for (const { prototype } of posters()) countCalls(prototype, "postMessage", () => counts.posts++);
  if ("postMessage" in globalThis && part === "worker") countCalls(globalThis, "postMessage", () => counts.posts++);
  countCalls(IDBDatabase.prototype, "transaction", (_stores, mode) => {
    if (mode === "readwrite") counts.writes++;
    else counts.reads++;
  });
  channel.onmessage = ({ data }: MessageEvent<{ readonly ask?: true }>) => {
    if (data.ask) Reflect.apply(ownPost, channel, [{ part, id, counts: { ...counts } } satisfies Told]);
  };
}

function posters(): { readonly prototype: object }[] {
  const all = [MessagePort, BroadcastChannel];
  return "Worker" in globalThis ? [...all, Worker] : all;
}

/** Calls of a method are seen before they go on. */
function countCalls(target: object, name: string, seen: (...args: readonly unknown[]) => void): void {
  const own = Reflect.get(target, name) as (...args: unknown[]) => unknown;
  Reflect.set(target, name, function (this: unknown, ...args: unknown[]) {
    seen(...args);
    return Reflect.apply(own, this, args);
  });
}

function countTimers(counts: Counts): void {
  for (const name of ["setTimeout", "setInterval"] as const) {
    const own = globalThis[name] as (...args: unknown[]) => unknown;
    const counting = (run: (...args: unknown[]) => void, ...rest: unknown[]): unknown =>
      own(
        (...args: unknown[]) => {
          counts.timers++;
          run(...args);
        },
        ...rest,
      );
    Reflect.set(globalThis, name, counting);
  }
}

/** Uncounted, in a page that counts. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    ownTimeout(resolve, milliseconds);
  });

/** What each thread has counted so far, by an id of its own; as many as answer within a moment. */
export async function countedBy(parts: Readonly<Record<Part, number>>): Promise<Map<string, Told>> {
  const channel = new BroadcastChannel(CHANNEL);
  const told = new Map<string, Told>();
  const count = (part: Part): number => [...told.values()].filter((one) => one.part === part).length;
  channel.onmessage = ({ data }: MessageEvent<Partial<Told>>) => {
    if (data.part && data.id !== undefined && data.counts) told.set(data.id, data as Told);
  };
  Reflect.apply(ownPost, channel, [{ ask: true }]);
  const isThere = (part: Part): boolean => count(part) >= parts[part];
  while (!(["host", "page", "worker"] as const).every(isThere)) await pause(20);
  channel.close();
  return told;
}

type Answers = ReadonlyMap<string, Told>;

/** What was counted between two looks, summed by part. */
export function differences(before: Answers, after: Answers): Record<Part, Counts> {
  const none = (): Counts => ({ timers: 0, posts: 0, reads: 0, writes: 0 });
  const sums = { host: none(), page: none(), worker: none() };
  for (const [id, { part, counts }] of after)
    for (const key of ["timers", "posts", "reads", "writes"] as const)
      sums[part][key] += counts[key] - (before.get(id)?.counts[key] ?? 0);
  return sums;
}
