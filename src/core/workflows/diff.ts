/** What differs between two definitions. */
import * as v from "valibot";
import { RuntimeError } from "../errors.ts";
import { WorkflowSchema, type Body, type WorkflowEdge, type WorkflowInput, type WorkflowNode } from "./definition.ts";

/** A node that both have, and the fields that differ; of one with a graph, how that does. */
export interface NodeDiff {
  readonly id: string;
  readonly fields: readonly string[];
  readonly body?: GraphDiff | undefined;
}

export interface EdgeDiff {
  readonly from: string;
  readonly to: string;
  readonly on?: "error" | undefined;
}

export interface GraphDiff {
  readonly nodes: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly NodeDiff[];
  };
  readonly edges: {
    readonly added: readonly EdgeDiff[];
    readonly removed: readonly EdgeDiff[];
    readonly changed: readonly EdgeDiff[];
  };
  /** Fields of the workflow or graph itself, as `output`. */
  readonly fields: readonly string[];
}

/**
 * What is other in `b` than in `a`; a default that is left out is the same as one that is written. The order of nodes and
 * edges doesn't count. @throws RuntimeError `workflow/invalid` when one of them has no form of a workflow
 */
export function diffWorkflows(a: WorkflowInput, b: WorkflowInput): GraphDiff {
  return diffGraphs(parse(a, "a"), parse(b, "b"));
}

export function isSameGraph({ nodes, edges, fields }: GraphDiff): boolean {
  return [...Object.values(nodes), ...Object.values(edges), fields].every((list) => list.length === 0);
}

function parse(definition: unknown, which: string): Body {
  const parsed = v.safeParse(WorkflowSchema, definition);
  if (parsed.success) return parsed.output;
  const [{ message }] = parsed.issues;
  throw new RuntimeError("workflow/invalid", { which, at: v.getDotPath(parsed.issues[0]) ?? "", reason: message });
}

function diffGraphs(a: Body, b: Body): GraphDiff {
  const [nodesA, nodesB] = [a, b].map(({ nodes }) => new Map(nodes.map((node) => [node.id, node])));
  const [edgesA, edgesB] = [a, b].map(({ edges }) => new Map(edges.map((edge) => [nameOf(edge), edge])));
  const nodes = compare(nodesA ?? new Map<string, WorkflowNode>(), nodesB ?? new Map<string, WorkflowNode>());
  const edges = compare(edgesA ?? new Map<string, WorkflowEdge>(), edgesB ?? new Map<string, WorkflowEdge>());
  return {
    nodes: {
      added: nodes.added.map(({ id }) => id),
      removed: nodes.removed.map(({ id }) => id),
      changed: nodes.changed.map(diffNodes),
    },
    edges: {
      added: edges.added.map(endsOf),
      removed: edges.removed.map(endsOf),
      changed: edges.changed.map(([, edge]) => endsOf(edge)),
    },
    fields: fieldsOf(a, b).filter((field) => field !== "nodes" && field !== "edges"),
  };
}

interface Compared<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly changed: readonly (readonly [before: T, after: T])[];
}

function compare<T extends object>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): Compared<T> {
  const changed: (readonly [T, T])[] = [];
  for (const [key, before] of a) {
    const after = b.get(key);
    if (after && fieldsOf(before, after).length > 0) changed.push([before, after]);
  }
  return {
    added: [...b].filter(([key]) => !a.has(key)).map(([, one]) => one),
    removed: [...a].filter(([key]) => !b.has(key)).map(([, one]) => one),
    changed,
  };
}

function diffNodes([a, b]: readonly [WorkflowNode, WorkflowNode]): NodeDiff {
  const fields = fieldsOf(a, b);
  const graphs = "body" in a && "body" in b && a.body && b.body && ([a.body, b.body] as const);
  if (!graphs || !fields.includes("body")) return { id: a.id, fields };
  const body = diffGraphs(...graphs);
  const others = fields.filter((field) => field !== "body");
  return isSameGraph(body) ? { id: a.id, fields: others } : { id: a.id, fields, body };
}

/** The fields whose values differ. */
function fieldsOf(a: object, b: object): string[] {
  const [before, after] = [a, b] as readonly Readonly<Record<string, unknown>>[];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => canonical(before?.[name]) !== canonical(after?.[name])).sort();
}

/** JSON whose keys are in order. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

function nameOf({ from, to, on }: WorkflowEdge): string {
  return `${from} ${to} ${on ?? ""}`;
}

function endsOf({ from, to, on }: WorkflowEdge): EdgeDiff {
  return { from, to, ...(on && { on }) };
}
