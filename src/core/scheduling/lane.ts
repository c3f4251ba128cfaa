/**
 * The order of queued tasks within a lane, and of lanes among each other. A lane knows its head; the open lanes of a
 * matcher stand in heaps by head, so ten thousand of them cost no more than a few.
 *
 * The order is: rank, the tag of the fairness key, then age (`isOlder`). A start moves the tag of one key, which
 * may stand at the head of very many lanes. So lanes whose heads have the same rank and key stand together in a group,
 * which has one place among the groups, and whatever is ordered by tag is put right only when it comes first: tags
 * only grow, so what stands too early is noticed, and nothing stands too late.
 */
import type { LimitUse } from "../tasks/order.ts";
import { createHeap } from "./heap.ts";
import { RANKS, type Entry, type Flow, type Group, type Home, type Lane, type Matcher, type Shelf } from "./model.ts";
import type { Room, Tag } from "./model.ts";

export function createHome(room: Room | undefined): Home {
  return { room, groups: new Map(), heap: createHeap(groupBefore), spare: undefined, lanes: new Set(), ready: 0 };
}

export function createLane(key: string, matcher: Matcher, limits: readonly LimitUse[], home: Home): Lane {
  return {
    place: -1,
    key,
    matcher,
    limits,
    shelves: [],
    home,
    rooms: [],
    full: 0,
    size: 0,
    counted: 0,
    head: undefined,
    group: undefined,
  };
}

/** Puts a task at its rank; `fileLane` must follow. */
export function addEntry({ shelves }: Lane, entry: Entry, tag: Tag): void {
  const shelf: Shelf = (shelves[entry.rank] ??= { flows: new Map(), heap: createHeap(flowBefore), spare: undefined });
  const known = shelf.flows.get(entry.key);
  const flow: Flow = known ?? shelf.spare ?? { place: -1, tag, entries: createHeap<Entry>(isOlder), seen: 0 };
  flow.entries.add(entry);
  entry.flow = flow;
  if (known) shelf.heap.update(flow);
  else {
    shelf.spare = undefined;
    flow.tag = tag;
    flow.seen = tag.start;
    shelf.flows.set(entry.key, flow);
    shelf.heap.add(flow);
  }
}

/** Takes a task out; `fileLane` must follow. */
export function deleteEntry({ shelves }: Lane, entry: Entry): void {
  const { flow } = entry;
  const shelf = shelves[entry.rank];
  if (!flow || !shelf) return;
  entry.flow = undefined;
  flow.entries.delete(entry);
  if (flow.entries.size > 0) shelf.heap.update(flow);
  else {
    shelf.heap.delete(flow);
    shelf.flows.delete(entry.key);
    shelf.spare = flow;
  }
}

/** The best rank that has tasks, its first flow being the right one. */
function topShelf({ shelves }: Lane): Shelf | undefined {
  for (let rank = 0; rank < RANKS; rank++) {
    const shelf = shelves[rank];
    if (!shelf || shelf.heap.size === 0) continue;
    for (let flow = shelf.heap.first(); flow && flow.seen < flow.tag.start; flow = shelf.heap.first()) {
      flow.seen = flow.tag.start;
      shelf.heap.update(flow);
    }
    return shelf;
  }
  return undefined;
}

/** Puts a lane where its head belongs; nowhere while it is empty or one of its own limits is full. */
export function fileLane(lane: Lane): void {
  const { home } = lane;
  const ready = lane.full > 0 ? 0 : lane.size;
  home.ready += ready - lane.counted;
  lane.counted = ready;
  const shelf = ready > 0 ? topShelf(lane) : undefined;
  const flow = shelf?.heap.first();
  const group = lane.group;
  if (!shelf || !flow) takeOut(lane);
  else if (group?.tag === flow.tag && group.home === home) moveWithin(group, lane, flow.entries.first());
  else {
    takeOut(lane);
    putInto(home, lane, flow);
  }
  if (shelf && shelf.flows.size > 1) lane.group?.mixed.add(lane);
  else lane.group?.mixed.delete(lane);
}

/** Most come or go behind the head, and move nothing. */
function moveWithin(group: Group, lane: Lane, head: Entry | undefined): void {
  if (lane.head === head) return;
  lane.head = head;
  group.lanes.update(lane);
  group.home.heap.update(group);
}

function putInto(home: Home, lane: Lane, { tag, entries }: Flow): void {
  lane.head = entries.first();
  let group = home.groups.get(tag);
  if (!group) {
    group = home.spare ?? { place: -1, home, tag, lanes: createHeap(laneBefore), mixed: new Set(), seen: 0 };
    home.spare = undefined;
    group.tag = tag;
    group.seen = tag.start;
    home.groups.set(tag, group);
    tag.groups.add(group);
  }
  group.lanes.add(lane);
  lane.group = group;
  if (group.lanes.size === 1) home.heap.add(group);
  else home.heap.update(group);
}

function takeOut(lane: Lane): void {
  const { group } = lane;
  if (!group) return;
  lane.group = undefined;
  group.lanes.delete(lane);
  group.mixed.delete(lane);
  const { home, tag } = group;
  if (group.lanes.size > 0) home.heap.update(group);
  else {
    home.heap.delete(group);
    home.groups.delete(tag);
    tag.groups.delete(group);
    home.spare = group;
  }
}

/** The tag has grown: lanes that have other keys too may have another head now. */
export function refile({ groups }: Tag): void {
  const mixed: Lane[] = [];
  for (const group of groups) mixed.push(...group.mixed);
  for (const lane of mixed) fileLane(lane);
}

/** The task that starts next among the open lanes of the home, whether or not the home's limit is full. */
export function firstOf({ heap }: Home): Entry | undefined {
  for (let group = heap.first(); group && group.seen < group.tag.start; group = heap.first()) {
    group.seen = group.tag.start;
    heap.update(group);
  }
  return heap.first()?.lanes.first()?.head;
}

/** The order of starting. */
export function startsBefore(a: Entry, b: Entry): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  const [one, other] = [a.flow?.tag.start ?? 0, b.flow?.tag.start ?? 0];
  return one < other || (one === other && isOlder(a, b));
}

/** Within a rank and key: what belongs to the run that started first, then what was created first. */
export function isOlder(a: Entry, b: Entry): boolean {
  return a.runAt < b.runAt || (a.runAt === b.runAt && a.task.order < b.task.order);
}

function flowBefore(a: Flow, b: Flow): boolean {
  if (a.seen !== b.seen) return a.seen < b.seen;
  return hasOlder(a.entries.first(), b.entries.first());
}

function laneBefore(a: Lane, b: Lane): boolean {
  return hasOlder(a.head, b.head);
}

function groupBefore(a: Group, b: Group): boolean {
  if (a.tag.rank !== b.tag.rank) return a.tag.rank < b.tag.rank;
  if (a.seen !== b.seen) return a.seen < b.seen;
  return hasOlder(a.lanes.first()?.head, b.lanes.first()?.head);
}

function hasOlder(a: Entry | undefined, b: Entry | undefined): boolean {
  return a !== undefined && (b === undefined || isOlder(a, b));
}
