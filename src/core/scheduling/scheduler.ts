/**
 * Which task starts next, and on which worker. It is an index: all of it follows from the tasks and agents, so it
 * is never saved but built again. Tasks with the same required capabilities share a lane; a lane knows its queued
 * tasks in order and the workers that could take one now. The next start is the best head among the lanes that
 * have such a worker; the worker is the next free one in turn.
 */
import { agentId, type Agent, type AgentEvents } from "../agents/agent.ts";
import { isOpen, type AgentsState } from "../agents/fold.ts";
import { matches, requirementKey } from "../agents/matching.ts";
import { successPercent } from "../agents/statistics.ts";
import type { HostingEvents } from "../hosting/hosting.ts";
import type { Request } from "../kernel.ts";
import type { TasksState } from "../tasks/fold.ts";
import type { Requirement } from "../tasks/requirement.ts";
import type { TaskEvents } from "../tasks/task.ts";
import { createBitset, type Bitset } from "../bitset.ts";
import { createReadyQueue, readyOf, startsBefore, type ReadyQueue } from "./ready-queue.ts";

export interface SchedulerView {
  readonly tasks: TasksState;
  readonly agents: AgentsState;
}

type Heard = TaskEvents & AgentEvents & HostingEvents;

export interface Scheduler {
  /** Follows an event that has just been applied to the view. */
  readonly follow: { readonly [K in keyof Heard]?: (data: Heard[K]) => void };
  /** The next assignment, or undefined when nothing can start. */
  next(): Request | undefined;
  /** For each agent: how many queued tasks only wait for a free worker of it or another. */
  waiting(): ReadonlyMap<string, number>;
  rebuild(): void;
}

interface Lane {
  readonly requirement: Requirement;
  readonly queue: ReadyQueue;
  /** Numbers of the links that match and have a free slot. */
  readonly free: Bitset;
}

/** Lanes that may stand empty; beyond that they are dropped, since anybody can name new capabilities. */
const SPARE_LANES = 256;

interface State {
  readonly view: SchedulerView;
  /** By required capabilities. */
  readonly lanes: Map<string, Lane>;
  readonly lanesByAgent: Map<string, Lane[]>;
  readonly laneByTask: Map<string, Lane>;
  /** The lanes with a worker that could take a task now. */
  readonly open: Set<Lane>;
  readonly numbers: Map<string, number>;
  readonly linkByNumber: (string | undefined)[];
  /** The number after that of the worker that was last given a task. */
  turn: number;
  /** Success rates that the agents were matched with. */
  readonly percents: Map<string, number>;
}

export function createScheduler(view: SchedulerView): Scheduler {
  const state: State = {
    view,
    lanes: new Map(),
    lanesByAgent: new Map(),
    laneByTask: new Map(),
    open: new Set(),
    numbers: new Map(),
    linkByNumber: [],
    turn: 0,
    percents: new Map(),
  };
  rebuild(state);
  return {
    follow: followers(state),
    next: () => next(state),
    waiting: () => waiting(state),
    rebuild() {
      rebuild(state);
    },
  };
}

function followers(state: State): Scheduler["follow"] {
  const updateTheLink = ({ link }: { readonly link: string }): void => {
    updateLinks(state, link);
  };
  const indexTheAgent = ({ id }: { readonly id: string }): void => {
    indexAgent(state, id);
  };
  const enqueueTheTask = ({ id }: { readonly id: string }): void => {
    enqueue(state, id);
  };
  const requeueTheTask = ({ id }: { readonly id: string }): void => {
    dequeue(state, id);
    enqueue(state, id);
  };
  return {
    "host.started": () => {
      rebuild(state);
    },
    "agent.registered": (manifest) => {
      indexAgent(state, agentId(manifest));
    },
    "agent.withdrawn": indexTheAgent,
    "agent.switched": indexTheAgent,
    "agent.unregistered": indexTheAgent,
    "link.silenced": updateTheLink,
    "link.heard": updateTheLink,
    "link.joined": ({ link }) => {
      addLink(state, link);
    },
    "link.left": ({ link, agent }) => {
      dropLink(state, link);
      indexIfChanged(state, agent);
      if (state.view.agents.agents.get(agent)?.maxConcurrentTasks !== undefined) updateAll(state, agent);
    },
    "slot.released": updateTheLink,
    "task.created": enqueueTheTask,
    "task.queued": enqueueTheTask,
    "task.assigned": ({ id, link }) => {
      dequeue(state, id);
      updateLinks(state, link);
    },
    "task.completed": updateTheLink,
    "task.failed": ({ id, link }) => {
      if (link === undefined) dequeue(state, id);
      else updateLink(state, link);
    },
    "task.reprioritized": requeueTheTask,
    "task.escalated": requeueTheTask,
    "task.interrupted": ({ id, link }) => {
      updateLinks(state, link);
      enqueue(state, id);
    },
    "task.cancelled": ({ id }) => {
      dequeue(state, id);
    },
  };
}

function next(state: State): Request | undefined {
  const lane = bestLane(state);
  const head = lane?.queue.first();
  if (!lane || !head) return undefined;
  const number = lane.free.next(state.turn);
  const link = state.view.agents.links.get(state.linkByNumber[number] ?? "");
  if (!link) return undefined;
  state.turn = number + 1;
  return { type: "task.assign", data: { id: head.id, link: link.id, agent: link.agent } };
}

