/** What the scheduler's index is made of. */
import type { Bitset } from "../bitset.ts";
import type { LimitUse } from "../tasks/order.ts";
import { PRIORITIES } from "../tasks/priority.ts";
import type { Requirement } from "../tasks/requirement.ts";
import type { Task } from "../tasks/task.ts";
import type { Heap, Placed } from "./heap.ts";

/** How many ranks there are; 0 is the top. */
export const RANKS: number = PRIORITIES.length;

/** A queued task. */
export interface Entry extends Placed {
  readonly task: Task;
  readonly lane: Lane;
  /** The rank of its own priority. */
  readonly own: number;
  /** When the run that it belongs to started; its creation when there is none. */
  readonly runAt: number;
  /** Of fairness. */
  readonly key: string;
  readonly weight: number;
  /** Ranks that waiting has raised it by. */
  aged: number;
  /** The best rank of those that wait for it; RANKS when nobody does. */
  inherited: number;
  /** Its deadline leaves no more time than it needs. */
  isUrgent: boolean;
  /** The rank that it stands in. */
  rank: number;
  flow: Flow | undefined;
  /** When it is raised next, and its neighbours in the list of those that age. */
  raiseAt: number;
  previous: Entry | undefined;
  next: Entry | undefined;
}

/** What one fairness key has got of one rank. */
export interface Tag {
  readonly rank: number;
  readonly key: string;
  /** Where its next task begins in virtual time; it only grows while tasks of it are queued. */
  start: number;
  weight: number;
  queued: number;
  readonly groups: Set<Group>;
}

/** The tasks of a lane with one rank and key. */
export interface Flow extends Placed {
  tag: Tag;
  readonly entries: Heap<Entry>;
  /** The tag by which it was placed. */
  seen: number;
}

/** The tasks of a lane with one rank. */
export interface Shelf {
  readonly flows: Map<string, Flow>;
  readonly heap: Heap<Flow>;
  /** An empty one for the next key: queues that are empty most of the time make no garbage. */
  spare: Flow | undefined;
}

/** The queued tasks of one matcher that count against the same limits. */
export interface Lane extends Placed {
  readonly key: string;
  readonly matcher: Matcher;
  readonly limits: readonly LimitUse[];
  readonly shelves: (Shelf | undefined)[];
  home: Home;
  /** What it counts against beside its home's. */
  rooms: readonly Room[];
  /** How many of these are full. */
  full: number;
  size: number;
  /** Its part of what its home counts as ready. */
  counted: number;
  /** By which it was placed. */
  head: Entry | undefined;
  group: Group | undefined;
}

/** Open lanes of a home whose heads have the same rank and key. */
export interface Group extends Placed {
  readonly home: Home;
  tag: Tag;
  readonly lanes: Heap<Lane>;
  /** Those that have tasks of other keys in the same rank, which may come to be their heads. */
  readonly mixed: Set<Lane>;
  seen: number;
}

/** Lanes of one matcher that share one limit (their first without keys), or none: while it is full, nobody looks at them. */
export interface Home {
  readonly room: Room | undefined;
  readonly groups: Map<Tag, Group>;
  readonly heap: Heap<Group>;
  spare: Group | undefined;
  /** Lanes that belong here, open or not. */
  readonly lanes: Set<Lane>;
  /** Tasks of those that are open. */
  ready: number;
}

/** Tasks with one requirement, and the workers that meet it. */
export interface Matcher {
  readonly key: string;
  readonly requirement: Requirement;
  readonly tiers: Map<string, number>;
  /** By tier: numbers of the links that match and could take a task now. */
  readonly free: (Bitset | undefined)[];
  /** The tiers that have such a link. */
  readonly freeTiers: Bitset;
  readonly lanes: Map<string, Lane>;
  readonly homes: Map<string, Home>;
  size: number;
}

/** What a lane counts against: a limit, or one key of it. */
export interface Room {
  readonly id: string;
  readonly limit: string;
  readonly key: string;
  isFull: boolean;
  /** Lanes that are blocked while it is full. */
  readonly lanes: Set<Lane>;
  /** Homes that are passed over meanwhile. */
  readonly homes: Set<Home>;
}
