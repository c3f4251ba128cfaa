/**
 * Which task starts next, and on which worker. It is an index: all of it follows from the tasks and agents, so it
 * is never saved but built again. Tasks with the same required capabilities share a lane; a lane knows its queued
 * tasks in order and the workers that could take one now. The next start is the best head among the lanes that
 * have such a worker; the worker is the next free one in turn.
 */
import type { Agent, AgentEvents, Link } from "../agents/agent.ts";
import type { AgentsState } from "../agents/fold.ts";
import type { HostingEvents } from "../hosting/hosting.ts";
import type { Request } from "../kernel.ts";
import type { TasksState } from "../tasks/fold.ts";
import type { TaskEvents } from "../tasks/task.ts";
import { createBitset, type Bitset } from "./bitset.ts";
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
  readonly capabilities: readonly string[];
  readonly queue: ReadyQueue;
  /** Numbers of the links that match and have a free slot. */
  readonly free: Bitset;
}

/** Lanes that may stand empty; beyond that they are dropped, since anybody can name new capabilities. */
const SPARE_LANES = 256;

export function createScheduler(view: SchedulerView): Scheduler {
  const lanes = new Map<string, Lane>();
  const lanesByAgent = new Map<string, Lane[]>();
  const laneByTask = new Map<string, Lane>();
  /** The lanes with a worker that could take a task now. */
  const open = new Set<Lane>();
  const numbers = new Map<string, number>();
  const linkByNumber: (string | undefined)[] = [];
  let turn = 0;

  const agentOf = (link: Link): Agent | undefined => view.agents.agents.get(link.agent);
  const mark = (lane: Lane, number: number, isFree: boolean): void => {
    if (isFree) lane.free.add(number);
    else lane.free.delete(number);
    if (lane.free.size > 0) open.add(lane);
    else open.delete(lane);
  };
  const updateLink = (id: string): void => {
    const number = numbers.get(id);
    const link = view.agents.links.get(id);
    if (number === undefined || !link) return;
    const isFree = link.held < link.slots && agentOf(link) !== undefined;
    for (const lane of lanesByAgent.get(link.agent) ?? []) mark(lane, number, isFree);
  };
  const addLink = (id: string): void => {
    let number = linkByNumber.indexOf(undefined);
    if (number === -1) number = linkByNumber.length;
    linkByNumber[number] = id;
    numbers.set(id, number);
    updateLink(id);
  };
  const dropLink = (id: string): void => {
    const number = numbers.get(id);
    if (number === undefined) return;
    for (const lane of lanes.values()) mark(lane, number, false);
    numbers.delete(id);
    linkByNumber[number] = undefined;
  };
  const laneOf = (capabilities: readonly string[]): Lane => {
    const key = JSON.stringify([...capabilities].sort());
    const known = lanes.get(key);
    if (known) return known;
    if (lanes.size >= SPARE_LANES + laneByTask.size) dropSpareLanes();
    const lane = { capabilities, queue: createReadyQueue(), free: createBitset() };
    lanes.set(key, lane);
    for (const agent of view.agents.agents.values()) joinLane(agent, lane);
    for (const id of numbers.keys()) updateLink(id);
    return lane;
  };
  const dropSpareLanes = (): void => {
    for (const [key, lane] of lanes)
      if (lane.queue.size === 0) {
        lanes.delete(key);
        open.delete(lane);
      }
    const kept = new Set(lanes.values());
    for (const [agent, joined] of lanesByAgent) lanesByAgent.set(agent, joined.filter((lane) => kept.has(lane)));
  };
  const joinLane = (agent: Agent, lane: Lane): void => {
    if (!lane.capabilities.every((name) => agent.capabilities.includes(name))) return;
    const joined = lanesByAgent.get(agent.id) ?? [];
    joined.push(lane);
    lanesByAgent.set(agent.id, joined);
  };
  const indexAgent = (id: string): void => {
    for (const [link, number] of numbers)
      if (view.agents.links.get(link)?.agent === id)
        for (const lane of lanesByAgent.get(id) ?? []) mark(lane, number, false);
    lanesByAgent.delete(id);
    const agent = view.agents.agents.get(id);
    if (agent) for (const lane of lanes.values()) joinLane(agent, lane);
    for (const link of numbers.keys()) updateLink(link);
  };
  const enqueue = (id: string): void => {
    const task = view.tasks.tasks.get(id);
    if (task?.status !== "queued") return;
    const lane = laneOf(task.capabilities);
    lane.queue.add(readyOf(task));
    laneByTask.set(id, lane);
  };
  const dequeue = (id: string): void => {
    laneByTask.get(id)?.queue.delete(id);
    laneByTask.delete(id);
  };
  const bestLane = (): Lane | undefined => {
    let best: Lane | undefined;
    for (const lane of open) {
      const head = lane.queue.first();
      if (!head) continue;
      const leader = best?.queue.first();
      if (!leader || startsBefore(head, leader)) best = lane;
    }
    return best;
  };
  const rebuild = (): void => {
    lanes.clear();
    lanesByAgent.clear();
    laneByTask.clear();
    open.clear();
    numbers.clear();
    linkByNumber.length = 0;
    for (const { id } of view.agents.links.values()) addLink(id);
    for (const { id } of view.tasks.tasks.values()) enqueue(id);
  };
  rebuild();

  return {
    follow: {
      "host.started": rebuild,
      "agent.registered": ({ name }) => {
        indexAgent(name);
      },
      "agent.unregistered": ({ id }) => {
        indexAgent(id);
      },
      "link.joined": ({ link }) => {
        addLink(link);
      },
      "link.left": ({ link }) => {
        dropLink(link);
      },
      "slot.released": ({ link }) => {
        updateLink(link);
      },
      "task.created": ({ id }) => {
        enqueue(id);
      },
      "task.queued": ({ id }) => {
        enqueue(id);
      },
      "task.assigned": ({ id, link }) => {
        dequeue(id);
        updateLink(link);
      },
      "task.completed": ({ link }) => {
        updateLink(link);
      },
      "task.failed": ({ link }) => {
        updateLink(link);
      },
      "task.interrupted": ({ id, link }) => {
        updateLink(link);
        enqueue(id);
      },
      "task.cancelled": ({ id }) => {
        dequeue(id);
      },
    },
    next() {
      const lane = bestLane();
      const head = lane?.queue.first();
      if (!lane || !head) return undefined;
      const number = lane.free.next(turn);
      const link = view.agents.links.get(linkByNumber[number] ?? "");
      if (!link) return undefined;
      turn = number + 1;
      return { type: "task.assign", data: { id: head.id, link: link.id, agent: link.agent } };
    },
    waiting() {
      const counts = new Map<string, number>();
      for (const [agent, joined] of lanesByAgent)
        counts.set(
          agent,
          joined.reduce((sum, { queue }) => sum + queue.size, 0),
        );
      return counts;
    },
    rebuild,
  };
}
