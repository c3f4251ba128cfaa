/**
 * Which tokens can come together: every node and every edge with the choices under which it is reached or taken.
 * With dead-path elimination each edge of a graph without cycles is resolved in the end, so nothing waits for a token
 * that never comes; what can be wrong is that an inlet is dead in every run, or two of them never alive in the same.
 */
import type { Expression } from "../../expressions/index.ts";
import type { Graph, PlannedEdge, PlannedNode } from "../graph.ts";
import { ALWAYS, createChoices, MAYBE, NEVER, type Choices, type Presence } from "./choices.ts";
import { claimOf, constantOf } from "./conditions.ts";

export interface Inlet {
  readonly from: string;
  readonly edge: PlannedEdge;
  readonly presence: Presence;
}

/** A node with the places of its tokens. */
export interface Placed {
  readonly planned: PlannedNode;
  readonly presence: Presence;
  /** When it is reached and ends well; a failure that nobody handles ends the run, and doesn't count. */
  readonly completed: Presence;
  readonly inlets: readonly Inlet[];
  /** So many of them can be alive in some run. */
  readonly alive: number;
  /** When each of its edges is taken, in their order. */
  readonly outs: readonly Presence[];
  /** So many inlets have to be alive. */
  readonly needs: number;
  /** It waits until every inlet is resolved, as far as can be told. */
  readonly waitsForAll: boolean;
}

export interface Tokens {
  readonly choices: Choices;
  /** In an order in which no node comes before one that leads to it; those of a cycle, and behind one, are left out. */
  readonly placed: ReadonlyMap<string, Placed>;
}

/** A decision of so many ways is told by its conditions; of more it is one choice of its own. */
const MAX_WAYS = 8;

export function placeTokens(graph: Graph): Tokens {
  const choices = createChoices(graph.nodes.size);
  const placed = new Map<string, Placed>();
  const inlets = new Map<string, Inlet[]>();
  const free = graph.roots.map(([id]) => id);
  for (let next = 0; next < free.length; next++) {
    const id = free[next] ?? "";
    const planned = graph.nodes.get(id);
    if (!planned) continue;
    const place = placeNode(choices, planned, inlets.get(id) ?? [], graph.branches.has(id));
    placed.set(id, place);
    for (const [at, edge] of planned.outs.entries()) {
      const [to] = edge.target;
      const come = inlets.get(to) ?? [];
      come.push({ from: id, edge, presence: place.outs[at] ?? NEVER });
      inlets.set(to, come);
      if (come.length === graph.nodes.get(to)?.inlets) free.push(to);
    }
  }
  return { choices, placed };
}

function placeNode(choices: Choices, planned: PlannedNode, inlets: readonly Inlet[], isTolerated: boolean): Placed {
  const { node, outs } = planned;
  const mode = node.type === "join" ? node.mode : node.type === "errorHandler" ? "any" : "all";
  const needs = typeof mode === "number" ? mode : 1;
  const presence = presenceOf(choices, planned, inlets, mode, needs);
  const errors = outs.filter(({ codes }) => codes);
  const fate = errors.length > 0 || isTolerated ? fateOf(choices, node.id, errors) : undefined;
  const completed = fate ? choices.and([presence, fate.well]) : presence;
  const normal = { node, outs: outs.filter(({ codes }) => !codes) };
  const taken = outs.map((edge) => {
    const failure = fate?.failures.get(edge);
    if (failure) return choices.and([presence, failure, edge.when ? holds(choices, node.id, edge.when) : ALWAYS]);
    return choices.and([completed, edgePresence(choices, normal, normal.outs.indexOf(edge))]);
  });
  const waitsForAll = mode === "all" || typeof mode === "object";
  const alive = inlets.filter((inlet) => inlet.presence.terms.length > 0).length;
  return { planned, presence, completed, inlets, alive, outs: taken, needs, waitsForAll };
}

function presenceOf(
  choices: Choices,
  { inlets: count }: PlannedNode,
  inlets: readonly Inlet[],
  mode: string | number | object,
  needs: number,
): Presence {
  if (typeof mode === "object") return MAYBE; // what its expression makes of dead inlets isn't known
  if (count === 0 && mode === "all") return ALWAYS;
  return choices.atLeast(needs, inlets.map(({ presence }) => presence)); // prettier-ignore
}

/**
 * How a node that may be failed can end: well, or with a failure. Drawn error edges are taken together, each if its
 * codes say so; of the edges that lead to handlers it is one.
 */
function fateOf(choices: Choices, node: string, errors: readonly PlannedEdge[]) {
  const implicit = errors.filter((edge) => edge.implicit);
  const fate = choices.choose(`fate of ${node}`, 2 + implicit.length);
  const failures = new Map<PlannedEdge, Presence>();
  for (const edge of errors) {
    const { codes } = edge;
    const way = 1 + (edge.implicit ? 1 + implicit.indexOf(edge) : 0);
    const isMeant =
      codes === "all" || edge.implicit ? ALWAYS : choices.when(choices.choose(`${String(codes)} at ${node}`, 2), 1);
    failures.set(edge, choices.and([choices.when(fate, way), isMeant]));
  }
  return { well: choices.when(fate, 0), failures };
}

/** When an edge is taken, once its node has ended well. */
function edgePresence(choices: Choices, { node, outs }: Pick<PlannedNode, "node" | "outs">, at: number): Presence {
  const { when } = outs[at] ?? {};
  if (node.type !== "decision" || node.mode !== "first") return when ? holds(choices, node.id, when) : ALWAYS;
  if (outs.length > MAX_WAYS) return wayOf(choices, node.id, outs, at);
  const others = outs.filter((edge, place) => edge.when && (!when || place < at));
  const failed = others.map((edge) => (edge.when ? fails(choices, node.id, edge.when) : ALWAYS));
  return choices.and([...failed, when ? holds(choices, node.id, when) : ALWAYS]);
}

/** Of many ways one is taken; which of them are open is seen by their conditions alone. */
function wayOf(choices: Choices, node: string, outs: readonly PlannedEdge[], at: number): Presence {
  const open: number[] = [];
  let isDecided = false;
  const seen = new Set<string>();
  for (const [place, { when }] of outs.entries()) {
    if (!when || isDecided) continue;
    const constant = constantOf(when);
    const key = claimOf(when).key + String(claimOf(when).isNegated);
    if (seen.has(key) || (constant && "value" in constant && constant.value === false)) continue;
    seen.add(key);
    open.push(place);
    isDecided = constant !== undefined && "value" in constant && constant.value === true;
  }
  if (!isDecided) open.push(...outs.flatMap(({ when }, place) => (when ? [] : [place])));
  const way = open.indexOf(at);
  if (way === -1) return NEVER;
  return open.length === 1 ? ALWAYS : choices.when(choices.choose(`ways of ${node}`, open.length), way);
}

function holds(choices: Choices, node: string, when: Expression): Presence {
  return verdict(choices, node, when, true);
}

function fails(choices: Choices, node: string, when: Expression): Presence {
  return verdict(choices, node, when, false);
}

function verdict(choices: Choices, node: string, when: Expression, isTrue: boolean): Presence {
  const constant = constantOf(when);
  if (constant) return "value" in constant && constant.value === isTrue ? ALWAYS : NEVER;
  const { key, isNegated, isSteady } = claimOf(when);
  const choice = choices.choose(isSteady ? `if ${key}` : `if ${key} at ${node}`, 2);
  return choices.when(choice, isTrue === isNegated ? 0 : 1);
}
