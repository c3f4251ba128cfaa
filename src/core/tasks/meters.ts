/**
 * What tasks of a capability have done within a window of time, and who waits for that to change. A window is cut into
 * parts; a task's end counts in the part that it falls into, and a part leaves the window as a whole. Only what is asked
 * for is measured, and an event costs the same however much was measured.
 */
import type { DueIndex, Kit, Request, Table } from "../kernel.ts";
import { restoreTable, saveTable } from "../tables.ts";
import { isActive, type Task, type TaskParent } from "./task.ts";

/** What is measured, and how often those who wait for it are told at most; `window` and `every` in milliseconds. */
export interface Measure {
  readonly capability: string;
  readonly window: number;
  readonly every: number;
}

/** Within the window, but for `queued` and `running`, which are of now. Times are in milliseconds; without any they are 0. */
export interface Metrics {
  /** Tasks that came to an end, well or badly; cancelled ones don't count. */
  readonly ended: number;
  readonly completed: number;
  readonly failed: number;
  /** The part of those that ended, from 0 to 1; 0 when none has. */
  readonly failureRate: number;
  /** Failed attempts that were followed by another. */
  readonly retried: number;
  /** From the start of the last attempt to its end, of completed tasks. */
  readonly meanDuration: number;
  readonly maxDuration: number;
  /** Tasks that could start, if there were a worker for them. */
  readonly queued: number;
  readonly running: number;
}

/** The names of all metrics. */
export const METRICS = [
  ...(["ended", "completed", "failed", "failureRate", "retried"] as const),
  ...(["meanDuration", "maxDuration", "queued", "running"] as const),
] satisfies readonly (keyof Metrics)[];

/** Parts of a window. */
const PARTS = 60;

/** So many are kept; beyond that, the one that was asked for the longest ago is forgotten, unless somebody waits for it. */
export const MAX_METERS = 200;

/** Which part it is, what has ended in it, and how long that took in all and at most. */
type Part = readonly [slot: number, completed: number, failed: number, retried: number, time: number, longest: number];

export interface Meter extends Measure {
  readonly id: string;
  /** Those in which something has ended, the oldest first. */
  readonly parts: readonly Part[];
  readonly queued: number;
  readonly running: number;
  readonly askedAt?: number | undefined;
  /** When those who wait are told next. */
  readonly dueAt?: number | undefined;
}

/** Somebody who waits for a change. */
interface Watcher {
  readonly id: string;
  readonly meter: string;
  readonly parent: TaskParent;
}

export interface Meters {
  readonly meters: Table<Meter>;
  readonly watchers: Table<Watcher>;
  readonly due: DueIndex;
  /** Ids of meters by capability, and of watchers by meter; they follow from the tables. */
  readonly byCapability: Map<string, Set<string>>;
  readonly byMeter: Map<string, Set<string>>;
}

export interface MeterEvents {
  "meter.set": Measure;
  "meter.watched": Measure & Pick<Watcher, "id" | "parent">;
  "meter.left": { readonly id: string };
  /** Those who wait for it look at it. */
  "meter.asked": { readonly id: string };
}

export interface MeterCommands {
  /** Begins to measure, if that isn't measured yet. */
  "meter.set": Measure;
  "meter.watch": MeterEvents["meter.watched"];
  "meter.leave": { readonly id: string };
  "meter.wake": { readonly id: string };
}

export function meterKey({ capability, window, every }: Measure): string {
  return `${String(window)}/${String(every)}/${capability}`;
}

export function createMeters(kit: Kit): Meters {
  const due = kit.due("meter.wake");
  return { meters: kit.table(), watchers: kit.table(), due, byCapability: new Map(), byMeter: new Map() };
}

export function metricsOf({ window, parts, queued, running }: Meter, now: number): Metrics {
  const seen = partsAt(parts, window, now);
  const sum = (at: 1 | 2 | 3 | 4): number => seen.reduce((all, part) => all + part[at], 0);
  const [completed, failed] = [sum(1), sum(2)];
  const ended = completed + failed;
  return {
    ended,
    completed,
    failed,
    failureRate: ended && failed / ended,
    retried: sum(3),
    meanDuration: completed && sum(4) / completed,
    maxDuration: Math.max(0, ...seen.map((part) => part[5])),
    queued,
    running,
  };
}

