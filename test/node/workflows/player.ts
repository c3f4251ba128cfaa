/**
 * Plays tokens by hand, in every order and with every answer: nothing is shared with the engine or the proofs. Its state
 * is a text, so that no state is played twice.
 */
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";

type Node = WorkflowInput["nodes"][number];
type Mark = "?" | "taken" | "dead";

export interface Played {
  /** Nodes that started in some play. */
  readonly started: ReadonlySet<string>;
  /** Edges `a>b` that were taken in some play. */
  readonly taken: ReadonlySet<string>;
  /** Nodes that a play left waiting in its last state. */
  readonly stuck: ReadonlySet<string>;
  /** Nodes after which a path ended in some play, though they have edges. */
  readonly ended: ReadonlySet<string>;
  /** `a>b` when b started in some play before a had completed. */
  readonly before: ReadonlySet<string>;
}

interface Position {
  readonly marks: readonly Mark[];
  readonly done: Readonly<Record<string, "ran" | "failed" | "skipped">>;
  /** What a condition says of the input, once it was asked. */
  readonly facts: Readonly<Record<string, boolean>>;
}

export function play({ nodes, edges = [] }: Pick<WorkflowInput, "nodes" | "edges">): Played {
  const played = {
    started: new Set<string>(),
    taken: new Set<string>(),
    stuck: new Set<string>(),
    ended: new Set<string>(),
    before: new Set<string>(),
  };
  const seen = new Set<string>();
  const open: Position[] = [{ marks: edges.map(() => "?"), done: {}, facts: {} }];
  for (let position = open.pop(); position; position = open.pop()) {
    const key = JSON.stringify([
      position.marks,
      Object.entries(position.done).sort(),
      Object.entries(position.facts).sort(),
    ]);
    if (seen.has(key)) continue;
    seen.add(key);
    const { marks, done, facts } = position;
    let isMoving = false;
    for (const node of nodes) {
      if (done[node.id]) continue;
      const fate = fateOf(
        node,
        edges.flatMap(({ to }, at) => (to === node.id ? (marks[at] ?? []) : [])),
      );
      if (fate === "wait") continue;
      isMoving = true;
      if (fate === "skip") {
        const dead = marks.map((mark, at) => (edges[at]?.from === node.id ? "dead" : mark));
        open.push({ marks: dead, done: { ...done, [node.id]: "skipped" }, facts });
        continue;
      }
      played.started.add(node.id);
      for (const { id } of nodes) if (done[id] !== "ran") played.before.add(`${id}>${node.id}`);
      const failed = failure(node, edges, position);
      if (failed) open.push(failed);
      for (const [at, { from, to }] of failed ? edges.entries() : [])
        if (from === node.id && failed?.marks[at] === "taken") played.taken.add(`${from}>${to}`);
      for (const next of answers(node, edges, position)) {
        const outs = edges.flatMap(({ from, to, on }, at) =>
          from === node.id && !on ? [[to, next.marks[at]] as const] : [],
        );
        for (const [to, mark] of outs) if (mark === "taken") played.taken.add(`${node.id}>${to}`);
        if (outs.length > 0 && outs.every(([, mark]) => mark === "dead")) played.ended.add(node.id);
        open.push({ ...next, done: { ...done, [node.id]: "ran" } });
      }
    }
    if (!isMoving) for (const { id } of nodes) if (!done[id]) played.stuck.add(id);
  }
  return played;
}

function fateOf(node: Node, inlets: readonly Mark[]): "start" | "skip" | "wait" {
  const taken = inlets.filter((mark) => mark === "taken").length;
  const open = inlets.filter((mark) => mark === "?").length;
  const mode = node.type === "join" ? (node.mode ?? "all") : "all";
  if (mode === "all") {
    if (open > 0) return "wait";
    return taken > 0 || inlets.length === 0 ? "start" : "skip";
  }
  const needed = typeof mode === "number" ? mode : 1;
  if (taken >= needed) return "start";
  return taken + open < needed ? "skip" : "wait";
}

/** The node fails, if an edge is for that. */
function failure(
  { id }: Node,
  edges: NonNullable<WorkflowInput["edges"]>,
  { marks, done, facts }: Position,
): Position | undefined {
  if (!edges.some(({ from, on }) => from === id && on)) return undefined;
  const next = marks.map((mark, at): Mark => {
    const { from, on } = edges[at] ?? {};
    return from !== id ? mark : on ? "taken" : "dead";
  });
  return { marks: next, done: { ...done, [id]: "failed" }, facts };
}

/** Every way in which the conditions behind a node can be answered. */
function answers(
  node: Node,
  edges: NonNullable<WorkflowInput["edges"]>,
  { marks, facts }: Position,
): Omit<Position, "done">[] {
  const own = [...edges.entries()].filter(([, { from, on }]) => from === node.id && !on);
  const asked = own.flatMap(([, { when }]) =>
    when === undefined || when === "true" || when === "false" ? [] : [when.replace(/^!/u, "")],
  );
  let ways: Record<string, boolean>[] = [facts];
  for (const fact of new Set(asked))
    ways = ways.flatMap((way) =>
      fact in way
        ? [way]
        : [
            { ...way, [fact]: true },
            { ...way, [fact]: false },
          ],
    );
  return ways.map((way) => {
    const says = (when: string): boolean =>
      when === "true" || (when !== "false" && way[when.replace(/^!/u, "")] !== when.startsWith("!"));
    const next = marks.map((mark, at): Mark => (edges[at]?.from === node.id ? "dead" : mark));
    let isDecided = false;
    const isFirst = node.type === "decision" && (node.mode ?? "first") === "first";
    for (const [at, { when }] of own) {
      const holds: boolean = when === undefined ? !isFirst : says(when) && !(isFirst && isDecided);
      next[at] = holds ? "taken" : "dead";
      isDecided ||= holds;
    }
    if (isFirst && !isDecided) for (const [at, { when }] of own) if (when === undefined) next[at] = "taken";
    // what was asked of one node's own matters to nobody else
    return {
      marks: next,
      facts: Object.fromEntries(Object.entries(way).filter(([fact]) => fact.startsWith("input."))),
    };
  });
}
