/** The part of the address after "#": what is on show. */
import { auditOf } from "../sign-off/workflow.ts";
import type { Route } from "./state.ts";

/** Where people decide. */
export const INBOX = "#inbox";

export function readRoute(hash: string): Route {
  if (hash === "#/new") return { kind: "new" };
  if (hash === "#/inbox" || hash === INBOX) return { kind: "inbox" };
  const id = /^#\/run\/([\w.-]{1,200})$/u.exec(hash)?.[1];
  return id === undefined ? { kind: "auto" } : { kind: "run", id: auditOf(id) ?? id };
}

export const runHash = (id: string): string => `#/run/${id}`;

/** Whether the hash names a place on the page, and not a page of its own. */
export const isPlace = (hash: string): boolean => hash !== "" && hash !== INBOX && !hash.startsWith("#/");
