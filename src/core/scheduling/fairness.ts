/**
 * Fairness among keys: start-time fair queuing (Goyal, Vin, Cheng, SIGCOMM 1996), one virtual time for each rank.
 * A key's tag is where its next task would begin in virtual time; the smallest goes first, and a start moves the tag
 * on by 1/weight. A key that had nothing to run comes back at the present virtual time: idling gains no credit.
 * A key whose tasks couldn't run (no worker, a limit) keeps its place before others, but begins at the present too.
 *
 * Virtual time also moves on by half of what all waiting keys together would get, so that an endless stream of new
 * keys, each of which begins at the present, can't stand before an older one for ever.
 */

import type { Tag } from "./model.ts";

export interface Fairness {
  /** A task of the key is queued in the rank. */
  enter(rank: number, key: string, weight: number): Tag;
  /** One of them isn't any more. */
  leave(tag: Tag): void;
  /** One of them starts; call it before {@link Fairness.leave}. */
  serve(tag: Tag, weight: number): void;
  clear(): void;
}

interface Rank {
  readonly tags: Map<string, Tag>;
  now: number;
  /** Queued tasks, and the weights of their keys in all. */
  queued: number;
  weights: number;
}

/** Keys without queued tasks that may be remembered beyond those that have some. */
const SPARE_TAGS = 256;

export function createFairness(ranks: number): Fairness {
  const all: Rank[] = Array.from({ length: ranks }, () => ({ tags: new Map(), now: 0, queued: 0, weights: 0 }));
  const rankOf = (rank: number): Rank => all[rank] ?? { tags: new Map(), now: 0, queued: 0, weights: 0 };
  return {
    enter(rank, key, weight) {
      const at = rankOf(rank);
      at.queued++;
      let tag = at.tags.get(key);
      if (!tag) {
        if (at.tags.size > SPARE_TAGS + 2 * at.queued) forget(at);
        tag = { rank, key, start: at.now, weight, queued: 0, groups: new Set() };
        at.tags.set(key, tag);
      }
      if (tag.queued++ === 0) {
        tag.start = Math.max(tag.start, at.now);
        tag.weight = weight;
        at.weights += weight;
      }
      return tag;
    },
    leave(tag) {
      const at = rankOf(tag.rank);
      if (--tag.queued === 0) at.weights -= tag.weight;
      if (--at.queued > 0) return;
      at.tags.clear(); // nobody waits any more: all are even
      at.now = 0;
      at.weights = 0;
    },
    serve(tag, weight) {
      const at = rankOf(tag.rank);
      const start = Math.max(tag.start, at.now);
      tag.start = start + 1 / weight;
      at.now = Math.max(start, at.now + 1 / (2 * at.weights));
    },
    clear() {
      for (const at of all) {
        at.tags.clear();
        Object.assign(at, { now: 0, queued: 0, weights: 0 });
      }
    },
  };
}

/** Lets go of the keys about which nothing is to be remembered. */
function forget({ tags, now }: Rank): void {
  for (const [key, tag] of tags) if (tag.queued === 0 && tag.start <= now) tags.delete(key);
}
