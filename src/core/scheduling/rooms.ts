/** Which limits are full, and which lanes are held back by them: a lane costs nothing while it is. */
import type { AgentsState } from "../agents/fold.ts";
import { resolve, runningOf, tokenAt, type LimitsState } from "../limits/fold.ts";
import { EVERY_TASK, useId } from "../limits/limit.ts";
import { createDueQueue } from "../timers/due-queue.ts";
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

export function createRooms(view: RoomsView): Rooms {
  const rooms = new Map<string, Room>();
  const due = createDueQueue();
  let now = 0;

  const check = (room: Room): void => {
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
  };
  const roomOf = (limit: string, key: string): Room => {
    const id = useId(limit, key);
    const known = rooms.get(id);
    if (known) {
      check(known); // the limit may have been set anew
      return known;
    }
    const room: Room = { id, limit, key, isFull: false, lanes: new Set(), homes: new Set() };
    rooms.set(id, room);
    check(room);
    return room;
  };
  const forget = (room: Room): void => {
    if (room.lanes.size > 0 || room.homes.size > 0 || room.limit === EVERY_TASK) return;
    rooms.delete(room.id);
    due.delete(room.id);
  };
  const leave = (lane: Lane): void => {
    const { home, matcher } = lane;
    for (const room of lane.rooms) {
      room.lanes.delete(lane);
      forget(room);
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
    forget(home.room);
  };
  return {
    isShut: () => view.limits.limits.has(EVERY_TASK) && (rooms.get(useId(EVERY_TASK, "")) ?? roomOf(EVERY_TASK, "")).isFull,
    settle(lane) {
      if (lane.home.lanes.has(lane)) leave(lane);
      const named = resolve(view.limits, lane.limits);
      const shared = named.find(([{ perKey }]) => !perKey)?.[0].id;
      lane.home = homeOf(lane.matcher, shared === undefined ? undefined : roomOf(shared, ""));
      lane.home.lanes.add(lane);
      lane.rooms = named.filter(([{ id }]) => id !== shared).map(([{ id }, key]) => roomOf(id, key));
      lane.full = 0;
      for (const room of lane.rooms) {
        room.lanes.add(lane);
        if (room.isFull) lane.full++;
      }
      fileLane(lane);
    },
    leave,
    check(limit, key = "") {
      const perKey = view.limits.limits.get(limit)?.perKey;
      const room = rooms.get(useId(limit, perKey ? key : ""));
      if (room) check(room);
    },
    advance(moment) {
      now = Math.max(now, moment);
      for (const id of due.take(now)) {
        const room = rooms.get(id);
        if (room) check(room);
      }
    },
    nextDue: due.next,
    clear() {
      rooms.clear();
      due.take(Infinity);
    },
  };
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
