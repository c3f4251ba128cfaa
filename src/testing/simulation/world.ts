/**
 * The world of a simulation: one queue of events in virtual time. An event belongs to a process (a page, a worker, the
 * disk); between two events all microtasks run, so that whatever they do is done by the process of the event before.
 * Nothing crosses from one process to another but by an event, which is why a process can be killed between any two.
 */
import { createChance, type Chance } from "./chance.ts";

export type ProcessKind = "machine" | "disk" | "page" | "host" | "agent";

/** A thread of the platform: what it has planned goes with it. */
export interface Process {
  readonly id: number;
  readonly kind: ProcessKind;
  readonly name: string;
  readonly children: Set<Process>;
  /** What its scope has: listeners of the global object, and whatever its kind of worker has. */
  readonly scope: Map<string, unknown>;
  readonly chance: Chance;
  alive: boolean;
  frozen: boolean;
  /** It dies when it has done so many more things that others can see. */
  fuel: number;
  /** Events that are due while it is frozen. */
  held: Planned[];
  /** Called when it is gone. */
  readonly onEnd: Set<() => void>;
}

export interface Planned {
  at: number;
  order: number;
  readonly process: Process;
  readonly run: () => void;
  readonly about: string;
  cancelled: boolean;
}

/** A step that was taken: for the story of a failure. */
export interface Step {
  readonly step: number;
  readonly at: number;
  readonly process: string;
  readonly about: string;
}

export interface World {
  readonly chance: Chance;
  /** The process whose code runs now. */
  readonly current: Process;
  /** Those that live, but for the machine. */
  readonly processes: ReadonlySet<Process>;
  /** For what nobody else does. */
  readonly machine: Process;
  /** Events that were run. */
  readonly steps: number;
  /** Milliseconds that have passed, which no clock changes. */
  now(): number;
  /** What a clock on the wall shows. */
  wall(): number;
  /** Moves the clock on the wall, or lets it stand still for so many milliseconds of real time. */
  setWall(change: { readonly jump?: number; readonly stand?: number }): void;
  /** How many milliseconds the clock on the wall was set back or stood still, in all. */
  readonly setBack: number;
  /** No clock was changed, and no host was frozen: what is due is done then. */
  readonly isSteady: boolean;
  start(kind: ProcessKind, name: string, parent?: Process): Process;
  kill(process: Process, why: string): void;
  freeze(process: Process): void;
  thaw(process: Process): void;
  /** Plans an event; what belongs to a process that is gone never runs. */
  plan(process: Process, delay: number, about: string, run: () => void): Planned;
  /** The present process does something that others can see; false when it has died before. */
  spend(): boolean;
  /** Tells what went wrong in the code of a process, as its global object would. */
  uncaught(process: Process, error: unknown): void;
  /** Called after every step. */
  onStep(listener: () => void): void;
  onUncaught(listener: (process: Process, error: unknown) => void): void;
  /** Called with each step as it is taken. */
  onTold(listener: (step: Step) => void): void;
  /** Runs events until `until` holds or nothing is left; `most` bounds the steps. */
  run(until: () => boolean, most?: number): Promise<void>;
  /** The latest steps. */
  story(): readonly Step[];
  say(about: string): void;
}

/** The clock on the wall when a simulation begins. */
export const START = 1_700_000_000_000;

/** So many steps are remembered. */
const STORY = 400;

interface Platform {
  readonly setImmediate?: (run: () => void) => void;
  readonly MessageChannel: new () => {
    readonly port1: { onmessage: (() => void) | null };
    readonly port2: { postMessage(message: unknown): void };
  };
}

/** The platform's own way to come back when all microtasks have run; taken before its globals are replaced. */
function breather(): (run: () => void) => void {
  const { setImmediate, MessageChannel } = globalThis as unknown as Platform;
  if (setImmediate) return setImmediate;
  const { port1, port2 } = new MessageChannel();
  return (run) => {
    port1.onmessage = run;
    port2.postMessage(0);
  };
}

interface State {
  readonly machine: Process;
  readonly processes: Set<Process>;
  current: Process;
  readonly queue: Queue;
  readonly breathe: (run: () => void) => void;
  readonly steps: Step[];
  readonly tellers: Set<(step: Step) => void>;
  readonly stepListeners: Set<() => void>;
  readonly uncaughtListeners: Set<(process: Process, error: unknown) => void>;
  now: number;
  order: number;
  taken: number;
  ids: number;
  wall: WallClock;
}

/** How the clock on the wall differs from the time that has passed. */
interface WallClock {
  readonly offset: number;
  readonly standsUntil: number;
  readonly stoodAt: number;
  readonly setBack: number;
  readonly isSteady: boolean;
}

export function createWorld(seed: number): World {
  const chance = createChance(seed);
  const machine = newProcess(0, "machine", "machine", chance);
  const state: State = {
    machine,
    processes: new Set(),
    current: machine,
    queue: createQueue(),
    breathe: breather(),
    steps: [],
    tellers: new Set(),
    stepListeners: new Set(),
    uncaughtListeners: new Set(),
    now: 0,
    order: 0,
    taken: 0,
    ids: 0,
    wall: { offset: 0, standsUntil: 0, stoodAt: 0, setBack: 0, isSteady: true },
  };
  return worldOf(state, chance);
}

