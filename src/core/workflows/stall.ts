/** What is told of a run that stands still. The rule that finds it is `scheduling/stalls.ts`. */

/** A run stands still for so long, in milliseconds, before that is told, unless its definition says otherwise. */
export const STALL_AFTER = 600_000;

/** Something that a run that stands still waits for. */
export interface StallCause {
  /** The node; within another run the path to it, as in `files/3/check`. */
  readonly node: string;
  readonly task?: string | undefined;
  /**
   * What needs help: capability, draining, offline or limit, as `whyWaiting` says it; paused: a run within it was paused;
   * lost: nobody has the node's work; stuck: nothing of it runs. What only waits beside that: approval, event, timer, and
   * retry or start-at of a task.
   */
  readonly code: string;
  readonly message: string;
}

export interface Stall {
  /** When it last moved. */
  readonly since: number;
  /** What needs help comes first. */
  readonly cause: readonly StallCause[];
}

export interface StallEvents {
  /** Nothing of an outermost run has moved for long, and something of it can't without help. Its next event ends that. */
  "execution.stalled": Stall & { readonly id: string };
  /** A task of a run that stood still was given to a worker. */
  "execution.moved": { readonly id: string };
}

export interface StallCommands {
  "execution.stall": StallEvents["execution.stalled"];
  "execution.move": StallEvents["execution.moved"];
}