function slotOf(window: number, at: number): number {
  return Math.floor((at * PARTS) / window);
}

function partsAt(parts: readonly Part[], window: number, at: number): readonly Part[] {
  const first = slotOf(window, at) - PARTS;
  return parts.filter(([slot]) => slot > first);
}

export const meterFold = {
  set(state: Meters, measure: Measure, live: Table<Task>): void {
    const id = meterKey(measure);
    const known = state.meters.get(id);
    state.meters.delete(id); // the last one in the table is the one that was asked for last
    if (known) state.meters.set(id, known);
    else add(state, { ...pick(measure), id, parts: [], ...countLive(live, measure.capability) });
  },
  watched(state: Meters, data: MeterEvents["meter.watched"], live: Table<Task>, at: number): void {
    meterFold.set(state, data, live);
    const meter = meterKey(data);
    const { id, parent } = data;
    state.watchers.set(id, { id, meter, parent: { ...parent } });
    enter(state.byMeter, meter, id);
    const known = state.meters.get(meter);
    if (known) put(state, known, known.dueAt ?? nextLeaving(known, at));
  },
  left(state: Meters, id: string): void {
    const { meter = "" } = state.watchers.get(id) ?? {};
    state.watchers.delete(id);
    leave(state.byMeter, meter, id);
    const known = state.meters.get(meter);
    if (known && !state.byMeter.has(meter)) put(state, known, undefined);
  },
  asked(state: Meters, id: string, at: number): void {
    const known = state.meters.get(id);
    if (!known) return;
    const meter = { ...known, parts: partsAt(known.parts, known.window, at), askedAt: at };
    put(state, meter, state.byMeter.has(id) ? nextLeaving(meter, at) : undefined);
  },
  /** A task comes, goes, or changes its status. */
  moved(state: Meters, before: Task | undefined, after: Task | undefined, at: number): void {
    if (state.meters.size === 0) return;
    const queued = Number(after?.status === "queued") - Number(before?.status === "queued");
    const running = Number(!!after && isActive(after)) - Number(!!before && isActive(before));
    if (queued === 0 && running === 0) return;
    for (const meter of metersOf(state, after ?? before))
      change(state, { ...meter, queued: meter.queued + queued, running: meter.running + running }, at);
  },
  /** A task has ended, or an attempt that is followed by another. */
  ended(state: Meters, task: Task, how: "completed" | "failed" | "retried", at: number): void {
    for (const meter of state.meters.size === 0 ? [] : metersOf(state, task)) {
      const slot = slotOf(meter.window, at);
      const parts = [...partsAt(meter.parts, meter.window, at)];
      const last = parts.at(-1);
      const [, completed, failed, retried, sum, longest] = last?.[0] === slot ? last : EMPTY;
      if (last?.[0] === slot) parts.pop();
      const time = how === "completed" ? at - (task.startedAt ?? at) : 0;
      parts.push([
        slot,
        completed + Number(how === "completed"),
        failed + Number(how === "failed"),
        retried + Number(how === "retried"),
        sum + time,
        Math.max(longest, time),
      ]);
      change(state, { ...meter, parts }, at);
    }
  },
  save: ({ meters, watchers }: Meters): object => ({ meters: saveTable(meters), watchers: saveTable(watchers) }),
  restore(
    state: Meters,
    { meters, watchers }: { readonly meters: readonly Meter[]; readonly watchers: readonly Watcher[] },
  ): void {
    restoreTable(state.meters, meters);
    restoreTable(state.watchers, watchers);
    for (const { id, capability, dueAt } of meters) {
      enter(state.byCapability, capability, id);
      if (dueAt !== undefined) state.due.set(id, dueAt);
    }
    for (const { id, meter } of watchers) enter(state.byMeter, meter, id);
  },
};

const EMPTY: Part = [0, 0, 0, 0, 0, 0];

function pick({ capability, window, every }: Measure): Measure {
  return { capability, window, every };
}

