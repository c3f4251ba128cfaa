/** The indexes against the plainest thing that does the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBitset } from "../../../src/core/bitset.ts";
import { createHeap } from "../../../src/core/scheduling/heap.ts";
import { createDueQueue } from "../../../src/core/timers/due-queue.ts";
import { createChance, seedOf } from "./chance.ts";

const OPERATIONS = 150_000;
const seed = seedOf(20_251);

describe(`indexes (seed ${String(seed)})`, () => {
  it("a due queue gives what a sorted list gives", () => {
    const chance = createChance(seed);
    const queue = createDueQueue();
    const plain = new Map<string, number>();
    const inOrder = (): [string, number][] => [...plain].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
    for (let step = 0; step < OPERATIONS; step++) {
      const key = `k${String(chance.below(60))}`;
      const draw = chance.below(20);
      if (draw < 11) {
        const at = chance.below(200);
        queue.set(key, at);
        plain.set(key, at);
      } else if (draw < 18) {
        queue.delete(key);
        plain.delete(key);
      } else if (draw === 18) {
        const now = chance.below(60);
        const due = inOrder().filter(([, at]) => at <= now);
        assert.deepEqual(
          queue.take(now),
          due.map(([one]) => one),
        );
        for (const [one] of due) plain.delete(one);
      } else assert.equal(queue.next(), inOrder()[0]?.[1]);
      assert.equal(queue.size, plain.size);
    }
    assert.deepEqual(
      queue.take(Infinity),
      inOrder().map(([key]) => key),
    );
    assert.equal(queue.next(), undefined);
  });

  it("a heap gives the first of its items, whichever were moved or taken out", () => {
    const chance = createChance(seed + 1);
    interface Item {
      place: number;
      rank: number;
      readonly name: number;
    }
    const before = (a: Item, b: Item): boolean => a.rank < b.rank || (a.rank === b.rank && a.name < b.name);
    const heap = createHeap<Item>(before);
    const other = createHeap<Item>(before);
    const items = Array.from({ length: 100 }, (_none, name): Item => ({ place: -1, rank: 0, name }));
    const plain = new Set<Item>();
    const best = (): Item | undefined =>
      [...plain].reduce<Item | undefined>((first, one) => (first && before(first, one) ? first : one), undefined);
    other.add({ place: -1, rank: 0, name: -1 });
    for (let step = 0; step < OPERATIONS; step++) {
      const item = chance.pick(items);
      const draw = chance.below(10);
      if (draw < 4) {
        if (!plain.has(item)) {
          item.rank = chance.below(20);
          heap.add(item);
          plain.add(item);
        }
      } else if (draw < 6) {
        heap.delete(item);
        plain.delete(item);
      } else if (draw < 8) {
        item.rank = chance.below(20);
        heap.update(item);
      } else if (draw === 8)
        other.delete(item); // it is in another one, or in none
      else assert.equal(heap.first(), best());
      assert.equal(heap.size, plain.size);
    }
  });

  it("a bitset finds the next member as a walk over all numbers does", () => {
    const chance = createChance(seed + 2);
    for (const range of [1, 31, 32, 33, 64, 1_025, 70_000]) {
      const set = createBitset();
      const plain = new Set<number>();
      const next = (from: number): number => {
        const members = [...plain].sort((a, b) => a - b);
        return members.find((member) => member >= from) ?? members[0] ?? -1;
      };
      for (let step = 0; step < OPERATIONS / 5; step++) {
        const member = chance.below(range);
        const draw = chance.below(10);
        if (draw < 4 && plain.size < 40) {
          set.add(member);
          plain.add(member);
        } else if (draw < 8) {
          const gone = chance.once(2) ? member : next(member);
          if (gone >= 0) set.delete(gone);
          plain.delete(gone);
        } else assert.equal(set.next(member), next(member));
        assert.equal(set.has(member), plain.has(member));
        assert.equal(set.size, plain.size);
      }
      assert.equal(set.next(range * 100), next(range * 100), "beyond the end it begins again");
    }
  });
});
