/**
 * Which task starts next, and on which worker. It is an index: all of it follows from the tasks, agents, limits and
 * runs, so it is never saved but built again.
 *
 * S1  A task starts only on a worker that matches its requirement, has a free slot, and whose agent's load is within
 *     the task's `maxLoad`; among those on one of the best tier, the next in turn.
 * S2  A task starts only while every limit that it names, and the one of every task, has room.
 * S3  When both hold for a task, some task starts: nothing waits beside a worker that could take it.
 * S4  The order is: effective rank; fairness among keys (`fairness.ts`); the run that started first; creation.
 * S5  The effective rank is the priority's, or the best one of those that wait for the task, raised by one for every
 *     AGING ms of waiting, and the top when the deadline leaves no more time than the task needs.
 *
 * So nothing starves: after AGING ms for each rank above its own (a low task: 90 s) a task is at the top, and from then
 * on only those stand before it that were at the top before it or belong to an older run, and of other fairness keys
 * what their share is: while its key gets `n` starts, at most `2n · (all weights that wait) / (its weight)` others.
 *
 * After {@link Scheduler.rebuild} the shares begin anew, all keys being even; everything else is as it was.
 */
import type { Link } from "../agents/agent.ts";
import type { AgentsState } from "../agents/fold.ts";
import { agentId, holdingId } from "../agents/agent.ts";
import type { Manifest } from "../agents/manifest.ts";
import type { Request } from "../kernel.ts";
import type { LimitsState } from "../limits/fold.ts";
import { EVERY_TASK } from "../limits/limit.ts";
import type { LimitUse } from "../tasks/order.ts";
import type { TasksState } from "../tasks/fold.ts";
import type { Task } from "../tasks/task.ts";
import type { WorkflowsState } from "../workflows/fold.ts";
import { firstOf, startsBefore } from "./lane.ts";
import { createMatchers, type Matchers } from "./matchers.ts";
import type { Entry, Matcher } from "./model.ts";
import { createQueue, type Queue } from "./queue.ts";
import { createRooms, type Rooms } from "./rooms.ts";

export interface SchedulerView {
  readonly tasks: TasksState;
  readonly agents: AgentsState;
  readonly limits: LimitsState;
  readonly workflows: WorkflowsState;
}

export interface Scheduler {
  /** Follows an event that has just been applied to the view. */
  follow(type: string, data: unknown): void;
  /** The next assignment at the moment of the command, or undefined when nothing can start. */
  next(now: number): Request | undefined;
  /** When time alone may let a task start: a bucket has a token again. */
  nextDue(): number | undefined;
  /** For each agent: how many queued tasks only wait for a free worker of it or another. */
  waiting(): ReadonlyMap<string, number>;
  rebuild(): void;
  /** For explaining: what stands in the index. */
  readonly index: SchedulerIndex;
}

/** The parts of the index, for reading only. */
export interface SchedulerIndex {
  readonly matchers: Matchers;
  readonly rooms: Rooms;
  readonly queue: Queue;
}

interface State extends SchedulerIndex {
  readonly view: SchedulerView;
  /** The links of attempts that hold a slot, and the limits that they count against, by task. */
  readonly held: Map<string, Held[]>;
}

interface Held {
  readonly attempt: number;
  readonly link: string;
  readonly limits: readonly LimitUse[];
}

export function createScheduler(view: SchedulerView): Scheduler {
  const matchers = createMatchers(view);
  const rooms = createRooms(view);
  const queue = createQueue(view, matchers, rooms);
  const state: State = { view, matchers, rooms, queue, held: new Map() };
  rebuild(state);
  return {
    follow(type, data) {
      follow(state, type, data as Told);
    },
    next: (now) => next(state, now),
    nextDue: () => (queue.size > 0 ? rooms.nextDue() : undefined),
    waiting: () => waiting(state),
    rebuild() {
      rebuild(state);
    },
    index: state,
  };
}

/** What events say that the scheduler looks at. */
interface Told {
  readonly id?: string;
  readonly name?: string;
  readonly link?: string;
  readonly agent?: string;
  readonly task?: string;
  readonly attempt?: number;
  readonly holdings?: readonly (readonly [task: string, attempt: number])[];
  readonly tasks?: readonly string[];
}

