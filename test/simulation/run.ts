/** One seed: a site is drawn, disturbed and watched; then it is left alone, and has to come to rest. */
import type { Mode, Runtime } from "../../src/client/runtime.ts";
import { createChance } from "../../src/testing/simulation/chance.ts";
import { createOracle, type Oracle } from "../../src/testing/simulation/oracle/oracle.ts";
import type { Violation } from "../../src/testing/simulation/oracle/rule.ts";
import { createSite, thawAll, type Entries, type Page, type Site } from "../../src/testing/simulation/site.ts";
import type { Step } from "../../src/testing/simulation/world.ts";
import { createAgents } from "./agents.ts";
import { AGENTS, offer, perform, settleIn } from "./deeds.ts";
import type { Stage } from "./expecting.ts";
import { strike, type Victim } from "./faults.ts";
import { drawGraph } from "./graphs.ts";
import type { FaultKind, Plan } from "./plan.ts";
import { checkRest, whatIsOpen } from "./rest.ts";

export interface Outcome {
  readonly violations: readonly Violation[];
  readonly steps: number;
  readonly events: number;
  /** What befell it, as often. */
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly story: readonly Step[];
  /** Of all that was written: two runs of a seed have the same. */
  readonly digest: string;
  /** Virtual milliseconds until it was at rest, after the last fault. */
  readonly rest: number;
}

/** Milliseconds of virtual time within which everything has come to rest when nothing disturbs any more. */
export const BOUND = 3_600_000;

/** A run that takes more steps goes round in circles. */
const MAX_STEPS = 400_000;

export async function runPlan(
  entries: Entries,
  plan: Plan,
  steps = Infinity,
  tell?: (step: Step) => void,
): Promise<Outcome> {
  const { seed, speed, snapshotEvery } = plan;
  const conduct = { trouble: plan.trouble };
  const made: { oracle?: Oracle } = {};
  const agents = createAgents(
    seed,
    conduct,
    () => made.oracle ?? missing(),
    () => site.world.current,
  );
  const site: Site = createSite({ seed, entries, speed, agents, snapshotEvery });
  if (tell) site.world.onTold(tell);
  try {
    const oracle = (made.oracle = createOracle(site));
    const play = createPlay(site, plan, oracle);
    site.world.onStep(() => {
      oracle.look();
      play.strikeAll();
    });
    site.world.onUncaught((process, error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      oracle.claim(process.kind === "agent" || isMeant(text), "uncaught", () => `${process.name}: ${text}`);
    });
    const { world } = site;
    await world.run(() => oracle.violations.length > 0 || play.isOver() || world.steps >= steps, MAX_STEPS);
    let began = world.now();
    if (oracle.violations.length === 0 && world.steps < steps) {
      conduct.trouble = 0;
      play.calm();
      began = world.now();
      const isAtRest = (): boolean => play.isAtRest() || world.now() - began > BOUND;
      await world.run(() => oracle.violations.length > 0 || isAtRest() || world.steps >= steps, MAX_STEPS);
      if (world.steps < steps) await checkRest(site, play.stage, play.openPage);
    }
    const { violations, events } = oracle;
    const digest = digestOf(site);
    return {
      violations,
      steps: world.steps,
      events: events.length,
      faults: play.faults,
      story: world.story(),
      digest,
      rest: world.now() - began,
    };
  } finally {
    site.close();
  }
}

function missing(): never {
  throw new Error("an agent runs before there is an oracle");
}

/** What production code is meant to throw where nobody can take it. */
function isMeant(text: string): boolean {
  return text.includes("nobody takes this") || text.includes("host/stopped") || text.includes("runtime/closed");
}

interface Play {
  readonly stage: Stage;
  readonly faults: Map<FaultKind, number>;
  readonly openPage: () => void;
  strikeAll(): void;
  isOver(): boolean;
  calm(): void;
  isAtRest(): boolean;
}

