/** A payload as people read it: names and values, whatever they hold, and never markup. */
import { element, textOf, type Child } from "./parts.ts";

const MOST = 100;
const DEPTH = 5;

/** `titles` are what the parts of a map are called, where that is not by their names. */
export function readable(value: unknown, titles: Titles = {}, depth = DEPTH): Child {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "object" || depth === 0) return textOf(value);
  const parts = Object.entries(value);
  const rest = parts.length > MOST ? [`… and ${String(parts.length - MOST)} more`] : [];
  const some = parts.slice(0, MOST);
  if (Array.isArray(value)) {
    const items = [...some.map(([, item]) => readable(item, {}, depth - 1)), ...rest];
    return items.length === 0 ? "–" : element("ol", {}, ...items.map((item) => element("li", {}, item)));
  }
  const rows = some.map(([name, part]) =>
    element(
      "div",
      {},
      element("dt", {}, titles[name]?.title ?? name),
      element("dd", {}, readable(part, {}, depth - 1)),
    ),
  );
  return element("dl", {}, ...rows, ...rest);
}

export type Titles = Readonly<Record<string, { readonly title?: string }>>;