function countLive(live: Table<Task>, capability: string): Pick<Meter, "queued" | "running"> {
  const counts = { queued: 0, running: 0 };
  for (const task of live.values()) {
    if (!namesOf(task).has(capability)) continue;
    if (task.status === "queued") counts.queued++;
    else if (isActive(task)) counts.running++;
  }
  return counts;
}

function namesOf({ capabilities }: Task): ReadonlySet<string> {
  return new Set(capabilities.map((need) => need.split("@", 1)[0] ?? ""));
}

function metersOf({ meters, byCapability }: Meters, task: Task | undefined): readonly Meter[] {
  const names = task ? [...namesOf(task)] : [];
  return names.flatMap((name) => [...(byCapability.get(name) ?? [])].flatMap((id) => meters.get(id) ?? []));
}

function add(state: Meters, meter: Meter): void {
  const { meters, byCapability, byMeter, due } = state;
  const idle = meters.size < MAX_METERS ? undefined : [...meters.values()].find(({ id }) => !byMeter.has(id));
  if (idle) {
    meters.delete(idle.id);
    leave(byCapability, idle.capability, idle.id);
    due.delete(idle.id);
  }
  meters.set(meter.id, meter);
  enter(byCapability, meter.capability, meter.id);
}

/** Those who wait are told at once, or when `every` is over since they looked. */
function change(state: Meters, meter: Meter, at: number): void {
  const soon = Math.max(at, (meter.askedAt ?? 0) + meter.every);
  put(state, meter, state.byMeter.has(meter.id) ? Math.min(meter.dueAt ?? soon, soon) : undefined);
}

/** Time alone changes it when the oldest part leaves the window. */
function nextLeaving({ parts, window, every }: Meter, at: number): number | undefined {
  const [oldest] = parts;
  return oldest && Math.max(at + every, Math.ceil(((oldest[0] + PARTS) * window) / PARTS));
}

function put({ meters, due }: Meters, { dueAt: _, ...meter }: Meter, dueAt: number | undefined): void {
  meters.set(meter.id, dueAt === undefined ? meter : { ...meter, dueAt });
  if (dueAt === undefined) due.delete(meter.id);
  else due.set(meter.id, dueAt);
}

function enter(index: Map<string, Set<string>>, key: string, id: string): void {
  const known = index.get(key);
  if (known) known.add(id);
  else index.set(key, new Set([id]));
}

function leave(index: Map<string, Set<string>>, key: string, id: string): void {
  const known = index.get(key);
  known?.delete(id);
  if (known?.size === 0) index.delete(key);
}

/** Those who wait for it. */
export function watchersOf({ byMeter, watchers }: Meters, meter: string): readonly TaskParent[] {
  return [...(byMeter.get(meter) ?? [])].flatMap((id) => watchers.get(id)?.parent ?? []);
}

type Decide<K extends keyof MeterCommands> = (
  view: { readonly tasks: { readonly meters: Meters } },
  data: MeterCommands[K],
  env: { readonly now: number },
) => { readonly [E in keyof MeterEvents]: { readonly type: E; readonly data: MeterEvents[E] } }[keyof MeterEvents][];

export const meterDecisions: { readonly [K in keyof MeterCommands]: Decide<K> } = {
  "meter.set": ({ tasks }, data) =>
    tasks.meters.meters.has(meterKey(data)) ? [] : [{ type: "meter.set", data: pick(data) }],
  "meter.watch": ({ tasks }, data) => (tasks.meters.watchers.has(data.id) ? [] : [{ type: "meter.watched", data }]),
  "meter.leave": ({ tasks }, data) => (tasks.meters.watchers.has(data.id) ? [{ type: "meter.left", data }] : []),
  "meter.wake": ({ tasks }, { id }, { now }) => {
    const { dueAt } = tasks.meters.meters.get(id) ?? {};
    return dueAt !== undefined && dueAt <= now ? [{ type: "meter.asked", data: { id } }] : [];
  },
};

/** Begins to measure. */
export function measure(data: Measure): Request {
  return { type: "meter.set", data: pick(data) };
}
