/** What a benchmark says, as it stands in `bench/results`. */

/** A place on a line that is drawn: so many of what, and which line. */
export interface Place {
  readonly line: string;
  /** What is counted along the line, as "registered agents". */
  readonly over: string;
  readonly count: number;
}

export interface Row {
  readonly figure: string;
  readonly unit: string;
  /** Whether more is better, or less. */
  readonly better: "more" | "less";
  /** Medians of the rounds. */
  readonly ours: number;
  readonly bound: number | null;
  readonly peers: Readonly<Record<string, number>>;
  /** What the platform does at most when nothing is kept, or nothing is sent. */
  readonly limits: Readonly<Record<string, number>>;
  /** Ours divided by the other; medians of the quotients of each round. */
  readonly ratioToBound: number | null;
  readonly ratioToBestPeer: number | null;
  readonly ratios: Readonly<Record<string, number>>;
  readonly rounds: number;
  /** True: the bound is what the system's document claims, not what was measured beside ours. */
  readonly claimed?: true;
  readonly place?: Place;
  /** Lowest and highest round of everybody. */
  readonly spread: Readonly<Record<string, readonly [low: number, high: number]>>;
}

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly browser: string;
  /** Load average when the run began, and when it ended. */
  readonly load: readonly [before: number, after: number];
  /** The same loop of arithmetic before and after, in rounds per microsecond: how much of a core was there. */
  readonly calibration: readonly [before: number, after: number];
}

export interface Results {
  readonly suite: string;
  readonly command: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
}
