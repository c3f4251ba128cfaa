/** Where a run stands, reckoned from its record and its nodes. */
import type { ErrorData } from "../errors.ts";
import type { TaskParent } from "../tasks/task.ts";
import type { Execution, NodeState } from "./execution.ts";

/** A start: of a node, or of an item of a map, or of an iteration of a loop. */
export interface Step {
  /** Its node; within another run the path to it, as in `files/3/check`. */
  readonly node: string;
  /** Of an item or an iteration: which one, from 0, and the item's key. */
  readonly index?: number;
  readonly key?: string;
  readonly startedAt: number;
  /** Milliseconds, of one that has ended. */
  readonly duration?: number;
  /** Of a node that was begun anew: how often it was begun by now. */
  readonly rounds?: number;
  /** Of a loop: iterations begun. */
  readonly iterations?: number;
  /** Of a map: items in all. */
  readonly items?: number;
}

/** Where a run stands. */
export interface Progress {
  /** Nodes that run, in the order in which they began. */
  readonly activeNodes: readonly string[];
  /** The first of these. */
  readonly currentNode: string | undefined;
  /** What began, in the order in which it did. */
  readonly executionPath: readonly Step[];
  /** What has failed, handled or not, and last what the run failed with. */
  readonly errors: readonly { readonly node?: string; readonly error: ErrorData; readonly handled: boolean }[];
}

type Nodes = readonly Omit<NodeState, "output">[] | undefined;

/** Works on what a page sees (`runtime.executions.get(id)`) as on what the archive holds. */
export function progressOf(run: Pick<Execution, "error"> & { readonly nodes?: Nodes }): Progress {
  const { nodes = [] } = run;
  const steps = inOrder(stepsOf(nodes));
  const activeNodes = steps.filter(({ isActive }) => isActive).map(({ step }) => step.node);
  const failed = nodes.flatMap(({ node, error, status, handled = false }) =>
    error ? [{ node, error, handled: handled || status !== "failed" }] : [],
  );
  const errors =
    run.error && !failed.some(({ handled }) => !handled) ? [...failed, { error: run.error, handled: false }] : failed;
  return { activeNodes, currentNode: activeNodes[0], executionPath: steps.map(({ step }) => step), errors };
}

/** A run within one, or a task of it. */
export interface Inner {
  readonly id: string;
  readonly parent?: TaskParent | undefined;
  /** A run has the one, a task the other. */
  readonly startedAt?: number | undefined;
  readonly createdAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  readonly nodes?: Nodes;
}

/**
 * The execution path with all that began within the run: nodes of runs within it, items and iterations. What began in
 * the same millisecond stands in the order of its nodes' starts, items and iterations with the node that they are of.
 */
export function pathWithin(
  { id, nodes }: { readonly id: string; readonly nodes?: Nodes },
  inner: readonly Inner[],
): Step[] {
  const steps = stepsOf(nodes);
  for (const one of inner) if (one.nodes) steps.push(...stepsOf(one.nodes, `${one.id.slice(id.length + 1)}/`));
  const known = new Map(steps.map((one) => [one.id, one.order]));
  for (const { parent, startedAt, createdAt, finishedAt } of inner) {
    const at = createdAt ?? startedAt;
    if (parent?.index === undefined || parent.undo !== undefined || at === undefined) continue;
    const { execution, node, index, key, round = 1 } = parent;
    const of = `${execution}/${node}`;
    const step = {
      node: of.slice(id.length + 1),
      index,
      ...(key !== undefined && { key }),
      startedAt: at,
      ...(finishedAt !== undefined && { duration: finishedAt - at }),
      ...(round > 1 && { rounds: round }),
    };
    steps.push({ id: of, order: known.get(of) ?? 0, index, isActive: finishedAt === undefined, step });
  }
  return inOrder(steps).map(({ step }) => step);
}

/** A step with what tells its place. */
interface Placed {
  /** Of the node's state. */
  readonly id: string;
  readonly order: number;
  /** -1: the node itself. */
  readonly index: number;
  readonly isActive: boolean;
  readonly step: Step;
}

function stepsOf(nodes: Nodes = [], path = ""): Placed[] {
  return nodes.flatMap((state): Placed[] => {
    const { id, node, kind, status, startedAt, order = 0, finishedAt, round, begun: iterations, total } = state;
    if (startedAt === undefined) return [];
    const step = {
      node: path + node,
      startedAt,
      ...(finishedAt !== undefined && { duration: finishedAt - startedAt }),
      ...(round !== undefined && { rounds: round }),
      ...((kind === "loop" || kind === "dynamic") && iterations !== undefined && { iterations }),
      ...(total !== undefined && { items: total }),
    };
    return [{ id, order, index: -1, isActive: status === "running", step }];
  });
}

function inOrder(steps: readonly Placed[]): Placed[] {
  return steps.toSorted((a, b) => a.step.startedAt - b.step.startedAt || a.order - b.order || a.index - b.index);
}
