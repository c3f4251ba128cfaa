/** A manifest or lockfile with its text, so that a finding can name the line. */
import { clip, type Observation } from "../findings.ts";
import { isSpecimen } from "../rule-info.ts";
import { createSourceText, visible } from "../source-text.ts";
import type { DependencyRule } from "./rules.ts";

export interface Document {
  readonly path: string;
  /** Parsed, or undefined when it is no JSON. */
  readonly json: unknown;
  /** A finding in this file, at the line of the first of the keys that it has. */
  observe(
    rule: DependencyRule,
    keys: string | readonly string[],
    message: string,
    more?: Partial<Observation>,
  ): Observation;
}

export function createDocument(path: string, text: string): Document {
  const source = createSourceText(text);
  let places: ReadonlyMap<string, number> | undefined; // made when a line is asked for the first time
  const lineOf = (keys: readonly string[]): number => {
    places ??= keysOf(text);
    const found = places;
    const at = keys.map((key) => found.get(key)).find((offset) => offset !== undefined);
    return at === undefined ? 1 : source.positionOf(at).line;
  };
  return {
    path,
    json: parse(text),
    observe(rule, keys, message, more) {
      const all = typeof keys === "string" ? [keys] : keys;
      return {
        rule: `dependencies/${rule}`,
        message: clip(visible(message), 500),
        path,
        line: lineOf(all),
        key: clip(all[0] ?? "", 200),
        ...(isSpecimen(path) && { confidence: "low" as const }),
        ...more,
      };
    },
  };
}

/** Where each key of a JSON text stands first. */
function keysOf(text: string): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const match of text.matchAll(/"([^"\\]{1,512})"\s*:/gu)) {
    const [, key = ""] = match;
    if (!places.has(key)) places.set(key, match.index);
  }
  return places;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** "a, b, c and 4 more". */
export function listed(names: readonly string[], max = 5): string {
  const shown = names.slice(0, max).join(", ");
  return names.length > max ? `${shown} and ${String(names.length - max)} more` : shown;
}
