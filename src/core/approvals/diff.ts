/** How a payload was edited: the parts that are others, so that people can be shown them. */
import type { Json } from "../json.ts";

/** A part that is another: absent `before`, it was added; absent `after`, it was taken out. */
export interface Edited {
  /** The names and places that lead to it; none: it is the whole. */
  readonly path: readonly (string | number)[];
  readonly before?: Json | undefined;
  readonly after?: Json | undefined;
}

/** The parts in which two values differ, in the order of the first one, then of what is new. */
export function diffJson(before: Json | undefined, after: Json | undefined, path: Edited["path"] = []): Edited[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const [a, b] = [before, after] as readonly (readonly Json[])[];
    return Array.from({ length: Math.max(before.length, after.length) }, (_, at) =>
      diffJson(a?.[at], b?.[at], [...path, at]),
    ).flat();
  }
  if (isMap(before) && isMap(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    const own = (map: Fields, name: string): Json | undefined => (Object.hasOwn(map, name) ? map[name] : undefined);
    return [...names].flatMap((name) => diffJson(own(before, name), own(after, name), [...path, name]));
  }
  if (before === after) return [];
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

type Fields = Readonly<Record<string, Json | undefined>>;

function isMap(value: Json | undefined): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