function createPlay(site: Site, plan: Plan, oracle: Oracle): Play {
  const { world } = site;
  const chance = createChance(plan.seed).fork(5);
  const faults = new Map<FaultKind, number>();
  const leaving = new Set<Page>();
  const due = plan.faults.toSorted((a, b) => a.step - b.step);
  let [count, calmAt] = [0, 0];
  const openPage = (): void => {
    const name = `page ${++count}`;
    site.openPage(name, modesOf(plan, count), (page) => {
      settleIn(stage, page, chance.fork(count));
    });
  };
  const stage: Stage = {
    oracle,
    graphs: [1, 2, 3].map((salt) => drawGraph(chance.fork(100 + salt), `graph${salt}`)),
    open: new Map(),
    sure: new Map(),
    acknowledged: new Set(),
    stopped: new Set(),
    paused: new Set(),
    schedules: new Set(),
    due: new Set(plan.deeds.map(({ number }) => number)),
    made: { tasks: [], runs: [] },
    openPage,
    leave(page) {
      if (calmAt > 0 || site.pages.size - leaving.size < 2 || leaving.has(page)) return;
      leaving.add(page);
      page.process.onEnd.add(() => leaving.delete(page));
      void page.runtime?.close();
      world.plan(world.machine, 500, `${page.process.name} is closed`, () => {
        world.kill(page.process, "it is closed");
      });
    },
  };
  const victim: Victim = { site, openPage, until: plan.span };
  for (let page = 0; page < plan.pages; page++) openPage();
  for (const deed of plan.deeds) planDeed(site, stage, deed);
  return {
    stage,
    faults,
    openPage,
    strikeAll() {
      for (let next = due[0]; next && next.step <= world.steps; next = due[0]) {
        due.shift();
        if (strike(victim, next)) faults.set(next.kind, (faults.get(next.kind) ?? 0) + 1);
      }
    },
    isOver: () => world.now() > victim.until + 1_000,
    calm() {
      world.say("from now on nothing disturbs");
      calmAt = world.now();
      due.length = 0;
      site.calm();
      for (const process of [...site.living("page"), ...site.living("host")]) {
        process.fuel = Infinity;
        thawAll(world, process);
      }
      while (site.pages.size < 2) openPage();
      putRight(site, stage);
    },
    isAtRest: () => world.steps % 16 === 0 && world.now() - calmAt > 12_000 && whatIsOpen(site, stage).length === 0,
  };
}

function planDeed(site: Site, stage: Stage, deed: Plan["deeds"][number]): void {
  const { world } = site;
  const { at, kind, salt, number } = deed;
  const attempt = (): void => {
    const ready = [...site.pages].filter(({ runtime, process }) => runtime && !process.frozen);
    const page: Page | undefined = ready[salt % ready.length];
    if (page) {
      page.process.onEnd.add(() => stage.due.delete(number)); // it may die before it does it
      site.act(page.process, `deed ${number}: ${kind}`, () => {
        stage.due.delete(number);
        perform(stage, page, deed);
      });
    } else world.plan(world.machine, 500, "nobody is there to do it", attempt);
  };
  world.plan(world.machine, at, `deed ${number} is due`, attempt);
}

/** Whoever has paused a run may be gone; and a clock that was set back lets a schedule go on for long. */
function putRight(site: Site, { paused, schedules }: Stage): void {
  const { world } = site;
  const put = (): void => {
    const [page] = [...site.pages].filter(({ runtime }) => runtime);
    const runtime = page?.runtime;
    if (runtime)
      site.act(page.process, "paused runs go on, and schedules end", () => {
        for (const run of paused) runtime.resumeWorkflow(run);
        runtime.setAgentOffline("a", false);
        for (const url of AGENTS) void offer(runtime, url); // it may have been taken back
        for (const id of schedules) runtime.unschedule(id).catch(() => undefined); // it has ended by itself
      });
    else world.plan(world.machine, 5_000, "nobody is there to put it right", put);
  };
  world.plan(world.machine, 10_000, "what was paused goes on", put);
}

function modesOf({ modes, seed }: Plan, count: number): readonly Mode[] {
  if (modes === "mixed") return (seed + count) % 2 === 0 ? ["shared"] : ["elected"];
  return [modes];
}

function digestOf({ disk, world }: Site): string {
  let sum = 0;
  for (const { batch } of disk.history)
    for (let at = 0; at < batch.text.length; at++) sum = (Math.imul(sum, 31) + batch.text.charCodeAt(at)) | 0;
  return `${(sum >>> 0).toString(16)} ${world.steps} ${world.now().toFixed(3)}`;
}

export type { Runtime };
