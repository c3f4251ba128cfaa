/** What is kept of a registered definition. */
import type { JsonText } from "../json.ts";
import type { Problem } from "./proofs/problem.ts";

/**
 * A registered definition. The active version stays, the last {@link KEPT_VERSIONS} that were registered, and those that
 * runs stand on.
 */
export interface WorkflowVersion {
  /** `workflow@version`. */
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  /** The definition as JSON. */
  readonly text: JsonText;
  /** The ids of its nodes, in the definition's order. */
  readonly nodes: readonly string[];
  /** What its author should know, the first ones; absent: nothing. */
  readonly warnings?: readonly Problem[] | undefined;
  /** The same of its nodes' bodies, by their path: `node`, or `node/inner`. */
  readonly bodies?: Bodies | undefined;
  /** How long a run of it may stand still before that is told; absent: as long as any. */
  readonly stallAfter?: number | undefined;
  readonly registeredAt: number;
  /** Live runs that stand on it. */
  readonly runs: number;
}

/** Versions of a workflow that are kept, used or not. */
export const KEPT_VERSIONS = 10;

/** Which version new runs of a workflow get. */
export interface ActiveVersion {
  /** The workflow. */
  readonly id: string;
  readonly version: string;
  /** The versions that were registered last, the newest at the end. */
  readonly kept?: readonly string[] | undefined;
  /** Versions that were rolled back: registering them again doesn't make them active. */
  readonly withdrawn?: readonly string[] | undefined;
}

export type Bodies = Readonly<Record<string, readonly string[]>>;
