/** What befalls the site, at the step that the plan says. */
import { createChance, type Chance } from "../../src/testing/simulation/chance.ts";
import { freezeAll, thawAll, type Page, type Site } from "../../src/testing/simulation/site.ts";
import type { Process } from "../../src/testing/simulation/world.ts";
import type { Fault, FaultKind } from "./plan.ts";

/** A whole site that goes wrong, and may be put right. */
export interface Victim {
  readonly site: Site;
  openPage(): void;
  /** When the last fault is over, in virtual milliseconds. */
  until: number;
}

/** False when there is nothing that it could befall now. */
export function strike(victim: Victim, { kind, salt }: Fault): boolean {
  const chance = createChance(salt);
  victim.site.world.say(`FAULT: ${kind}`);
  return strikes[kind](victim, chance);
}

type Strike = (victim: Victim, chance: Chance) => boolean;

const one = (victim: Victim, kind: Process["kind"], chance: Chance): Process | undefined => {
  const living = victim.site.living(kind).filter(({ frozen }) => !frozen);
  return living.length === 0 ? undefined : chance.pick(living);
};

const kill =
  (kind: Process["kind"], within: boolean): Strike =>
  (victim, chance) => {
    const found = one(victim, kind, chance);
    if (!found) return false;
    if (within) found.fuel = chance.below(8);
    else victim.site.world.kill(found, "it is killed");
    if (kind === "page") replace(victim, chance);
    return true;
  };

/** People open another page, sooner or later. */
function replace(victim: Victim, chance: Chance): void {
  later(victim, chance.below(5_000), "a page is opened instead", victim.openPage);
}

function later(victim: Victim, ms: number, about: string, run: () => void): void {
  const { world } = victim.site;
  victim.until = Math.max(victim.until, world.now() + ms);
  world.plan(world.machine, ms, about, run);
}

const freeze =
  (kind: Process["kind"], most: number): Strike =>
  (victim, chance) => {
    const found = one(victim, kind, chance);
    if (!found) return false;
    const { world } = victim.site;
    freezeAll(world, found);
    later(victim, chance.below(most), `${found.name} goes on`, () => {
      thawAll(world, found);
    });
    return true;
  };

const befall =
  (kind: "refused" | "unsaid" | "slow" | "quota"): Strike =>
  ({ site }, chance) => {
    site.disk.befall({ kind, ...(kind === "slow" && { ms: chance.below(4_000) }) });
    return true;
  };

function hide(victim: Victim, chance: Chance): boolean {
  const { site } = victim;
  const pages = [...site.pages].filter(({ process: { frozen }, runtime }) => runtime && !frozen);
  if (pages.length === 0) return false;
  const page: Page = chance.pick(pages);
  site.hide(page);
  later(victim, 10 + chance.below(8_000), `${page.process.name} comes back`, () => {
    site.show(page);
  });
  return true;
}

const strikes: Readonly<Record<FaultKind, Strike>> = {
  "host killed": kill("host", false),
  "host killed in a turn": kill("host", true),
  "page killed": kill("page", false),
  "page killed in a turn": kill("page", true),
  "worker broken": (victim, chance) => {
    const found = one(victim, "agent", chance);
    if (found) victim.site.breakWorker(found, chance.often(0.5));
    return found !== undefined;
  },
  "worker hung": (victim, chance) => {
    const found = one(victim, "agent", chance);
    if (found) victim.site.world.freeze(found);
    return found !== undefined;
  },
  "browser killed": (victim, chance) => {
    victim.site.killBrowser();
    later(victim, chance.below(3_000), "the browser starts again", () => {
      victim.openPage();
      victim.openPage();
    });
    return true;
  },
  "write refused": befall("refused"),
  "write unsaid": befall("unsaid"),
  "write slow": befall("slow"),
  quota: befall("quota"),
  "page frozen": freeze("page", 20_000),
  "page hidden": hide,
  "host frozen": freeze("host", 10_000),
  "clock jumps": ({ site }, chance) => {
    site.world.setWall({ jump: chance.pick([-60_000, -5_000, -500, 500, 10_000, 600_000]) });
    return true;
  },
  "clock stands": ({ site }, chance) => {
    site.world.setWall({ stand: chance.below(10_000) });
    return true;
  },
};
