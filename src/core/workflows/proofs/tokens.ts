/**
 * Which tokens can come together: every node and every edge with the choices under which it is reached or taken.
 * With dead-path elimination each edge of a graph without cycles is resolved in the end, so nothing waits for a token
 * that never comes; what can be wrong is that an inlet is dead in every run, or two of them never alive in the same.
 */
import type { Expression } from "../../expressions/index.ts";
import type { Plan, PlannedEdge, PlannedNode } from "../plan.ts";
import { ALWAYS, createChoices, NEVER, type Choices, type Presence } from "./choices.ts";
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
  readonly inlets: readonly Inlet[];
  /** When each of its edges is taken, in their order. */
  readonly outs: readonly Presence[];
  /** So many inlets have to be alive. */
  readonly needs: number;
  /** It waits until every inlet is resolved. */
  readonly waitsForAll: boolean;
}

export interface Tokens {
  readonly choices: Choices;
  /** In an order in which no node comes before one that leads to it; those of a cycle, and behind one, are left out. */
  readonly placed: ReadonlyMap<string, Placed>;
}

/** A decision of so many ways is told by its conditions; of more it is one choice of its own. */
const MAX_WAYS = 8;

export function placeTokens(plan: Plan): Tokens {
  const choices = createChoices();
  const placed = new Map<string, Placed>();
  const inlets = new Map<string, Inlet[]>();
  const free = plan.roots.map(([id]) => id);
  for (let next = 0; next < free.length; next++) {
    const id = free[next] ?? "";
    const planned = plan.nodes.get(id);
    if (!planned) continue;
    const place = placeNode(choices, planned, inlets.get(id) ?? []);
    placed.set(id, place);
    for (const [at, edge] of planned.outs.entries()) {
      const [to] = edge.target;
      const come = inlets.get(to) ?? [];
      come.push({ from: id, edge, presence: place.outs[at] ?? NEVER });
      inlets.set(to, come);
      if (come.length === plan.nodes.get(to)?.inlets) free.push(to);
    }
  }
  return { choices, placed };
}

function placeNode(choices: Choices, planned: PlannedNode, inlets: readonly Inlet[]): Placed {
  const { node } = planned;
  const mode = node.type === "join" ? node.mode : "all";
  const needs = typeof mode === "number" ? mode : 1;
  const presences = inlets.map(({ presence }) => presence);
  const presence = planned.inlets === 0 && mode === "all" ? ALWAYS : choices.atLeast(needs, presences);
  const outs = planned.outs.map((_edge, at) => choices.and([presence, edgePresence(choices, planned, at)]));
  return { planned, presence, inlets, outs, needs, waitsForAll: mode === "all" };
}

/** When an edge is taken, once its node has ended well. */
function edgePresence(choices: Choices, { node, outs }: PlannedNode, at: number): Presence {
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
