/** Idempotency keys: the task that was made with a key, for as long as the key's window is open. */
import { createDueQueue, type DueQueue } from "../timers/due-queue.ts";

/** How long a key counts that says nothing else, in milliseconds. */
export const DEFAULT_WINDOW = 86_400_000;

/** So many keys can be open at once. */
export const MAX_KEYS = 50_000;

export interface KeyUse {
  readonly key: string;
  /** The first task with the key. */
  readonly task: string;
  /** The end of the window, exclusive. */
  readonly until: number;
}

export interface Keys {
  readonly uses: Map<string, KeyUse>;
  readonly due: DueQueue;
}

export function createKeys(): Keys {
  return { uses: new Map(), due: createDueQueue() };
}

/** The use of a key whose window is open at that moment. */
export function openUse({ uses }: Keys, key: string, now: number): KeyUse | undefined {
  const use = uses.get(key);
  return use && use.until > now ? use : undefined;
}

/** False when as many keys are open as there may be. */
export function hasRoom({ uses, due }: Keys, now: number): boolean {
  return uses.size < MAX_KEYS || (due.next() ?? Infinity) <= now; // then the next use drops some
}

/** Notes the use of a key, and drops those whose window is over. */
export function useKey(keys: Keys, use: KeyUse, now: number): void {
  for (const over of keys.due.take(now)) keys.uses.delete(over);
  keys.uses.set(use.key, use);
  keys.due.set(use.key, use.until);
}

export function saveKeys({ uses }: Keys): readonly KeyUse[] {
  return [...uses.values()];
}

export function restoreKeys({ uses, due }: Keys, saved: readonly KeyUse[]): void {
  for (const use of saved) {
    uses.set(use.key, use);
    due.set(use.key, use.until);
  }
}
