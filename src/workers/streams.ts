/**
 * What agents stream and log: kept in memory by task, so that every page can read it at its own pace and from any
 * place on. Readers ask for the next piece and are answered when there is one; an agent is answered when its readers
 * have caught up. Nothing of it is durable: a new host, and a new attempt, begin at 0.
 */
import type { StreamChannel, StreamPage } from "../core/protocol.ts";

/** Of one task and channel, in UTF-16 units; then the oldest go. */
const MAX_SIZE = 1 << 20;
const MAX_ITEMS = 10_000;

/** Of all tasks together; then those that were silent for longest go first. */
const MAX_TOTAL = 1 << 25;

/** A reader that is further behind holds the agent back … */
const WINDOW = 1_000;
/** … but no longer than this, in milliseconds: one frozen tab must not stop the work. It finds a gap then. */
const PATIENCE = 1_000;

/** A page has so long to ask for the next piece before it counts as gone, in milliseconds. */
const ABSENCE = 2_000;

/** A question that finds nothing new is answered after so long, in milliseconds. */
const HOLD = 20_000;

/** What has ended is kept for late readers so long, in milliseconds, and of so many tasks. */
const KEPT_FOR = 60_000;
const KEPT = 256;

/** The most items, and about the most units, of one answer. */
const PAGE_ITEMS = 2_000;
const PAGE_SIZE = 1 << 18;

export interface Streams {
  /** Takes items whose first one has this offset; calls back when the agent may go on. */
  write(of: Source, at: number, items: readonly string[], then?: () => void): void;
  /** The items from `from` on, as soon as there are any; fewer than none when the task has ended. */
  read(query: StreamQuery): Promise<StreamPage>;
  /** The task has ended: nothing more comes. */
  end(task: string): void;
  stop(): void;
}

export interface Source {
  readonly task: string;
  readonly attempt: number;
  readonly channel: StreamChannel;
}

export interface StreamQuery {
  readonly task: string;
  readonly channel: StreamChannel;
  readonly from: number;
  /** The attempt that `from` counts in, when it is known; another one is read from 0. Default 0: the present one. */
  readonly attempt: number;
  /** Names who reads, however often it asks. */
  readonly reader: string;
}

interface Reader {
  readonly at: number;
  readonly askedAt: number;
}