/** By the noun, so that an event that is added to a slice is followed too: the view says what has become of it. */
function follow(state: State, type: string, data: Told): void {
  const { matchers, rooms, queue } = state;
  const { id = "", name = "", link = "" } = data;
  if (type.startsWith("task.")) followTask(state, type, id, data);
  else if (type === "slot.released") {
    matchers.updateLink(link);
    release(state, data.task ?? "");
  } else if (type === "link.joined") matchers.addLink(link);
  else if (type === "link.left") {
    matchers.dropLink(link);
    for (const [task] of data.holdings ?? []) release(state, task);
  } else if (type.startsWith("limit.")) {
    if (type === "limit.refilled") return;
    queue.settle(name);
    rooms.check(name, undefined);
  } else if (type === "execution.paused" || type === "execution.resumed")
    for (const task of data.tasks ?? []) queue.hold(task, state.view.tasks.tasks.get(task));
  else if (type === "host.started") rebuild(state);
  if (type === "agent.registered") matchers.indexAgent(agentId(data as Manifest));
  else if (type.startsWith("agent.")) matchers.indexAgent(id);
  else if (type === "link.silenced" || type === "link.heard") matchers.updateLink(link);
  else if (type.startsWith("link.") && data.agent !== undefined) matchers.indexAgent(data.agent);
}

function followTask(state: State, type: string, id: string, { link, attempt = 0 }: Told): void {
  const { view, queue, matchers, held } = state;
  const task = view.tasks.tasks.get(id);
  queue.sync(id, task);
  if (type === "task.assigned" && task && link !== undefined) {
    const one = { attempt, link, limits: task.limits ?? [] };
    held.set(id, [...(held.get(id) ?? []), one]);
    matchers.updateLink(link);
    check(state, one);
  } else if (held.has(id)) release(state, id);
}

/** Looks which attempts of the task have given back their slots. */
function release(state: State, id: string): void {
  const { view, held, matchers } = state;
  const before = held.get(id);
  if (!before) return;
  const still = before.filter(({ attempt }) => view.agents.holdings.has(holdingId(id, attempt)));
  if (still.length === before.length) return;
  if (still.length > 0) held.set(id, still);
  else held.delete(id);
  for (const one of before) {
    if (still.includes(one)) continue;
    const agent = view.agents.links.get(one.link)?.agent;
    matchers.updateLink(one.link);
    if (agent !== undefined) matchers.refreshAgent(agent); // its statistics may have changed
    check(state, one);
  }
}

function check({ rooms }: State, { limits }: Held): void {
  rooms.check(EVERY_TASK, undefined);
  for (const { limit, key } of limits) rooms.check(limit, key);
}

function next(state: State, now: number): Request | undefined {
  const { queue, rooms, matchers, view } = state;
  queue.advance(now);
  rooms.advance(now);
  const best = rooms.isShut() ? undefined : bestOf(state);
  if (!best) return undefined;
  const link: Link | undefined = matchers.pick(best.lane.matcher);
  if (!link) return undefined;
  queue.serve(best);
  const { timeout, retry } = view.agents.agents.get(link.agent) ?? {};
  const terms = timeout !== undefined || retry ? { terms: { timeout, retry } } : {};
  return { type: "task.assign", data: { id: best.task.id, link: link.id, agent: link.agent, ...terms } };
}

/** The first of all that could start now. */
function bestOf({ matchers }: State): Entry | undefined {
  let best: Entry | undefined;
  for (const matcher of matchers.open) {
    const head = headOf(matcher);
    if (head && (!best || startsBefore(head, best))) best = head;
  }
  return best;
}

/** The first of its tasks that no limit holds back. */
function headOf({ homes }: Matcher): Entry | undefined {
  let best: Entry | undefined;
  for (const home of homes.values()) {
    const head = home.room?.isFull ? undefined : firstOf(home);
    if (head && (!best || startsBefore(head, best))) best = head;
  }
  return best;
}

function waiting({ matchers, rooms }: State): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  if (rooms.isShut()) return counts;
  for (const matcher of matchers.byKey.values()) {
    const ready = readyOf(matcher);
    if (ready === 0) continue;
    for (const agent of matcher.tiers.keys()) counts.set(agent, (counts.get(agent) ?? 0) + ready);
  }
  return counts;
}

/** How many of its tasks no limit holds back now. */
function readyOf({ size, homes }: Matcher): number {
  let ready = 0;
  if (size > 0) for (const home of homes.values()) if (!home.room?.isFull) ready += home.ready;
  return ready;
}

function rebuild(state: State): void {
  const { view, matchers, rooms, queue, held } = state;
  matchers.clear();
  rooms.clear();
  queue.clear();
  held.clear();
  for (const { id } of view.agents.links.values()) matchers.addLink(id);
  for (const { task: id, attempt, link } of view.agents.holdings.values()) {
    const limits = view.limits.holdings.get(holdingId(id, attempt))?.limits ?? [];
    held.set(id, [...(held.get(id) ?? []), { attempt, link, limits }]);
  }
  for (const task of sorted(view.tasks)) queue.sync(task.id, task);
}

/** In the order in which they began to wait, as they did when they came. */
function sorted({ tasks }: TasksState): Task[] {
  return [...tasks.values()].sort((a, b) => a.createdAt - b.createdAt || a.order - b.order);
}
