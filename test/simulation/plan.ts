/** What happens in a simulation, drawn from its seed beforehand: each thing has a number, by which shrinking leaves it out. */
import { createChance, type Chance } from "../../src/testing/simulation/chance.ts";
import type { Speed } from "../../src/testing/simulation/site.ts";

/** Something that a page does. */
export interface Deed {
  readonly number: number;
  /** Milliseconds after the beginning. */
  readonly at: number;
  readonly kind: (typeof DEEDS)[number];
  /** For all that it draws. */
  readonly salt: number;
}

const DEEDS = [
  "task", "task", "task", "task", "chain", "burst", "alias", "run", "run", "run", "everything", "vote", "mail", "mail",
  "mail", "cancel", "pause", "limit", "message", "page", "leave", "schedule", "timer", "timer", "message", "offline", "unregister", "requeue", "again",
  "secret", "secret", "long", "along", "along",
] as const; // prettier-ignore

/** Something that befalls the site. */
export interface Fault {
  readonly number: number;
  /** After so many steps. */
  readonly step: number;
  readonly kind: FaultKind;
  readonly salt: number;
}

export const FAULTS = [
  "host killed",
  "host killed in a turn",
  "page killed",
  "page killed in a turn",
  "worker broken",
  "worker hung",
  "browser killed",
  "write refused",
  "write unsaid",
  "write slow",
  "quota",
  "page frozen",
  "page hidden",
  "host frozen",
  "clock jumps",
  "clock stands",
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Plan {
  readonly seed: number;
  readonly deeds: readonly Deed[];
  readonly faults: readonly Fault[];
  readonly speed: Speed;
  readonly modes: "shared" | "elected" | "mixed";
  readonly snapshotEvery: number;
  /** How often attempts go wrong. */
  readonly trouble: number;
  readonly pages: number;
  /** Deeds happen within so many milliseconds. */
  readonly span: number;
}

/** Milliseconds that deeds are spread over, and about the steps that these take. */
const SPAN = 20_000;
const STEPS = 4_000;

export function drawPlan(seed: number): Plan {
  const chance = createChance(seed).fork(77);
  const kinds = FAULTS.filter(() => chance.often(0.5)); // swarm testing: each seed has its own few kinds (Groce, 2012)
  const deeds = chance.between(10, 50);
  const faults = kinds.length === 0 ? 0 : chance.between(0, 24);
  return {
    seed,
    deeds: Array.from({ length: deeds }, (_none, place) => ({
      number: place + 1,
      at: chance.below(SPAN),
      kind: chance.pick(DEEDS),
      salt: chance.below(2 ** 31),
    })),
    faults: Array.from({ length: faults }, (_none, place) => ({
      number: deeds + place + 1,
      step: chance.below(STEPS),
      kind: chance.pick(kinds),
      salt: chance.below(2 ** 31),
    })),
    speed: drawSpeed(chance),
    modes: chance.pick(["shared", "shared", "elected", "mixed"]),
    snapshotEvery: chance.pick([10, 50, 400]),
    trouble: chance.pick([0, 0.05, 0.3]),
    pages: chance.between(1, 3),
    span: SPAN,
  };
}

/** Every latency has a wide draw of its own: orders that one seed never shows are common in another. */
function drawSpeed(chance: Chance): Speed {
  return {
    message: chance.pick([0.05, 0.5, 5, 40]),
    disk: chance.pick([0.2, 3, 30, 200]),
    lock: chance.pick([0.2, 5, 50]),
    start: chance.pick([2, 30, 500]),
    spread: chance.pick([1, 3, 8]),
    echoes: chance.pick([0, 0.1, 0.3]),
  };
}

/** The plan without what isn't kept. */
export function keepOf(plan: Plan, kept: ReadonlySet<number>): Plan {
  return {
    ...plan,
    deeds: plan.deeds.filter(({ number }) => kept.has(number)),
    faults: plan.faults.filter(({ number }) => kept.has(number)),
  };
}
