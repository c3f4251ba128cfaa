/** Where a run stands, reckoned from its record and its nodes. */
import type { ErrorData } from "../errors.ts";
import type { Execution, NodeState } from "./execution.ts";

/** Where a run stands. */
export interface Progress {
  /** Nodes that run, in the order in which they began. */
  readonly activeNodes: readonly string[];
  /** The first of these. */
  readonly currentNode: string | undefined;
  /** Nodes in the order in which they began; `rounds`: how often by now, `iterations`: of a loop or dynamic node, `items`: of a map. */
  readonly executionPath: readonly {
    readonly node: string;
    readonly startedAt: number;
    /** Milliseconds, of one that has ended. */
    readonly duration?: number;
    readonly rounds?: number;
    readonly iterations?: number;
    readonly items?: number;
  }[];
  /** What has failed, handled or not, and last what the run failed with. */
  readonly errors: readonly { readonly node?: string; readonly error: ErrorData; readonly handled: boolean }[];
}

/** Works on what a page sees (`runtime.executions.get(id)`) as on what the archive holds. */
export function progressOf(
  run: Pick<Execution, "error"> & { readonly nodes?: readonly NodeState[] | undefined },
): Progress {
  const begun = (run.nodes ?? []).flatMap((node) =>
    node.startedAt === undefined ? [] : [{ ...node, startedAt: node.startedAt }],
  );
  begun.sort((a, b) => a.startedAt - b.startedAt);
  const activeNodes = begun.filter(({ status }) => status === "running").map(({ node }) => node);
  const executionPath = begun.map(({ node, kind, startedAt, finishedAt, round, begun: iterations, total }) => ({
    node,
    startedAt,
    ...(finishedAt !== undefined && { duration: finishedAt - startedAt }),
    ...(round !== undefined && { rounds: round }),
    ...((kind === "loop" || kind === "dynamic") && iterations !== undefined && { iterations }),
    ...(total !== undefined && { items: total }),
  }));
  const failed = (run.nodes ?? []).flatMap(({ node, error, status, handled = false }) =>
    error ? [{ node, error, handled: handled || status !== "failed" }] : [],
  );
  const errors =
    run.error && !failed.some(({ handled }) => !handled) ? [...failed, { error: run.error, handled: false }] : failed;
  return { activeNodes, currentNode: activeNodes[0], executionPath, errors };
}
