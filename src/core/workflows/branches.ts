/** Which branch of a parallel node another node stands in, where failures in branches are not for the whole run. */
import type { Branch, PlannedNode } from "./graph.ts";

/** The innermost branch of each node that stands in one: where branches meet, they end. */
export function branchesOf(nodes: ReadonlyMap<string, PlannedNode>): ReadonlyMap<string, Branch> {
  const branches = new Map<string, Branch | undefined>();
  const isTolerant = ({ node }: PlannedNode): boolean => node.type === "parallel" && node.onFailure !== "fail-fast";
  if (![...nodes.values()].some(isTolerant)) return new Map();
  const open = new Map([...nodes].map(([id, { inlets }]) => [id, inlets]));
  const free = [...nodes.values()].filter(({ inlets }) => inlets === 0);
  for (let at = free.pop(); at; at = free.pop()) {
    const own = branches.get(at.node.id);
    for (const [index, { target }] of at.outs.entries()) {
      const [id] = target;
      const parallel = at.node.id;
      const branch = isTolerant(at) ? { parallel, index, depth: (own?.depth ?? 0) + 1, outer: own } : own;
      branches.set(id, branches.has(id) ? sharedOf(branches.get(id), branch) : branch);
      const left = (open.get(id) ?? 0) - 1;
      open.set(id, left);
      const next = nodes.get(id);
      if (left === 0 && next) free.push(next);
    }
  }
  return new Map([...branches].flatMap(([id, branch]) => (branch ? [[id, branch] as const] : [])));
}

function sharedOf(a: Branch | undefined, b: Branch | undefined): Branch | undefined {
  let [one, other] = [a, b];
  while (one && other && !(one.parallel === other.parallel && one.index === other.index)) {
    const depth = Math.max(one.depth, other.depth);
    const [isDeep, isOtherDeep]: [boolean, boolean] = [one.depth === depth, other.depth === depth];
    if (isDeep) one = one.outer;
    if (isOtherDeep) other = other.outer;
  }
  return one && other;
}
