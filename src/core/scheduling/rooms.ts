/** Which limits are full, and which lanes are held back by them: a lane costs nothing while it is. */
import type { AgentsState } from "../agents/fold.ts";
import { resolve, runningOf, tokenAt, type LimitsState } from "../limits/fold.ts";
import { EVERY_TASK, useId } from "../limits/limit.ts";
import { createDueQueue, type DueQueue } from "../timers/due-queue.ts";
import { createHome, fileLane } from "./lane.ts";
import type { Home, Lane, Matcher, Room } from "./model.ts";

export interface RoomsView {
  readonly limits: LimitsState;
  readonly agents: AgentsState;
}

export interface Rooms {
  /** True while the limit of every task is full. */
  isShut(): boolean;
  /** Finds the home and the rooms of a new lane, or anew after a limit was set. */
  settle(lane: Lane): void;
  /** The lane is empty, and gone. */
  leave(lane: Lane): void;
  /** Something was taken or given back. */
  check(limit: string, key: string | undefined): void;
  /** Time has passed: some may have a token again. */
  advance(now: number): void;
  /** When the next one has a token again for which a task may wait. */
  nextDue(): number | undefined;
  clear(): void;
}

interface State {
  readonly view: RoomsView;
  readonly rooms: Map<string, Room>;
  /** By room: when its bucket has a token again. */
  readonly due: DueQueue;
  now: number;
}

export function createRooms(view: RoomsView): Rooms {
  const state: State = { view, rooms: new Map(), due: createDueQueue(), now: 0 };
  const { rooms, due } = state;
  return {
    isShut() {
      if (!view.limits.limits.has(EVERY_TASK)) return false;
      return (rooms.get(useId(EVERY_TASK, "")) ?? roomOf(state, EVERY_TASK, "")).isFull;
    },
    settle(lane) {
      settle(state, lane);
    },
    leave(lane) {
      leave(state, lane);
    },
    check(limit, key = "") {
      const perKey = view.limits.limits.get(limit)?.perKey;
      const room = rooms.get(useId(limit, perKey ? key : ""));
      if (room) check(state, room);
    },
    advance(moment) {
      state.now = Math.max(state.now, moment);
      for (const id of due.take(state.now)) {
        const room = rooms.get(id);
        if (room) check(state, room);
      }
    },
    nextDue: due.next,
    clear() {
      rooms.clear();
      due.take(Infinity);
    },
  };
}

/** Looks whether it is full; if that is another answer than before, its lanes are opened or closed. */
function check({ view, due, now }: State, room: Room): void {
  const { limit, key } = room;
  const { concurrency = Infinity } = view.limits.limits.get(limit) ?? {};
  const token = tokenAt(view.limits, limit, key, now);
  if (token === undefined) due.delete(room.id);
  else due.set(room.id, token);
  const isFull = token !== undefined || runningOf(view.limits, limit, key, view.agents.holdings.size) >= concurrency;
  if (isFull === room.isFull) return;
  room.isFull = isFull;
  for (const lane of room.lanes) {
    lane.full += isFull ? 1 : -1;
    if (isFull ? lane.full === 1 : lane.full === 0) fileLane(lane);
  }
}

/** The room, checked: the limit may have been set anew. */
function roomOf(state: State, limit: string, key: string): Room {
  const id = useId(limit, key);
  let room = state.rooms.get(id);
  if (!room) state.rooms.set(id, (room = { id, limit, key, isFull: false, lanes: new Set(), homes: new Set() }));
  check(state, room);
  return room;
}

function forget({ rooms, due }: State, room: Room): void {
  if (room.lanes.size > 0 || room.homes.size > 0 || room.limit === EVERY_TASK) return;
  rooms.delete(room.id);
  due.delete(room.id);
}

function settle(state: State, lane: Lane): void {
  if (lane.home.lanes.has(lane)) leave(state, lane);
  const named = resolve(state.view.limits, lane.limits);
  const shared = named.find(([{ perKey }]) => !perKey)?.[0].id;
  lane.home = homeOf(lane.matcher, shared === undefined ? undefined : roomOf(state, shared, ""));
  lane.home.lanes.add(lane);
  lane.rooms = named.filter(([{ id }]) => id !== shared).map(([{ id }, key]) => roomOf(state, id, key));
  lane.full = 0;
  for (const room of lane.rooms) {
    room.lanes.add(lane);
    if (room.isFull) lane.full++;
  }
  fileLane(lane);
}

function leave(state: State, lane: Lane): void {
  const { home, matcher } = lane;
  for (const room of lane.rooms) {
    room.lanes.delete(lane);
    forget(state, room);
  }
  lane.rooms = [];
  lane.full = 0;
  fileLane(lane); // it is empty, or will be put elsewhere
  home.lanes.delete(lane);
  home.ready -= lane.counted;
  lane.counted = 0;
  if (!home.room || home.lanes.size > 0) return;
  matcher.homes.delete(home.room.id);
  home.room.homes.delete(home);
  forget(state, home.room);
}

function homeOf({ homes }: Matcher, room: Room | undefined): Home {
  const id = room?.id ?? "";
  const known = homes.get(id);
  if (known) return known;
  const home = createHome(room);
  homes.set(id, home);
  room?.homes.add(home);
  return home;
}
