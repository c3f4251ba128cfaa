/** The indexes against the plainest thing that does the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBitset } from "../../../src/core/bitset.ts";
import { createReadyQueue, startsBefore, type Ready } from "../../../src/core/scheduling/ready-queue.ts";
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

  it("a ready queue gives the best by priority, then by creation", () => {
    const chance = createChance(seed + 1);
    const queue = createReadyQueue();
    const plain = new Map<string, Ready>();
    const best = (): Ready | undefined =>
      [...plain.values()].reduce<Ready | undefined>(
        (first, one) => (!first || startsBefore(one, first) ? one : first),
        undefined,
      );
    for (let step = 0; step < OPERATIONS; step++) {
      const id = `t${String(chance.below(100))}`;
      const draw = chance.below(10);
      if (draw < 5) {
        const ready = plain.get(id) ?? { id, rank: chance.below(4), order: step };
        queue.add(ready);
        plain.set(id, ready);
      } else if (draw < 8) {
        queue.delete(id);
        plain.delete(id);
      } else if (draw === 8) {
        const first = queue.first();
        assert.deepEqual(first, best());
        if (first) {
          queue.delete(first.id);
          plain.delete(first.id);
        }
      } else assert.deepEqual(queue.first(), best());
      assert.equal(queue.size, plain.size);
    }
  });

  it("a ready queue in which most of very many were deleted still gives the best", () => {
    const queue = createReadyQueue();
    const many = 1_000_000;
    for (let order = 0; order < many; order++) queue.add({ id: String(order), rank: order % 4, order });
    const kept = new Set<number>();
    for (let order = 0; order < many; order++)
      if (order % 5 === 0) kept.add(order);
      else queue.delete(String(order));
    const started: Ready[] = [];
    for (let first = queue.first(); first && started.length < 1_000; first = queue.first()) {
      started.push(first);
      queue.delete(first.id);
    }
    assert.ok(started.every(({ rank, order }) => rank === 0 && kept.has(order)));
    assert.ok(started.every((one, place) => place === 0 || startsBefore(started[place - 1] ?? one, one)));
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
