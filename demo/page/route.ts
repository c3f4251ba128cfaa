/** The part of the address after "#": which run is on show. */
import type { Route } from "./state.ts";

export function readRoute(hash: string): Route {
  if (hash === "#/new") return { kind: "new" };
  const id = /^#\/run\/([\w.-]{1,200})$/u.exec(hash)?.[1];
  return id === undefined ? { kind: "auto" } : { kind: "run", id };
}

export const runHash = (id: string): string => `#/run/${id}`;

/** Whether the hash names a place on the page, and not a page of its own. */
export const isPlace = (hash: string): boolean => hash !== "" && !hash.startsWith("#/");