interface Waiting {
  readonly query: StreamQuery;
  readonly answer: (page: StreamPage) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** An agent that waits for its readers. */
interface Blocked {
  readonly then: () => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface Ring {
  attempt: number;
  /** The offset of the first item that is kept. */
  start: number;
  items: string[];
  size: number;
  ended: boolean;
  readonly readers: Map<string, Reader>;
  waiting: Waiting[];
  blocked: Blocked[];
}

interface State {
  /** Those that were written to last come last. */
  readonly rings: Map<string, Ring>;
  /** Units in all rings. */
  total: number;
  readonly expiries: Map<string, ReturnType<typeof setTimeout>>;
  readonly isLive: (task: string) => boolean;
  readonly now: () => number;
}

export function createStreams(isLive: (task: string) => boolean, now: () => number): Streams {
  const state: State = { rings: new Map(), total: 0, expiries: new Map(), isLive, now };
  return {
    write({ task, attempt, channel }, at, items, then) {
      const key = keyOf(task, channel);
      const ring = ringOf(state, key);
      state.rings.delete(key);
      state.rings.set(key, ring);
      if (attempt > ring.attempt) restart(state, ring, attempt);
      if (attempt === ring.attempt) append(state, ring, at, items);
      deliver(state, ring);
      if (!then) return;
      if (lag(state, ring) <= WINDOW) then();
      else block(ring, then);
    },
    read: (query) => read(state, query),
    end(task) {
      for (const channel of ["stream", "log"] as const) end(state, keyOf(task, channel));
    },
    stop() {
      for (const timer of state.expiries.values()) clearTimeout(timer);
      for (const { waiting, blocked } of state.rings.values())
        for (const { timer } of [...waiting, ...blocked]) clearTimeout(timer);
      state.rings.clear();
    },
  };
}

function keyOf(task: string, channel: StreamChannel): string {
  return `${channel} ${task}`;
}

function ringOf({ rings }: State, key: string): Ring {
  const known = rings.get(key);
  if (known) return known;
  const readers = new Map<string, Reader>();
  const ring = { attempt: 0, start: 0, items: [], size: 0, ended: false, readers, waiting: [], blocked: [] };
  rings.set(key, ring);
  return ring;
}

function restart(state: State, ring: Ring, attempt: number): void {
  drop(state, ring, ring.items.length);
  ring.attempt = attempt;
  ring.start = 0;
  ring.readers.clear();
  release(ring);
}

/** Lets go of the oldest items. */
function drop(state: State, ring: Ring, count: number): void {
  let size = 0;
  for (const item of ring.items.splice(0, count)) size += item.length;
  ring.start += count;
  ring.size -= size;
  state.total -= size;
}

/** What came before, by an earlier port of the worker, comes once. */
function append(state: State, ring: Ring, at: number, items: readonly string[]): void {
  const end = ring.start + ring.items.length;
  for (const item of items.slice(Math.max(0, end - at))) {
    ring.items.push(item);
    ring.size += item.length;
    state.total += item.length;
  }
  drop(state, ring, surplusOf(ring));
  for (const [key, silent] of state.rings) {
    if (state.total <= MAX_TOTAL) return;
    if (silent === ring) continue;
    drop(state, silent, silent.items.length);
    state.rings.delete(key);
    state.rings.set(key, silent); // it has nothing more to lose, and isn't looked at again soon
  }
}

/** How many of the oldest items are too much; the newest stays. */
function surplusOf({ items, size }: Ring): number {
  let surplus = Math.max(0, items.length - MAX_ITEMS);
  let left = size;
  for (let place = 0; place < surplus; place++) left -= items[place]?.length ?? 0;
  while (left > MAX_SIZE && surplus < items.length - 1) left -= items[surplus++]?.length ?? 0;
  return surplus;
}

/** How far the slowest of those who are there is behind. */
function lag({ now }: State, ring: Ring): number {
  const end = ring.start + ring.items.length;
  let most = 0;
  for (const [name, { at, askedAt }] of ring.readers) {
    if (now() - askedAt > ABSENCE) ring.readers.delete(name);
    else most = Math.max(most, end - at);
  }
  return most;
}

function block(ring: Ring, then: () => void): void {
  const timer = setTimeout(() => {
    ring.blocked = ring.blocked.filter((one) => one !== blocked);
    then();
  }, PATIENCE);
  const blocked: Blocked = { then, timer };
  ring.blocked.push(blocked);
}

function release(ring: Ring): void {
  const free = ring.blocked;
  ring.blocked = [];
  for (const { then, timer } of free) {
    clearTimeout(timer);
    then();
  }
}

function read(state: State, query: StreamQuery): Promise<StreamPage> {
  const key = keyOf(query.task, query.channel);
  const { from, reader } = query;
  if (!state.rings.has(key) && !state.isLive(query.task))
    return Promise.resolve({ attempt: query.attempt, from, items: [], ended: true });
  const ring = ringOf(state, key);
  ring.readers.set(reader, { at: wantedOf(ring, query), askedAt: state.now() });
  if (lag(state, ring) <= WINDOW) release(ring);
  const page = pageOf(ring, query);
  if (page.items.length > 0 || page.ended) return Promise.resolve(page);
  return new Promise((answer) => {
    const timer = setTimeout(() => {
      ring.waiting = ring.waiting.filter((one) => one !== waiting);
      answer(pageOf(ring, query));
    }, HOLD);
    const waiting: Waiting = { query, answer, timer };
    ring.waiting.push(waiting);
  });
}

function wantedOf(ring: Ring, { from, attempt }: StreamQuery): number {
  return attempt === 0 || attempt === ring.attempt ? from : 0;
}

function pageOf(ring: Ring, query: StreamQuery): StreamPage {
  const first = Math.max(wantedOf(ring, query), ring.start);
  const items: string[] = [];
  let size = 0;
  for (let place = first - ring.start; place < ring.items.length; place++) {
    const item = ring.items[place] ?? "null";
    if (items.length > 0 && (items.length === PAGE_ITEMS || size + item.length > PAGE_SIZE)) break;
    items.push(item);
    size += item.length;
  }
  const isLast = first + items.length >= ring.start + ring.items.length;
  return { attempt: ring.attempt, from: first, items, ended: ring.ended && isLast };
}

function deliver({ now }: State, ring: Ring): void {
  const due = ring.waiting;
  ring.waiting = [];
  for (const waiting of due) {
    const page = pageOf(ring, waiting.query);
    if (page.items.length === 0 && !page.ended) {
      ring.waiting.push(waiting);
      continue;
    }
    clearTimeout(waiting.timer);
    const at = wantedOf(ring, waiting.query);
    ring.readers.set(waiting.query.reader, { at, askedAt: now() }); // from now on it has time to come again
    waiting.answer(page);
  }
}

function end(state: State, key: string): void {
  const ring = state.rings.get(key);
  if (!ring || ring.ended) return;
  ring.ended = true;
  release(ring);
  deliver(state, ring);
  const forget = (oldest: string): void => {
    clearTimeout(state.expiries.get(oldest));
    state.expiries.delete(oldest);
    const gone = state.rings.get(oldest);
    if (gone) drop(state, gone, gone.items.length);
    state.rings.delete(oldest);
  };
  state.expiries.set(key, setTimeout(forget, KEPT_FOR, key));
  const [oldest] = state.expiries.keys();
  if (state.expiries.size > KEPT && oldest !== undefined) forget(oldest);
}
