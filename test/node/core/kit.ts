/**
 * The engine on virtual time, with seeded chance, a memory disk and fake agents. It uses nothing of Node, so that the
 * same runs can be made in a browser.
 */
import { calendar } from "../../../src/calendar/cron.ts";
import { openEngine, type Engine, type Refusals } from "../../../src/core/engine.ts";
import type { RuntimeError } from "../../../src/core/errors.ts";
import type { Kit as StateKit, Table } from "../../../src/core/kernel.ts";
import type { ArchiveRow, Batch, Calendar } from "../../../src/core/ports.ts";
import {
  applyEvent,
  createState,
  restoreState,
  type CoreCommand,
  type CoreEvent,
  type CoreState,
} from "../../../src/core/runtime.ts";
import { decodeEvents } from "../../../src/core/events.ts";
import { isActive, type Task } from "../../../src/core/tasks/task.ts";
import { createChance, type Chance } from "./chance.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { createDisk, type Disk, type Gate } from "./disk.ts";

export const START = 1_700_000_000_000;

/** Time that passes only when it is told to. */
export interface VirtualTime {
  now(): number;
  at(moment: number, run: () => void): void;
  /** When the next timer is due. */
  next(): number | undefined;
  /** Moves on, and runs what is due by then. */
  moveTo(moment: number): void;
  /** Sets the clock without running anything, backwards too. */
  set(moment: number): void;
}

export function createTime(start = START): VirtualTime {
  let now = start;
  let timers: { readonly moment: number; readonly run: () => void }[] = [];
  return {
    now: () => now,
    at(moment, run) {
      timers.push({ moment, run });
    },
    next: () => timers.reduce<number | undefined>((first, { moment }) => Math.min(first ?? moment, moment), undefined),
    moveTo(moment) {
      now = Math.max(now, moment);
      const due = timers.filter((timer) => timer.moment <= now).sort((a, b) => a.moment - b.moment);
      timers = timers.filter((timer) => timer.moment > now);
      for (const { run } of due) run();
    },
    set(moment) {
      now = moment;
    },
  };
}

/** An attempt that was handed to a worker, after it was durable. */
export interface Work {
  readonly task: Task;
  readonly attempt: number;
  readonly link: string;
  readonly chance: Chance;
}

/** What a worker says about an attempt, and how many milliseconds after it began. */
export interface Saying {
  readonly after: number;
  readonly command: CoreCommand;
}

export type Behaviour = (work: Work) => readonly Saying[];

export interface HostOptions {
  readonly disk: Disk;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly behaviour?: Behaviour;
  readonly gate?: Gate;
  readonly calendar?: Calendar;
  readonly snapshotEvery?: number;
  readonly defer?: (flush: () => void, busy: boolean) => void;
  /** After each commit, before the workers hear of it. */
  readonly onCommitted?: (events: readonly CoreEvent[], batch: Batch) => void;
  /** Before commands are submitted, by whomever. */
  readonly onPush?: (commands: readonly CoreCommand[]) => void;
  /** Without a mirror and without freezing anything: for very many runs. */
  readonly plain?: boolean;
  /** How long a stopped worker takes to give its slot back. Default 5. */
  readonly grace?: number;
}

export interface Host {
  readonly engine: Engine;
  /** Folded from the committed batches alone, with frozen events and frozen records. */
  readonly mirror: CoreState;
  readonly committed: readonly CoreEvent[];
  readonly stopped: () => RuntimeError | undefined;
  /** It stopped or was killed. */
  readonly isOver: () => boolean;
  /** Submits, waits until it is durable, and gives the codes of the refused, by place. */
  submit(...commands: readonly CoreCommand[]): Promise<readonly string[]>;
  /** Submits without waiting. */
  push(...commands: readonly CoreCommand[]): Refusals;
  durable(): Promise<RuntimeError | undefined>;
  /** Waits until nothing is on its way at this moment. */
  settle(): Promise<void>;
  /** Lets so many milliseconds pass; workers answer and timers fire on the way. */
  advance(milliseconds: number): Promise<void>;
  /** Lets time pass until nothing is planned any more. */
  finish(limit?: number): Promise<void>;
  /** The host is gone; its workers too. */
  kill(): void;
}

