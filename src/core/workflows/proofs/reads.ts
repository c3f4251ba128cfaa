/** What expressions read of nodes: whether it will be there when they are evaluated. */
import type { Expression, ExpressionAst } from "../../expressions/index.ts";
import { isMacro } from "../../expressions/check.ts";
import type { WorkflowNode } from "../definition.ts";
import type { Graph, PlannedNode } from "../graph.ts";
import { ALWAYS, type Presence } from "./choices.ts";
import { errorAt, warningAt, type Problem } from "./problem.ts";
import type { Tokens } from "./tokens.ts";

/** An expression that needs a node's output, or else fails. */
interface Read {
  /** Where it stands: a node, or undefined for the workflow's own output. */
  readonly at: string | undefined;
  readonly place: string;
  readonly edge?: readonly [string, string] | undefined;
  readonly presence: Presence;
  /** True when the node has ended by then: the condition of one of its edges. */
  readonly hasEnded: boolean;
}

const WITHOUT_OUTPUT: ReadonlySet<WorkflowNode["type"]> = new Set(["decision", "parallel", "join"]);

export function readProblems(graph: Graph, tokens: Tokens): Problem[] {
  const byNode = new Map<string, Read[]>();
  const add = (expression: Expression | undefined, read: Read): void => {
    if (!expression) return;
    for (const name of neededOutputs(expression)) {
      const reads = byNode.get(name) ?? [];
      reads.push(read);
      byNode.set(name, reads);
    }
  };
  for (const [id, { planned, presence, completed }] of tokens.placed) {
    for (const [field, expression] of Object.entries(planned.expressions)) {
      const hasEnded = field === "undo"; // what undoes it is settled when it completes
      add(expression, { at: id, place: `${field} of ${id}`, presence: hasEnded ? completed : presence, hasEnded });
    }
    for (const [{ name }, value] of planned.sets)
      add(value, { at: id, place: `set.${name} of ${id}`, presence: completed, hasEnded: true });
    for (const { target, when, codes } of planned.outs) {
      if (codes) continue; // it may well ask how far the node came
      const place = `condition of ${id} → ${target[0]}`;
      add(when, { at: id, place, edge: [id, target[0]], presence: completed, hasEnded: true });
    }
  }
  add(graph.output, { at: undefined, place: "output of the workflow", presence: ALWAYS, hasEnded: true });
  return [...byNode].flatMap(([name, reads]) => {
    const read = graph.nodes.get(name);
    return read ? problemsOf(tokens, read, reads) : [];
  });
}

function problemsOf(tokens: Tokens, { node: { id, type } }: PlannedNode, reads: readonly Read[]): Problem[] {
  if (WITHOUT_OUTPUT.has(type))
    return reads.map((read) => tell("reads-nothing", read, id, `'${id}' is a ${type} node, which has no output`));
  const presence = tokens.placed.get(id)?.completed;
  const behind = nodesBehind(tokens, id, new Set(reads.flatMap(({ at }) => at ?? [])));
  if (!presence || !behind) return [];
  return reads.flatMap((read) => {
    const { at } = read;
    if (at === id && read.hasEnded) return [];
    if (at === id) return [tell("reads-later", read, id, `'${id}' has no output before it has ended`)];
    if (at !== undefined && !behind.has(at)) {
      if (nodesBehind(tokens, at, new Set([id]))?.has(id))
        return [tell("reads-later", read, id, `'${id}' comes later, so that it has no output yet`)];
      return [tell("reads-unordered", read, id, `'${id}' may not have ended by then: let an edge lead from it`)];
    }
    if (tokens.choices.implies(read.presence, presence) !== false) return [];
    const guard = `'${id}' may have been skipped, or have failed; ask has(nodes.${id}.output) first`;
    return [tell("reads-skipped", read, id, guard)];
  });
}

/** What fails in every run is an error; what may fail is told. */
function tell(code: Problem["code"], { at, place, edge }: Read, node: string, why: string): Problem {
  const make = code === "reads-later" || code === "reads-nothing" ? errorAt : warningAt;
  const nodes = at === undefined || at === node ? [node] : [at, node];
  return { ...make(code, `${place}: ${why}`, ...nodes), ...(edge && { edge }) };
}

/**
 * The nodes that surely start after the given one has ended or was skipped; stops when all wanted ones are found. Those
 * that wait for all of their inlets are not even skipped before it; a join of a number may be, so that what is behind
 * it knows no more than that it was not alive.
 */
function nodesBehind({ placed, choices }: Tokens, id: string, wanted: Set<string>): Set<string> | undefined {
  const behind = new Set<string>(); // they don't start before
  const late = new Set<string>([id]); // they aren't even resolved before
  const counts = new Map<string, number>();
  const open = [id];
  wanted.delete(id);
  for (let at = open.pop(); at !== undefined && wanted.size > 0; at = open.pop()) {
    const isFirst = !behind.has(at);
    behind.add(at);
    wanted.delete(at);
    const { planned, outs = [] } = placed.get(at) ?? {};
    for (const [which, { target }] of planned?.outs.entries() ?? []) {
      if (!choices.spend(4)) return undefined;
      const [to] = target;
      const place = placed.get(to);
      if (!place || late.has(to)) continue;
      const count = (counts.get(to) ?? 0) + (isFirst && outs[which]?.terms.length ? 1 : 0);
      counts.set(to, count);
      const startsLate = !behind.has(to) && place.alive - count < place.needs;
      const isNeverSkipped = place.presence.terms[0]?.length === 0;
      const isLate = (place.waitsForAll && late.has(at)) || (startsLate && isNeverSkipped);
      if (isLate) late.add(to);
      if (isLate || startsLate) open.push(to);
    }
  }
  behind.delete(id);
  return behind;
}

/** The nodes whose output an expression can't do without, whatever its conditions say. */
function neededOutputs({ ast }: Expression): ReadonlySet<string> {
  const names = new Set<string>();
  gather(ast, names);
  return names;
}

function gather({ op, args }: ExpressionAst, names: Set<string>): void {
  if (op === "has" || op === "&&" || op === "||") return; // what is missing may be made good by the other side
  const [holder, key] = args;
  if ((op === "." || op === "[") && key?.value === "output" && holder) {
    const [nodes, node] = holder.args;
    const isSelection = holder.op === "." || holder.op === "[";
    if (isSelection && nodes?.op === "name" && nodes.value === "nodes" && node?.op === "literal")
      names.add(String(node.value));
  }
  for (const part of op === "?" || isMacro(op) ? args.slice(0, 1) : args) gather(part, names);
}
