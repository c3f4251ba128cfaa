/** Who is at this page. There is no server to ask, so whoever sits here says so; each tab can be somebody else's. */
import * as v from "valibot";

export const ROLES = ["maintainer", "security", "lead"] as const;

const PersonSchema = v.object({
  id: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200)),
  roles: v.array(v.picklist(ROLES)),
});
export type Person = v.InferOutput<typeof PersonSchema>;
export type Role = (typeof ROLES)[number];

/** The people of the demo. Whoever asks for a sign-off can't give it, so there are two maintainers. */
export const PEOPLE: readonly Person[] = [
  { id: "Ann", roles: ["maintainer"] },
  { id: "Bob", roles: ["security"] },
  { id: "Cleo", roles: ["lead"] },
  { id: "Dan", roles: ["maintainer"] },
];

/** Somebody by that name: one of the people, or another who has no roles. */
export function personNamed(name: string): Person | undefined {
  const known = PEOPLE.find(({ id }) => id === name.trim());
  const parsed = v.safeParse(PersonSchema, known ?? { id: name, roles: [] });
  return parsed.success ? parsed.output : undefined;
}

const KEY = "audit person";
const SIGNING = "audit signing";

export interface Kept {
  readonly person: Person | undefined;
  readonly signing: boolean;
}

/** Who was here last: in this tab, or else in the one before, whose person this tab then has for itself. */
export function readPerson(): Kept {
  const kept = { person: parse(get(KEY)), signing: get(SIGNING) === "yes" };
  keepPerson(kept, false);
  return kept;
}

/** Remembers it for this tab, and by default for tabs that are opened later. */
export function keepPerson({ person, signing }: Kept, alsoLater = true): void {
  try {
    for (const store of alsoLater ? [sessionStorage, localStorage] : [sessionStorage]) {
      store.setItem(KEY, JSON.stringify(person ?? null));
      store.setItem(SIGNING, signing ? "yes" : "no");
    }
  } catch {
    // storage is switched off or full: it is then not kept
  }
}

function get(key: string): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function parse(text = "null"): Person | undefined {
  try {
    const parsed = v.safeParse(PersonSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
