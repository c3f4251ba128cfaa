/**
 * When something of a run comes about, as alternatives of choices: a condition holds or not, a decision goes one way.
 * Every operation pays by its work; where a formula grows too large or the budget is used up, it becomes "may be",
 * which is no proof of anything.
 */

/** Choices that must have gone this way: each with its outcome as one number, in ascending order. */
export type Term = readonly number[];

/** True when one of the terms is; of no term: never. */
export interface Presence {
  readonly terms: readonly Term[];
  /** False: it may be rarer than it looks, since a part of the truth was dropped. */
  readonly isExact: boolean;
}

const NO_CHOICE: Term = [];
/** More than the outcomes of any choice: `choice * SPAN + outcome` is a choice and how it went. */
const SPAN = 65_536;
export const ALWAYS: Presence = { terms: [NO_CHOICE], isExact: true };
export const NEVER: Presence = { terms: [], isExact: true };
export const MAYBE: Presence = { terms: [NO_CHOICE], isExact: false };

/** The most alternatives of a formula, and the most choices of one. */
const MAX_TERMS = 48;
const MAX_CHOICES = 24;
/** The steps of all proofs of a graph: so many, and so many for each of its nodes. A thousand last about 0.3 ms. */
const FUEL = 8_000;
const FUEL_PER_NODE = 150;

export interface Choices {
  /** A choice between so many outcomes; the same key is the same choice. */
  choose(key: string, outcomes: number): number;
  /** True when the choice goes that way. */
  when(choice: number, outcome: number): Presence;
  or(parts: readonly Presence[]): Presence;
  and(parts: readonly Presence[]): Presence;
  /** True when so many of the parts are. */
  atLeast(count: number, parts: readonly Presence[]): Presence;
  /** Whether the one can't be without the other; undefined: it wasn't found out. */
  implies(one: Presence, other: Presence): boolean | undefined;
  /** Pays for other work on the same budget; false when it is used up. */
  spend(steps: number): boolean;
}

/** What the operations share: the budget, and how many outcomes each choice has. */
interface Budget {
  fuel: number;
  readonly outcomes: number[];
}

export function createChoices(nodes: number): Choices {
  const ids = new Map<string, number>();
  const budget: Budget = { fuel: FUEL + FUEL_PER_NODE * nodes, outcomes: [] };
  return {
    choose(key, count) {
      const id = ids.get(key) ?? budget.outcomes.push(count) - 1;
      ids.set(key, id);
      return id;
    },
    when: (choice, outcome) => ({ terms: [[choice * SPAN + outcome]], isExact: true }),
    or: (parts) => or(budget, parts),
    and: (parts) => parts.reduce((one, other) => both(budget, one, other), ALWAYS),
    atLeast: (count, parts) => atLeast(budget, count, parts),
    implies(one, other) {
      if (!one.isExact || !other.isExact) return undefined;
      const holds = one === other || one.terms.every((term) => covers(budget, other.terms, term));
      return budget.fuel >= 0 ? holds : undefined;
    },
    spend: (steps) => spend(budget, steps),
  };
}

function spend(budget: Budget, steps: number): boolean {
  budget.fuel -= steps;
  return budget.fuel >= 0;
}

function or(budget: Budget, parts: readonly Presence[]): Presence {
  const distinct = [...new Set(parts)];
  const [only = NEVER] = distinct;
  if (distinct.length < 2) return only;
  if (distinct.some(isAlways)) return ALWAYS;
  const terms = distinct.flatMap((part) => part.terms);
  if (!spend(budget, terms.length) || terms.length > 4 * MAX_TERMS) return MAYBE;
  const isExact = distinct.every((part) => part.isExact);
  return bounded(budget, terms, isExact);
}

function both(budget: Budget, one: Presence, other: Presence): Presence {
  if (isAlways(one) || other.terms.length === 0) return other;
  if (isAlways(other) || one.terms.length === 0) return one;
  if (!spend(budget, one.terms.length * other.terms.length)) return MAYBE;
  const terms: Term[] = [];
  for (const a of one.terms)
    for (const b of other.terms) {
      const joined = join(a, b);
      if (joined) terms.push(joined);
    }
  return bounded(budget, terms, one.isExact && other.isExact);
}

