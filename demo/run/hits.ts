/** Which items of a map have findings, and how bad the worst of each is. */
import { SEVERITIES, type Finding, type Severity } from "../audit.ts";

/** By node, by place of the item. */
export type Hits = ReadonlyMap<string, ReadonlyMap<number, Severity>>;

export interface HitsInput {
  readonly findings: readonly Finding[];
  /** The items' paths by node. A finding belongs to the node that its tool is named after. */
  readonly paths: ReadonlyMap<string, readonly string[]>;
  /** Findings that no longer count. */
  readonly isDismissed: (id: string) => boolean;
}

export function hitsOf({ findings, paths, isDismissed }: HitsInput): Hits {
  const hits = new Map<string, Map<number, Severity>>();
  for (const [node, list] of paths) {
    const placeOf = new Map(list.map((path, place) => [path, place]));
    const worst = new Map<number, Severity>();
    for (const { id, tool, path = "", severity } of findings) {
      const place = tool === node ? placeOf.get(path) : undefined;
      if (place === undefined || isDismissed(id)) continue;
      const known = worst.get(place);
      if (known === undefined || SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(known)) worst.set(place, severity);
    }
    hits.set(node, worst);
  }
  return hits;
}
