/** The order of starting, as plainly as it can be told: everything is looked at, every time. */
import type { Rate } from "../../../../src/core/limits/limit.ts";
import { PRIORITIES } from "../../../../src/core/tasks/priority.ts";
import type { Task } from "../../../../src/core/tasks/task.ts";
import { freeLinksFor, fullLimit, levelOf, runningOf, usesOf, type Ledger, type Yard } from "./yard.ts";

export interface Model {
  readonly ledger: Ledger;
  /** Notes who waits at which rank now. */
  refresh(): void;
  /** When some task's rank changes next, by waiting or for its deadline. */
  nextChange(): number;
  /** All that could start now, the first one first. */
  startable(): Task[];
  started(task: Task, attempt: number): void;
  /** Forgets attempts that hold no slot any more. */
  settle(): void;
  /** A rate is about to be set, or taken away. */
  changeRate(limit: string, rate: Rate | undefined, perKey: boolean): void;
  /** The shares begin anew. */
  even(): void;
}

export function createModel(yard: Yard): Model {
  const ledger: Ledger = { held: new Map(), buckets: new Map() };
  const starts = new Map<string, number>();
  const times = PRIORITIES.map(() => 0);
  let waiting = new Map<string, number>();

  const queued = (): Task[] => [...yard.state.tasks.tasks.values()].filter(({ status }) => status === "queued");
  const rankOf = ({ priority, createdAt, startedAt = 0, deadline = Infinity, timeout }: Task): number => {
    if (yard.now >= deadline - Math.min(timeout ?? 60_000, 60_000)) return 0;
    const waited = yard.now - Math.max(createdAt, startedAt);
    return Math.max(0, PRIORITIES.indexOf(priority) - Math.floor(waited / 30_000));
  };
  const tagOf = (task: Task): string => `${String(rankOf(task))}|${task.fairness?.key ?? ""}`;
  const weightOf = ({ fairness }: Task): number => fairness?.weight ?? 1;
  const refresh = (): void => {
    const now = new Map<string, number>();
    for (const task of queued()) now.set(tagOf(task), weightOf(task));
    for (const [rank] of PRIORITIES.entries()) {
      const isHere = (tag: string): boolean => tag.startsWith(`${String(rank)}|`);
      if ([...now.keys()].some(isHere)) continue;
      times[rank] = 0;
      for (const tag of [...starts.keys()].filter(isHere)) starts.delete(tag);
    }
    for (const tag of now.keys())
      if (!waiting.has(tag)) starts.set(tag, Math.max(starts.get(tag) ?? 0, times[Number(tag[0])] ?? 0));
    waiting = now;
  };
  return {
    ledger,
    refresh,
    nextChange() {
      const moments = queued().flatMap((task) => {
        const { createdAt, startedAt = 0, deadline = Infinity, timeout } = task;
        const since = Math.max(createdAt, startedAt);
        return [1, 2, 3].map((step) => since + step * 30_000).concat(deadline - Math.min(timeout ?? 60_000, 60_000));
      });
      return Math.min(...moments.filter((moment) => moment > yard.now));
    },
    startable: () => {
      const running = runningOf(yard, ledger);
      return queued()
        .filter((task) => freeLinksFor(yard.state, task).length > 0 && !fullLimit(yard, ledger, task, running))
        .sort((a, b) => {
          const [one, other] = [starts.get(tagOf(a)) ?? 0, starts.get(tagOf(b)) ?? 0];
          return rankOf(a) - rankOf(b) || one - other || a.createdAt - b.createdAt || a.order - b.order;
        });
    },
    started(task, attempt) {
      const tag = tagOf(task);
      const rank = rankOf(task);
      const time = times[rank] ?? 0;
      const begun = Math.max(starts.get(tag) ?? 0, time);
      starts.set(tag, begun + 1 / weightOf(task));
      const weights = [...waiting].filter(([one]) => one.startsWith(`${String(rank)}|`));
      times[rank] = Math.max(begun, time + 1 / (2 * weights.reduce((sum, [, weight]) => sum + weight, 0)));
      for (const use of usesOf(yard.state, task.limits)) {
        const level = levelOf(yard, ledger, use);
        const per = yard.state.limits.limits.get(use.slice(0, use.indexOf("|")))?.rate?.per ?? 0;
        if (level !== undefined) ledger.buckets.set(use, { level: level - per, at: yard.now });
      }
      ledger.held.set(`${task.id}#${String(attempt)}`, task.limits ?? []);
    },
    settle() {
      for (const id of ledger.held.keys()) if (!yard.state.agents.holdings.has(id)) ledger.held.delete(id);
    },
    changeRate(limit, rate, perKey) {
      const before = yard.state.limits.limits.get(limit);
      for (const [use, { at }] of [...ledger.buckets]) {
        if (!use.startsWith(`${limit}|`)) continue;
        const level = levelOf(yard, ledger, use) ?? 0;
        ledger.buckets.delete(use);
        if (!rate || !before?.rate || (before.perKey ?? false) !== perKey) continue;
        if (level >= (before.rate.burst ?? before.rate.count) * before.rate.per) continue;
        const { count, per, burst = count } = rate;
        const kept = Math.min(burst * per, Math.floor((level * per) / before.rate.per));
        ledger.buckets.set(use, { level: kept, at: Math.max(at, yard.now) });
      }
    },
    even() {
      starts.clear();
      times.fill(0);
      waiting.clear();
      refresh();
    },
  };
}
