/** The queued tasks: each in its lane at its rank, and what moves it there. */
import { PRIORITIES } from "../tasks/priority.ts";
import type { LimitUse } from "../tasks/order.ts";
import type { TasksState } from "../tasks/fold.ts";
import type { Task } from "../tasks/task.ts";
import { createDueQueue, type DueQueue } from "../timers/due-queue.ts";
import { rootOf } from "../workflows/execution.ts";
import type { WorkflowsState } from "../workflows/fold.ts";
import { createAging, type Aging } from "./aging.ts";
import { createDependents, type Dependents } from "./dependents.ts";
import { createFairness, type Fairness } from "./fairness.ts";
import { addEntry, createHome, createLane, deleteEntry, fileLane, refile } from "./lane.ts";
import type { Matchers } from "./matchers.ts";
import { RANKS, type Entry, type Lane, type Matcher } from "./model.ts";
import type { Rooms } from "./rooms.ts";

/** A task whose usual duration isn't known is taken to need its timeout, but no more than this. */
export const LONGEST_GUESS = 60_000;

export interface QueueView {
  readonly tasks: TasksState;
  readonly workflows: WorkflowsState;
}

export interface Queue {
  readonly size: number;
  get(id: string): Entry | undefined;
  readonly dependents: Dependents;
  /** The task is as given now; undefined when it is over. */
  sync(id: string, task: Task | undefined): void;
  /** The same, where its run was paused, or goes on. */
  hold(id: string, task: Task | undefined): void;
  /** The task starts now: its key has had its turn. */
  serve(entry: Entry): void;
  /** Raises what has waited long enough, or whose deadline is near. */
  advance(now: number): void;
  /** A limit was set or removed: its lanes are found anew. */
  settle(limit: string): void;
  clear(): void;
}

interface State {
  readonly view: QueueView;
  readonly matchers: Matchers;
  readonly rooms: Rooms;
  readonly entries: Map<string, Entry>;
  readonly fairness: Fairness;
  readonly dependents: Dependents;
  readonly aging: Aging;
  /** By task: when its deadline leaves it no more time than it needs. */
  readonly urgent: DueQueue;
  readonly lanesByLimit: Map<string, Set<Lane>>;
}

export function createQueue(view: QueueView, matchers: Matchers, rooms: Rooms): Queue {
  const state: State = {
    view,
    matchers,
    rooms,
    entries: new Map(),
    fairness: createFairness(RANKS),
    dependents: createDependents(),
    aging: createAging((entry) => {
      move(state, entry);
    }),
    urgent: createDueQueue(),
    lanesByLimit: new Map(),
  };
  const { entries, fairness, dependents, lanesByLimit } = state;
  return {
    get size() {
      return entries.size;
    },
    get: (id) => entries.get(id),
    dependents,
    sync(id, task) {
      sync(state, id, task);
    },
    hold(id, task) {
      const entry = entries.get(id);
      if (entry) dequeue(state, entry);
      sync(state, id, task);
    },
    serve({ flow, weight }) {
      if (!flow) return;
      fairness.serve(flow.tag, weight);
      refile(flow.tag);
    },
    advance(now) {
      advance(state, now);
    },
    settle(limit) {
      for (const lane of lanesByLimit.get(limit) ?? []) rooms.settle(lane);
    },
    clear() {
      for (const part of [entries, fairness, dependents, state.aging, lanesByLimit]) part.clear();
      state.urgent.take(Infinity);
    },
  };
}

function advance(state: State, now: number): void {
  const { aging, urgent, dependents, entries } = state;
  aging.advance(now);
  for (const id of urgent.take(now)) {
    dependents.raise(id);
    const entry = entries.get(id);
    if (!entry) continue;
    entry.isUrgent = true;
    move(state, entry);
  }
  inherit(state);
}

/** Puts the task at the rank that it has now. */
function move({ fairness }: State, entry: Entry): void {
  const rank = rankOf(entry);
  if (rank === entry.rank) return;
  const tag = entry.flow?.tag;
  deleteEntry(entry.lane, entry);
  if (tag) fairness.leave(tag);
  entry.rank = rank;
  addEntry(entry.lane, entry, fairness.enter(rank, entry.key, entry.weight));
  fileLane(entry.lane);
}

function inherit(state: State): void {
  const { dependents, entries } = state;
  dependents.settle((id) => {
    const entry = entries.get(id);
    if (!entry) return;
    entry.inherited = dependents.rankOf(id);
    move(state, entry);
  });
}