function atLeast(budget: Budget, count: number, parts: readonly Presence[]): Presence {
  if (count <= 1) return or(budget, parts);
  const open = parts.filter((part) => !isAlways(part) && part.terms.length > 0);
  const needed = count - parts.filter(isAlways).length;
  if (needed <= 0) return ALWAYS;
  if (needed > open.length) return NEVER;
  let so: readonly Presence[] = [ALWAYS]; // at least 0, 1, 2… of the parts that were looked at
  for (const part of open) {
    const most = Math.min(so.length, needed);
    if (!spend(budget, most)) return MAYBE;
    const before = so;
    const grow = (_none: unknown, k: number): Presence =>
      k === 0 ? ALWAYS : or(budget, [before[k] ?? NEVER, both(budget, before[k - 1] ?? NEVER, part)]);
    so = Array.from({ length: most + 1 }, grow);
  }
  return so[needed] ?? NEVER;
}

function bounded(budget: Budget, terms: readonly Term[], isExact: boolean): Presence {
  const least = simplify(budget, terms);
  const isSmall = least.length <= MAX_TERMS && least.every(({ length }) => length <= MAX_CHOICES);
  return isSmall && budget.fuel >= 0 ? { terms: least, isExact } : MAYBE;
}

/** The same formula with fewer and shorter terms. */
function simplify(budget: Budget, terms: readonly Term[]): readonly Term[] {
  if (terms.length < 2) return terms;
  if (terms.some(({ length }) => length === 0)) return ALWAYS.terms;
  const short = terms.map((term) => shorten(budget, terms, term)).sort((a, b) => a.length - b.length);
  const kept: Term[] = [];
  for (const term of short) {
    if (!spend(budget, kept.length + 1)) return terms;
    if (!kept.some((other) => contains(term, other))) kept.push(term);
  }
  return kept;
}

/** The term without the choices that make no difference. */
function shorten(budget: Budget, terms: readonly Term[], term: Term): Term {
  let shortest = term;
  for (const choice of term) {
    const without = shortest.filter((other) => other !== choice);
    if (covers(budget, terms, without)) shortest = without;
  }
  return shortest;
}

/** Whether some term holds in whatever way the choices go that the given ones leave open (Shannon's expansion). */
function covers(budget: Budget, terms: readonly Term[], given: Term): boolean {
  if (!spend(budget, 1 + terms.length)) return false;
  const open: Term[] = [];
  for (const term of terms) {
    const left = rest(term, given);
    if (!left) continue;
    if (left.length === 0) return true;
    open.push(left);
  }
  const [literal] = open[0] ?? [];
  if (literal === undefined) return false;
  const choice = choiceOf(literal);
  for (let outcome = 0; outcome < (budget.outcomes[choice] ?? 0); outcome++)
    if (!covers(budget, open, [choice * SPAN + outcome])) return false;
  return true;
}

function choiceOf(literal: number): number {
  return Math.floor(literal / SPAN);
}

function isAlways({ terms, isExact }: Presence): boolean {
  return isExact && terms[0]?.length === 0;
}

/** What of the term is still open once the given choices are made; undefined when they rule it out. */
function rest(term: Term, given: Term): Term | undefined {
  let open: number[] | undefined;
  let at = 0;
  for (const [place, literal] of term.entries()) {
    const choice = choiceOf(literal);
    while (choiceOf(given[at] ?? Infinity) < choice) at++;
    const known = given[at];
    if (known === undefined || choiceOf(known) !== choice) open?.push(literal);
    else if (known !== literal) return undefined;
    else open ??= term.slice(0, place);
  }
  return open ?? term;
}

/** Both terms in one; undefined when they exclude each other. */
function join(one: Term, other: Term): Term | undefined {
  const joined: number[] = [];
  let at = 0;
  for (const literal of one) {
    for (let next = other[at]; next !== undefined && choiceOf(next) < choiceOf(literal); next = other[++at])
      joined.push(next);
    const next = other[at];
    if (next !== undefined && choiceOf(next) === choiceOf(literal)) {
      if (next !== literal) return undefined;
      at++;
    }
    joined.push(literal);
  }
  while (at < other.length) joined.push(other[at++] ?? 0);
  return joined;
}

function contains(term: Term, part: Term): boolean {
  return part.every((literal) => term.includes(literal));
}