export async function openHost(options: HostOptions): Promise<Host> {
  const { disk, time, chance, gate, onCommitted, plain = false } = options;
  const committed: CoreEvent[] = [];
  const mirror = createFrozenMirror();
  let from = Infinity; // nothing is mirrored before the state was taken over
  let dead = false;
  let error: RuntimeError | undefined;
  let submits = 0;
  const push = (...commands: readonly CoreCommand[]): Refusals => {
    submits++;
    options.onPush?.(commands);
    return engine.submit(plain ? commands : deepFreeze(commands));
  };
  const mirrorBatch = (batch: Batch, events: readonly CoreEvent[]): void => {
    deepFreeze(events);
    freezeRecords(engine.state);
    committed.push(...events);
    const news = decodeEvents(batch.text).filter((_event, place) => batch.from + place >= from);
    for (const event of deepFreeze(news)) applyEvent(mirror, event);
  };
  const known = (): CoreState => (plain ? engine.state : mirror);
  const workers = createWorkers(options, known, (command) => {
    if (!dead) push(command);
  });
  disk.memory.fail(gate && (({ verb }) => (verb === "append" || verb === "compact" ? gate(verb) : undefined)));
  const engine = await openEngine({
    journal: createMemoryJournal({ disk: disk.memory }),
    clock: time.now,
    calendar: options.calendar ?? calendar,
    random: chance.next,
    ids: () => chance.next().toString(36).slice(2),
    defer:
      options.defer ??
      ((flush) => {
        queueMicrotask(flush);
      }),
    ...(options.snapshotEvery !== undefined && { snapshotEvery: options.snapshotEvery }),
    onStopped(reason) {
      error = reason;
    },
    onCommitted(batch, events) {
      if (!plain) mirrorBatch(batch, events);
      onCommitted?.(events, batch);
      workers.hear(events);
    },
  });
  const taken = engine.capture();
  restoreState(mirror, taken.text);
  freezeRecords(mirror);
  from = taken.seq + 1;

  const durable = (): Promise<RuntimeError | undefined> =>
    new Promise((resolve) => {
      engine.whenDurable(resolve);
    });
  const settle = async (): Promise<void> => {
    for (let seen = -1; seen !== submits && !error;) {
      seen = submits;
      await durable();
    }
  };
  const step = async (end: number): Promise<boolean> => {
    await settle();
    const next = Math.min(time.next() ?? Infinity, engine.nextDue() ?? Infinity);
    if (next > end || dead || error) return false;
    time.moveTo(next);
    engine.wake();
    submits++;
    return true;
  };
  return {
    engine,
    mirror,
    committed,
    stopped: () => error,
    isOver: () => dead || error !== undefined,
    push,
    durable,
    settle,
    async submit(...commands) {
      const refusals = push(...commands);
      await durable();
      return refusals.map(([, { code }]) => code);
    },
    async advance(milliseconds) {
      const end = time.now() + milliseconds;
      while (await step(end));
      time.moveTo(end);
      await settle();
    },
    async finish(limit = 365 * 86_400_000) {
      const end = time.now() + limit;
      while (await step(end));
    },
    kill() {
      dead = true;
      engine.stop();
    },
  };
}

/** A disk, a clock and a host on them. */
export async function openWorld(
  seed: number,
  options: Partial<HostOptions> = {},
): Promise<Host & { readonly disk: Disk; readonly time: VirtualTime; readonly chance: Chance }> {
  const { disk = createDisk(), time = createTime(), chance = createChance(seed) } = options;
  const host = await openHost({ ...options, disk, time, chance });
  return Object.assign(host, { disk, time, chance });
}

