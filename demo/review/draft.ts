/** Keeps a review that isn't sent yet, so that a reload or another tab finds it. It is lost with the site's data, as all else. */
import type { Decision, ReviewState } from "./review.ts";

const keyOf = (approval: string): string => `audit review ${approval}`;

type Saved = readonly (readonly [id: string, verdict: "a" | "d", reason?: string])[];

export function saveDraft({ approval, decisions }: ReviewState): void {
  const saved: Saved = [...decisions].map(([id, { verdict, reason }]) => {
    const letter = verdict === "accepted" ? "a" : "d";
    return reason === undefined ? [id, letter] : [id, letter, reason];
  });
  try {
    localStorage.setItem(keyOf(approval), JSON.stringify(saved));
  } catch {
    // no space: the review goes on, only its draft is not kept
  }
}

export function readDraft(approval: string): ReadonlyMap<string, Decision> {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(keyOf(approval)) ?? "[]");
    return new Map(Array.isArray(saved) ? saved.flatMap(readOne) : []);
  } catch {
    return new Map();
  }
}

export function forgetDraft(approval: string): void {
  localStorage.removeItem(keyOf(approval));
}

/** Calls back when another tab has changed the draft. */
export function watchDraft(approval: () => string | undefined, changed: () => void): void {
  addEventListener("storage", ({ key }) => {
    const open = approval();
    if (open !== undefined && key === keyOf(open)) changed();
  });
}

function readOne(entry: unknown): [string, Decision][] {
  if (!Array.isArray(entry)) return [];
  const [id, letter, reason] = entry as readonly unknown[];
  if (typeof id !== "string" || (letter !== "a" && letter !== "d")) return [];
  const verdict = letter === "a" ? "accepted" : "dismissed";
  return [[id, typeof reason === "string" ? { verdict, reason } : { verdict }]];
}
