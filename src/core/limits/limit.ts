/** Limits on how many tasks run at once and how often one starts. */
import type { LimitUse } from "../tasks/order.ts";

/** So often: `count` starts in `per` milliseconds. */
export interface Rate {
  readonly count: number;
  readonly per: number;
  /** Starts that may come at once after a pause. Default `count`. */
  readonly burst?: number | undefined;
}

export interface LimitSettings {
  /** How many tasks may hold a slot at once; 0 lets none start. Default any number. */
  readonly concurrency?: number | undefined;
  readonly rate?: Rate | undefined;
  /** True: each key has all of it for itself. Default: all share it, whatever their keys. */
  readonly perKey?: boolean | undefined;
}

export interface Limit extends LimitSettings {
  readonly id: string;
}

/** What a limit, or one key of it, has given out. */
export interface LimitState {
  /** Made of both, see {@link useId}. */
  readonly id: string;
  readonly limit: string;
  readonly key: string;
  /** Attempts that hold a slot: until it is given back, also when the task is over. */
  readonly running: number;
  /** What is in the bucket, in tokens times `rate.per`, and when; a start costs one token. */
  readonly credit: number;
  readonly at: number;
}

/** An attempt that counts against limits while it holds its slot. */
export interface LimitHolding {
  /** As in the agents' holdings. */
  readonly id: string;
  readonly limits: readonly LimitUse[];
}

export interface LimitEvents {
  "limit.set": LimitSettings & { readonly name: string };
  "limit.removed": { readonly name: string };
  /** The bucket is full again and nothing runs: there is nothing to remember. */
  "limit.refilled": { readonly id: string };
}

export interface LimitCommands {
  "limit.set": LimitEvents["limit.set"];
  /** Tasks that name it go on without it. */
  "limit.remove": { readonly name: string };
  /** A bucket is full again, or has a token for those who wait. */
  "limit.wake": { readonly id: string };
}

/** The limit of this name applies to every task. */
export const EVERY_TASK = "*";

/** The id of what a limit or one key of it has given out: names can't hold a line's end. */
export function useId(limit: string, key: string): string {
  return `${limit}\n${key}`;
}

/** The most that its bucket holds. */
export function burstOf({ count, per, burst = count }: Rate): number {
  return burst * per;
}

/**
 * What is in the bucket at a moment: a token bucket (Turner's leaky bucket as a meter, IEEE Communications 1986; RFC
 * 2697) in whole numbers, so that it is the same everywhere. A clock that was set back adds nothing.
 */
export function creditAt(rate: Rate, { credit, at }: Pick<LimitState, "credit" | "at">, now: number): number {
  return Math.min(burstOf(rate), credit + Math.max(0, now - at) * rate.count);
}

/** When the bucket holds so much. */
export function momentOf({ count }: Rate, { credit, at }: Pick<LimitState, "credit" | "at">, amount: number): number {
  return at + Math.max(0, Math.ceil((amount - credit) / count));
}