/** What a command does after others: the types of its events, or why it was refused. */
export function given(...before: readonly CoreCommand[]): {
  when(...commands: readonly CoreCommand[]): { gives(...expected: readonly string[]): Promise<Host> };
} {
  return {
    when: (...commands) => ({
      async gives(...expected) {
        const world = await openWorld(1, { behaviour: never });
        await world.submit(...before);
        const from = world.committed.length;
        const refused = (await world.submit(...commands)).map((code) => `refused: ${code}`);
        const seen = [...refused, ...world.committed.slice(from).map(({ type }) => type)];
        if (JSON.stringify(seen) !== JSON.stringify(expected))
          throw new Error(`expected ${expected.join(", ")}; got ${seen.join(", ")}`);
        return world;
      },
    }),
  };
}

/** Workers that run what was assigned to them, and hand a slot back some time after they were stopped. */
function createWorkers(
  { time, chance, behaviour = completes(), grace = 5 }: HostOptions,
  known: () => CoreState,
  say: (command: CoreCommand) => void,
): { hear(events: readonly CoreEvent[]): void } {
  const release = (task: string, attempt: number): void => {
    const link = known().agents.holdings.get(`${task}#${String(attempt)}`)?.link;
    if (link === undefined) return;
    time.at(time.now() + grace, () => {
      say({ type: "slot.release", data: { link, task, attempt } });
    });
  };
  const run = (id: string, attempt: number, link: string): void => {
    const task = known().tasks.tasks.get(id);
    if (task?.attempt !== attempt || !isActive(task)) return;
    for (const { after, command } of behaviour({ task, attempt, link, chance }))
      if (after <= 0) say(command);
      else
        time.at(time.now() + after, () => {
          say(command);
        });
  };
  return {
    hear(events) {
      for (const { type, data } of events) {
        if (type === "task.assigned") run(data.id, data.attempt, data.link);
        if ((type === "task.failed" || type === "task.interrupted") && data.held) release(data.id, data.attempt);
        if (type === "task.cancelled" && data.attempt > 0) release(data.id, data.attempt);
      }
    },
  };
}

/** Answers after some milliseconds. The output tells the input unless another is given. */
export function completes(after = 1, output?: string): Behaviour {
  return ({ task, attempt }) => [
    { after, command: { type: "task.complete", data: { id: task.id, attempt, output: output ?? task.input } } },
  ];
}

export function fails(after = 1, code = "boom", retryable?: boolean): Behaviour {
  const error = { name: "Error", message: code, code, ...(retryable !== undefined && { retryable }) };
  return ({ task, attempt }) => [{ after, command: { type: "task.fail", data: { id: task.id, attempt, error } } }];
}

export const never: Behaviour = () => [];

/** Does the one thing on the first attempts, in turn, and then always the last. */
export function inTurn(...behaviours: readonly Behaviour[]): Behaviour {
  return (work) => (behaviours[Math.min(work.attempt, behaviours.length) - 1] ?? never)(work);
}

/** Says everything a second time. */
export function twice(behaviour: Behaviour, later = 1): Behaviour {
  return (work) => behaviour(work).flatMap((one) => [one, { ...one, after: one.after + later }]);
}

function createFrozenMirror(): CoreState {
  return createState(frozenKit([]));
}

/** What a mirror's state is made of: tables whose records can't be edited, and no timers. */
export function frozenKit(finished: ArchiveRow[]): StateKit {
  return {
    table<T>(): Table<T> {
      const records = new Map<string, T>();
      return {
        get size() {
          return records.size;
        },
        get: (key) => records.get(key),
        has: (key) => records.has(key),
        set(key, record) {
          records.set(key, deepFreeze(record));
        },
        delete(key) {
          records.delete(key);
        },
        values: () => records.values(),
        entries: () => records.entries(),
      };
    },
    due: () => ({ set: () => undefined, delete: () => undefined }),
    finished: (kind) => ({
      add(id, record, at) {
        finished.push({ kind, id, at, text: JSON.stringify(record) });
      },
    }),
  };
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

function freezeRecords(state: CoreState): void {
  for (const slice of Object.values(state) as object[])
    for (const table of Object.values(slice) as unknown[])
      if (isTable(table)) for (const record of table.values()) deepFreeze(record);
}

function isTable(value: unknown): value is Table<unknown> {
  return typeof value === "object" && value !== null && "values" in value && "entries" in value;
}
