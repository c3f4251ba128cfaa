/** Random expressions of joins: each says something for good as soon as it holds, so that no order of arrivals matters. */
import type { Chance } from "./chance.ts";

export interface Gate {
  /** What the node's `when` says. */
  readonly text: string;
  /** Whether it holds, with the inlets that are resolved so far: alive or dead. */
  holds(inlets: ReadonlyMap<string, boolean>): boolean;
}

/** An expression over the nodes that lead to the join. */
export function drawGate(chance: Chance, sources: readonly string[]): Gate {
  const atoms = chance
    .shuffle(sources)
    .slice(0, 1 + chance.below(4))
    .map((source): Gate => {
      const isAlive = !chance.once(3);
      const text = `has(inlets.${source}) && ${isAlive ? "" : "!"}inlets.${source}`;
      return { text, holds: (inlets) => inlets.get(source) === isAlive };
    });
  return atoms.reduce((one, other) => {
    const isBoth = chance.once(2);
    return {
      text: `(${one.text}) ${isBoth ? "&&" : "||"} (${other.text})`,
      holds: (inlets) => (isBoth ? one.holds(inlets) && other.holds(inlets) : one.holds(inlets) || other.holds(inlets)),
    };
  });
}