function bestLane({ open }: State): Lane | undefined {
  let best: Lane | undefined;
  for (const lane of open) {
    const head = lane.queue.first();
    if (!head) continue;
    const leader = best?.queue.first();
    if (!leader || startsBefore(head, leader)) best = lane;
  }
  return best;
}

function waiting({ lanesByAgent }: State): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [agent, joined] of lanesByAgent)
    counts.set(
      agent,
      joined.reduce((sum, { queue }) => sum + queue.size, 0),
    );
  return counts;
}

function rebuild(state: State): void {
  const { view, lanes, lanesByAgent, laneByTask, open, numbers, linkByNumber } = state;
  for (const index of [lanes, lanesByAgent, laneByTask, open, numbers]) index.clear();
  linkByNumber.length = 0;
  for (const { id } of view.agents.links.values()) addLink(state, id);
  for (const { id } of view.tasks.tasks.values()) enqueue(state, id);
}

function enqueue(state: State, id: string): void {
  const task = state.view.tasks.tasks.get(id);
  if (task?.status !== "queued") return;
  const lane = laneOf(state, task);
  lane.queue.add(readyOf(task));
  state.laneByTask.set(id, lane);
}

function dequeue({ laneByTask }: State, id: string): void {
  laneByTask.get(id)?.queue.delete(id);
  laneByTask.delete(id);
}

function addLink(state: State, id: string): void {
  const { numbers, linkByNumber } = state;
  let number = linkByNumber.indexOf(undefined);
  if (number === -1) number = linkByNumber.length;
  linkByNumber[number] = id;
  numbers.set(id, number);
  updateLink(state, id);
}

function dropLink({ numbers, linkByNumber, lanes, open }: State, id: string): void {
  const number = numbers.get(id);
  if (number === undefined) return;
  for (const lane of lanes.values()) mark(open, lane, number, false);
  numbers.delete(id);
  linkByNumber[number] = undefined;
}

/** The link's slots have changed, and with them perhaps what its agent may still take and how well it stands. */
function updateLinks(state: State, id: string): void {
  const agent = state.view.agents.links.get(id)?.agent;
  if (agent === undefined) return;
  indexIfChanged(state, agent);
  if (state.view.agents.agents.get(agent)?.maxConcurrentTasks === undefined) updateLink(state, id);
  else updateAll(state, agent);
}

/** All links of an agent: its bound is over all of them. */
function updateAll(state: State, agent: string): void {
  for (const id of state.numbers.keys()) if (state.view.agents.links.get(id)?.agent === agent) updateLink(state, id);
}

/** Tasks may ask for a success rate: the agent is looked at again when its own has changed. */
function indexIfChanged(state: State, id: string): void {
  const agent = state.view.agents.agents.get(id);
  if (!agent || state.percents.get(id) === successPercent(agent)) return;
  state.percents.set(id, successPercent(agent));
  indexAgent(state, id);
}

/** Marks in every lane that the link's agent serves whether it could take a task now. */
function updateLink({ view, numbers, lanesByAgent, open }: State, id: string): void {
  const number = numbers.get(id);
  const link = view.agents.links.get(id);
  if (number === undefined || !link) return;
  const isFree = isOpen(view.agents, link);
  for (const lane of lanesByAgent.get(link.agent) ?? []) mark(open, lane, number, isFree);
}

function mark(open: Set<Lane>, lane: Lane, number: number, isFree: boolean): void {
  if (isFree) lane.free.add(number);
  else lane.free.delete(number);
  if (lane.free.size > 0) open.add(lane);
  else open.delete(lane);
}

function laneOf(state: State, { capabilities, optional, specializations, agents }: Requirement): Lane {
  const { view, lanes, laneByTask, numbers } = state;
  const requirement = { capabilities, optional, specializations, agents };
  const key = requirementKey(requirement);
  const known = lanes.get(key);
  if (known) return known;
  if (lanes.size >= SPARE_LANES + laneByTask.size) dropSpareLanes(state);
  const lane = { requirement, queue: createReadyQueue(), free: createBitset() };
  lanes.set(key, lane);
  for (const agent of view.agents.agents.values()) joinLane(state, agent, lane);
  for (const id of numbers.keys()) updateLink(state, id);
  return lane;
}

function dropSpareLanes({ lanes, lanesByAgent, open }: State): void {
  for (const [key, lane] of lanes) {
    if (lane.queue.size > 0) continue;
    lanes.delete(key);
    open.delete(lane);
  }
  const kept = new Set(lanes.values());
  for (const [agent, joined] of lanesByAgent)
    lanesByAgent.set(
      agent,
      joined.filter((lane) => kept.has(lane)),
    );
}

function joinLane({ lanesByAgent }: State, agent: Agent, lane: Lane): void {
  if (!matches(agent, lane.requirement)) return;
  const joined = lanesByAgent.get(agent.id) ?? [];
  joined.push(lane);
  lanesByAgent.set(agent.id, joined);
}

/** An agent came, changed or went: its lanes are found anew. */
function indexAgent(state: State, id: string): void {
  const { view, lanes, lanesByAgent, numbers, open } = state;
  for (const [link, number] of numbers)
    if (view.agents.links.get(link)?.agent === id)
      for (const lane of lanesByAgent.get(id) ?? []) mark(open, lane, number, false);
  lanesByAgent.delete(id);
  const agent = view.agents.agents.get(id);
  if (agent) for (const lane of lanes.values()) joinLane(state, agent, lane);
  for (const link of numbers.keys()) updateLink(state, link);
}