function worldOf(state: State, chance: Chance): World {
  const { machine, processes } = state;
  const world: World = {
    chance,
    machine,
    processes,
    get current() {
      return state.current;
    },
    get steps() {
      return state.taken;
    },
    now: () => state.now,
    wall: () => wallOf(state),
    setWall(change) {
      state.wall = changeWall(state, change);
    },
    get setBack() {
      return state.wall.setBack;
    },
    get isSteady() {
      return state.wall.isSteady;
    },
    start: (kind, name, parent) => start(state, newProcess(++state.ids, kind, name, chance), parent),
    kill(process, why) {
      kill(state, process, why);
    },
    freeze(process) {
      if (process.kind === "host") state.wall = { ...state.wall, isSteady: false };
      process.frozen = true;
    },
    thaw(process) {
      process.frozen = false;
      for (const { run, about } of process.held.splice(0)) world.plan(process, 0, about, run);
    },
    plan(process, delay, about, run) {
      const at = state.now + (delay > 0 ? delay : 0);
      const event = { at, order: ++state.order, process, run, about, cancelled: false };
      if (process.alive) state.queue.push(event);
      return event;
    },
    spend() {
      const { current } = state;
      if (!current.alive) return false;
      if (current.fuel-- > 0) return true;
      kill(state, current, "in the middle of a turn");
      return false;
    },
    uncaught(process, error) {
      tellUncaught(state, process, error);
    },
    ...listening(state),
    run: (until, most = Infinity) => run(state, until, state.taken + most),
    story: () => state.steps.slice(-STORY),
    say(about) {
      note(state, about, state.current);
    },
  };
  return world;
}

function listening({
  stepListeners,
  tellers,
  uncaughtListeners,
}: State): Pick<World, "onStep" | "onTold" | "onUncaught"> {
  return {
    onStep: (listener) => void stepListeners.add(listener),
    onTold: (listener) => void tellers.add(listener),
    onUncaught: (listener) => void uncaughtListeners.add(listener),
  };
}

function newProcess(id: number, kind: ProcessKind, name: string, chance: Chance): Process {
  return {
    id,
    kind,
    name,
    children: new Set(),
    scope: new Map(),
    chance: chance.fork(id),
    alive: true,
    frozen: false,
    fuel: Infinity,
    held: [],
    onEnd: new Set(),
  };
}

function start({ processes }: State, process: Process, parent: Process | undefined): Process {
  processes.add(process);
  parent?.children.add(process);
  if (parent && !parent.alive) {
    process.alive = false;
    processes.delete(process);
  }
  return process;
}

function wallOf({ now, wall: { offset, standsUntil, stoodAt } }: State): number {
  return Math.floor(START + offset + (now < standsUntil ? stoodAt : now));
}

function changeWall({ now, wall }: State, { jump = 0, stand = 0 }: Parameters<World["setWall"]>[0]): WallClock {
  return {
    offset: wall.offset + jump,
    stoodAt: now >= wall.standsUntil ? now : wall.stoodAt,
    standsUntil: Math.max(wall.standsUntil, now + stand),
    setBack: wall.setBack + Math.max(0, -jump) + stand,
    isSteady: false,
  };
}

function kill(state: State, process: Process, why: string): void {
  if (!process.alive) return;
  process.alive = false;
  process.held = [];
  state.processes.delete(process);
  note(state, `${process.name} ends: ${why}`, state.current);
  for (const child of process.children) kill(state, child, "with its owner");
  for (const end of [...process.onEnd]) end();
}

function note({ steps, tellers, taken, now }: State, about: string, { name }: Process): void {
  const told = { step: taken, at: now, process: name, about };
  for (const tell of tellers) tell(told);
  steps.push(told);
  if (steps.length > 2 * STORY) steps.splice(0, STORY);
}

function tellUncaught({ uncaughtListeners }: State, process: Process, error: unknown): void {
  if (process.alive) for (const tell of uncaughtListeners) tell(process, error);
}

/** One event after the other; what it leaves to microtasks runs before the next. */
function run(state: State, until: () => boolean, last: number): Promise<void> {
  const { machine, queue, stepListeners, breathe } = state;
  return new Promise((resolve, reject) => {
    const turn = (): void => {
      try {
        state.current = machine;
        for (const tell of stepListeners) tell();
        let event = until() || state.taken >= last ? undefined : queue.pop();
        while (event && (event.cancelled || !event.process.alive)) event = queue.pop();
        if (event) {
          step(state, event);
          breathe(turn);
        } else resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    breathe(turn);
  });
}

function step(state: State, event: Planned): void {
  const { process, at, about } = event;
  state.now = Math.max(state.now, at);
  if (process.frozen) {
    process.held.push(event);
    return;
  }
  state.taken++;
  note(state, about, process);
  state.current = process;
  try {
    event.run();
  } catch (error) {
    tellUncaught(state, process, error);
  }
}

interface Queue {
  push(event: Planned): void;
  pop(): Planned | undefined;
}

/** A binary heap by time, and then by the order of planning. */
function createQueue(): Queue {
  const heap: Planned[] = [];
  const isBefore = (a: Planned, b: Planned): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
  const sink = (event: Planned): void => {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [first, second] = [heap[left], heap[left + 1]];
      if (!first) break;
      const isSecond = second !== undefined && isBefore(second, first);
      const child = isSecond ? second : first;
      if (!isBefore(child, event)) break;
      heap[at] = child;
      at = isSecond ? left + 1 : left;
    }
    heap[at] = event;
  };
  return {
    push(event) {
      let at = heap.length;
      while (at > 0) {
        const above = (at - 1) >> 1;
        const parent = heap[above];
        if (!parent || !isBefore(event, parent)) break;
        heap[at] = parent;
        at = above;
      }
      heap[at] = event;
    },
    pop() {
      const [first] = heap;
      const last = heap.pop();
      if (last && heap.length > 0) sink(last);
      return first;
    },
  };
}