function sync(state: State, id: string, task: Task | undefined): void {
  const { entries, dependents, urgent } = state;
  const entry = entries.get(id);
  if (entry && entry.task === task) return;
  if (entry) dequeue(state, entry);
  const status: string | undefined = task?.status;
  if (task && status === "queued" && !isHeld(state.view, task)) enqueue(state, task);
  if (task && status === "pending") dependents.add(task, PRIORITIES.indexOf(task.priority));
  else if (dependents.has(id)) dependents.delete(id);
  const at = task && (status === "pending" || status === "queued") ? urgentAt(task) : undefined;
  if (at !== undefined) urgent.set(id, at);
  else if (urgent.size > 0) urgent.delete(id);
  inherit(state);
}

/** Its run is paused. */
export function isHeld({ workflows }: { readonly workflows: WorkflowsState }, { parent }: Task): boolean {
  return parent !== undefined && workflows.executions.get(parent.execution)?.status === "paused";
}

function enqueue(state: State, task: Task): void {
  const { aging, matchers, view, dependents, entries, fairness } = state;
  const { id, fairness: { key = "", weight = 1 } = {}, parent } = task;
  const since = waitingSince(task);
  aging.advance(since); // before it stands in the list of those that age
  const matcher = matchers.matcherOf(task);
  const runAt = parent && view.workflows.executions.get(rootOf(parent.execution))?.startedAt;
  const entry: Entry = {
    place: -1,
    task,
    lane: laneOf(state, matcher, task),
    own: PRIORITIES.indexOf(task.priority),
    runAt: runAt ?? task.createdAt,
    key,
    weight,
    aged: 0,
    inherited: dependents.rankOf(id),
    isUrgent: false,
    rank: 0,
    flow: undefined,
    raiseAt: 0,
    previous: undefined,
    next: undefined,
  };
  entry.rank = rankOf(entry);
  entries.set(id, entry);
  addEntry(entry.lane, entry, fairness.enter(entry.rank, key, weight));
  entry.lane.size++;
  matchers.count(matcher, 1);
  fileLane(entry.lane);
  aging.add(entry, since);
}

function dequeue(state: State, entry: Entry): void {
  const { lane, flow, task } = entry;
  state.aging.delete(entry);
  deleteEntry(lane, entry);
  if (flow) state.fairness.leave(flow.tag);
  state.entries.delete(task.id);
  lane.size--;
  state.matchers.count(lane.matcher, -1);
  if (lane.size === 0 && lane.limits.length > 0) dropLane(state, lane);
  else fileLane(lane);
}

function laneOf({ lanesByLimit, rooms }: State, matcher: Matcher, task: Task): Lane {
  const limits = task.limits ?? none;
  const key = limits.length === 0 ? "" : keyOf(limits);
  const known = matcher.lanes.get(key);
  if (known) return known;
  const lane = createLane(key, matcher, limits, matcher.homes.get("") ?? createHome(undefined));
  matcher.lanes.set(key, lane);
  for (const { limit } of limits) {
    let lanes = lanesByLimit.get(limit);
    if (!lanes) lanesByLimit.set(limit, (lanes = new Set()));
    lanes.add(lane);
  }
  rooms.settle(lane);
  return lane;
}

function dropLane({ lanesByLimit, rooms }: State, lane: Lane): void {
  rooms.leave(lane);
  lane.matcher.lanes.delete(lane.key);
  for (const { limit } of lane.limits) {
    const lanes = lanesByLimit.get(limit);
    lanes?.delete(lane);
    if (lanes?.size === 0) lanesByLimit.delete(limit);
  }
}

const none: readonly LimitUse[] = [];

/** The same for tasks that count against the same limits. */
function keyOf(limits: readonly LimitUse[]): string {
  return JSON.stringify([...new Set(limits.map(({ limit, key = "" }) => JSON.stringify([limit, key])))].sort());
}

/** S5 */
function rankOf({ own, inherited, aged, isUrgent }: Entry): number {
  return isUrgent ? 0 : Math.max(0, Math.min(own, inherited) - aged);
}

/** Since when it waits: its creation, its `startAt`, or the beginning of its latest attempt, whichever was last. */
export function waitingSince({ createdAt, startAt = 0, startedAt = 0 }: Task): number {
  return Math.max(createdAt, startAt, startedAt);
}

/** From then on its deadline leaves it no more time than an attempt may take; undefined without a deadline. */
export function urgentAt({ deadline, timeout }: Task): number | undefined {
  return deadline === undefined ? undefined : deadline - Math.min(timeout ?? LONGEST_GUESS, LONGEST_GUESS);
}
