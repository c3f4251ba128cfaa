/** Nodes that no run reaches, edges that none takes, joins that wait for what can't come together. */
import { NEVER } from "./choices.ts";
import { errorAt, listOf, warningAt, type Problem } from "./problem.ts";
import type { Inlet, Placed, Tokens } from "./tokens.ts";

export function reachProblems({ placed }: Tokens): Problem[] {
  const problems: Problem[] = [];
  const behind: string[] = [];
  const unproved: string[] = [];
  for (const place of placed.values()) {
    const { id } = place.planned.node;
    if (!place.presence.isExact && place.needs > 1) unproved.push(id);
    if (!isNever(place)) problems.push(...place.inlets.filter(isNever).flatMap((inlet) => deadEdge(placed, id, inlet)));
    else if (place.needs > place.inlets.length)
      continue; // said when it was read
    else if (place.inlets.some((inlet) => !isNever(inlet))) problems.push(neverFires(place));
    else if (place.inlets.some(({ from }) => !isNever(placed.get(from)))) problems.push(unreached(placed, place));
    else behind.push(id);
  }
  if (behind.length > 0)
    problems.push(errorAt("unreachable", `nor does any lead to what is behind: ${listOf(behind)}`, ...behind));
  if (unproved.length > 0) {
    const message = `it could not be proved that ${listOf(unproved)} can fire: too many decisions lead there`;
    problems.push(warningAt("unproved", message, ...unproved));
  }
  return problems;
}

function isNever({ presence }: Pick<Placed, "presence"> = { presence: NEVER }): boolean {
  return presence.terms.length === 0;
}

function neverFires({ planned: { node }, inlets, needs }: Placed): Problem {
  const live = inlets.filter((inlet) => !isNever(inlet)).map(({ from }) => from);
  const why =
    live.length < needs
      ? `only ${listOf(live)} can reach it`
      : `at most ${needs === 2 ? "one" : String(needs - 1)} of ${listOf(live)} can reach it in the same run`;
  const message = `the join '${node.id}' waits for ${String(needs)} inlets and can never go on: ${why}`;
  return errorAt("join-never-fires", message, node.id, ...live);
}

function unreached(placed: Tokens["placed"], { planned: { node }, inlets }: Placed): Problem {
  const from = inlets.filter((inlet) => !isNever(placed.get(inlet.from))).map((inlet) => inlet.from);
  const edges = from.length === 1 ? "the edge" : "the edges";
  const are = from.length === 1 ? "is" : "are";
  const message = `no run reaches '${node.id}': ${edges} from ${listOf(from)} ${are} never taken, whatever comes`;
  return errorAt("unreachable", message, node.id);
}

function deadEdge(placed: Tokens["placed"], to: string, { from, edge: { implicit } }: Inlet): Problem[] {
  if (implicit || isNever(placed.get(from))) return []; // its own problem
  const message = `the edge ${from} → ${to} is never taken, whatever comes`;
  return [{ ...warningAt("edge-never-taken", message, from, to), edge: [from, to] }];
}
