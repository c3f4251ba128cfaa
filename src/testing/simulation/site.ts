/**
 * An origin in a simulated browser: pages, the host that they share, their agents' workers and the disk. All of Troupe's
 * code is the real one, by its public entries; only the platform below it is simulated.
 */
import type { AgentDefinition } from "../../core/plugin/definition.ts";
import type { Mode, Runtime } from "../../client/runtime.ts";
import type { Boot, BootOptions } from "../../workers/boot.ts";
import { createSimulatedDisk, type SimulatedDisk } from "./disk.ts";
import { enterRealm, type Realm } from "./realm.ts";
import { createSimulatedVault, type SimulatedVault } from "./vault.ts";
import { SCOPE, tellBroken, type Script } from "./workers.ts";
import { createWorld, type Process, type World } from "./world.ts";

/** The entries of Troupe that a simulation runs. */
export interface Entries {
  connect(options: {
    readonly name: string;
    readonly modes: readonly Mode[];
    readonly timeout: number;
  }): Promise<Runtime>;
  bootHost(options: BootOptions): Boot;
  exposeAgent(definition: AgentDefinition<never>): void;
}

/** How fast the platform is: milliseconds, as they are mostly and at most. */
export interface Speed {
  readonly message: number;
  readonly disk: number;
  readonly lock: number;
  readonly start: number;
  /** The slowest of each takes so many times as long. */
  readonly spread: number;
  /** How often a frame that its sender may send again comes twice, from 0 to 1. */
  readonly echoes: number;
}

export const QUICK: Speed = { message: 0.2, disk: 1, lock: 0.5, start: 5, spread: 3, echoes: 0 };

export interface SiteOptions {
  readonly seed: number;
  readonly entries: Entries;
  readonly speed?: Speed;
  /** What agents' workers run, by the path of their script. */
  readonly agents: ReadonlyMap<string, AgentDefinition<never>>;
  /** Events between two snapshots. */
  readonly snapshotEvery?: number;
}

export interface Page {
  readonly process: Process;
  readonly modes: readonly Mode[];
  /** Undefined until it is connected. */
  runtime: Runtime | undefined;
  /** On its way into the back/forward cache, or there. */
  hiding: "asked" | "hidden" | undefined;
}

export interface Site {
  readonly world: World;
  readonly disk: SimulatedDisk;
  readonly vault: SimulatedVault;
  /** How messages, disk and locks take their time; slower on demand. */
  speed: Speed;
  /** Nothing disturbs from now on. */
  calm(): void;
  readonly pages: Set<Page>;
  /** Every process that lives, of a kind. */
  living(kind: Process["kind"]): readonly Process[];
  /** A page comes; `ready` is called in it once it is connected. */
  openPage(name: string, modes: readonly Mode[], ready: (page: Page) => void): Page;
  /** Does something in a process, soon. */
  act(process: Process, about: string, run: () => void): void;
  /** The page is put into the back/forward cache, or comes back. */
  hide(page: Page): void;
  show(page: Page): void;
  /** An agent's worker is gone; its page may be told so. */
  breakWorker(process: Process, isTold: boolean): void;
  /** Everything is gone but what is on the disk. */
  killBrowser(): void;
  close(): void;
}

/** Pages give up on a host that doesn't answer for so long, in milliseconds. */
const TIMEOUT = 3_600_000;

export function createSite({ seed, entries, speed = QUICK, agents, snapshotEvery }: SiteOptions): Site {
  const world = createWorld(seed);
  const chance = world.chance.fork(1);
  const draw = (most: number): number => {
    const { spread } = site.speed;
    const isSlow = chance.often(0.02);
    return most * chance.next() * (isSlow ? spread * spread : chance.often(0.2) ? spread : 1);
  };
  const disk = createSimulatedDisk({ world, delay: () => draw(site.speed.disk) });
  const vault = createSimulatedVault(world, () => draw(site.speed.disk));
  const scripts = { ...hostScripts({ world, entries, disk, vault, snapshotEvery }), agents, entries };
  const realm = enterRealm({
    world,
    delay: () => draw(site.speed.message),
    lockDelay: () => draw(site.speed.lock),
    startDelay: () => draw(site.speed.start),
    script: (url) => scriptOf(scripts, url),
    isEchoed: (from, data) => site.speed.echoes > 0 && mayRepeat(from, data) && chance.often(site.speed.echoes),
  });
  const leave = watchUncaught(world, realm);
  const endAll = (why: string): void => {
    for (const process of [...world.processes]) if (process.kind !== "disk") world.kill(process, why);
  };
  const site: Site = {
    world,
    disk,
    vault,
    speed,
    calm() {
      site.speed = QUICK;
    },
    pages: new Set(),
    living: (kind) => [...world.processes].filter((process) => process.kind === kind),
    act: (process, about, run) => void world.plan(process, 0, about, run),
    openPage(name, modes, ready) {
      const process = world.start("page", name);
      const page: Page = { process, modes, runtime: undefined, hiding: undefined };
      site.pages.add(page);
      process.onEnd.add(() => site.pages.delete(page));
      world.plan(process, draw(site.speed.start), `${name} opens`, () => void connect(entries, page, ready));
      return page;
    },
    ...createHiding(world, realm),
    breakWorker(process, isTold) {
      if (isTold) tellBroken(process, "it ran out of memory");
      world.kill(process, isTold ? "it broke" : "it broke, and nobody hears of it");
    },
    killBrowser() {
      disk.drop();
      endAll("the browser is gone");
    },
    close() {
      endAll("the simulation is over");
      leave();
      realm.leave();
    },
  };
  return site;
}

/** Into the back/forward cache, and out of it. */
function createHiding(world: World, realm: Realm): Pick<Site, "hide" | "show"> {
  const tell = (process: Process, type: "pagehide" | "pageshow"): void => {
    realm.dispatch(process, type, { persisted: true });
  };
  return {
    hide(page) {
      const { process } = page;
      page.hiding = "asked";
      world.plan(process, 0, `${process.name} is hidden`, () => {
        if (page.hiding !== "asked") return; // it was frozen meanwhile, and is shown again already
        page.hiding = "hidden";
        tell(process, "pagehide");
        world.plan(world.machine, 0, `${process.name} freezes`, () => {
          if (page.hiding === "hidden") freezeAll(world, process);
        });
      });
    },
    show(page) {
      const { process } = page;
      const wasHidden = page.hiding === "hidden";
      page.hiding = undefined;
      if (!wasHidden) return;
      thawAll(world, process);
      world.plan(process, 0, `${process.name} is shown again`, () => {
        tell(process, "pageshow");
      });
    },
  };
}

export function freezeAll(world: World, process: Process): void {
  world.freeze(process);
  for (const child of process.children) freezeAll(world, child);
}

export function thawAll(world: World, process: Process): void {
  world.thaw(process);
  for (const child of process.children) thawAll(world, child);
}

async function connect({ connect: open }: Entries, page: Page, ready: (page: Page) => void): Promise<void> {
  page.runtime = await open({ name: "simulated", modes: page.modes, timeout: TIMEOUT });
  ready(page);
}

/** Outcomes of agents, and commands of pages: both are sent again after a change of hosts. */
function mayRepeat({ kind }: Process, data: unknown): boolean {
  if (kind === "page") return (data as { readonly kind?: unknown }).kind === "commands";
  return kind === "agent" && Array.isArray(data) && data.some(({ kind: one }: { kind?: string }) => one === "done");
}

interface Scripts {
  readonly shared: Script;
  readonly elected: Script;
  readonly agents: SiteOptions["agents"];
  readonly entries: Entries;
}

function scriptOf({ shared, elected, agents, entries }: Scripts, url: string): Script | undefined {
  if (/shared-worker\.[jt]s$/u.test(url)) return shared;
  if (/elected-worker\.[jt]s$/u.test(url)) return elected;
  const agent = agents.get(new URL(url).pathname);
  return (
    agent && {
      kind: "agent",
      run() {
        entries.exposeAgent(agent);
      },
    }
  );
}

interface Below extends Pick<SiteOptions, "entries"> {
  readonly snapshotEvery: number | undefined;
  readonly world: World;
  readonly disk: SimulatedDisk;
  readonly vault: SimulatedVault;
}

/** The same as the entries of the two workers do, over the simulation's disk. */
function hostScripts({ world, entries, disk, vault, snapshotEvery }: Below): Pick<Scripts, "shared" | "elected"> {
  const boot = (place: "shared" | "elected"): Boot =>
    entries.bootHost({
      name: "simulated",
      place,
      version: "0.1.0",
      openJournal: disk.openJournal,
      vault: vault.open(),
      ...(snapshotEvery !== undefined && { snapshotEvery }),
    });
  return {
    shared: {
      kind: "host",
      run() {
        const { attach } = boot("shared");
        world.current.scope.set(SCOPE.onconnect, ({ ports: [port] }: { readonly ports: readonly MessagePort[] }) => {
          if (port) attach(port);
        });
      },
    },
    elected: {
      kind: "host",
      run() {
        postMessage("up");
        boot("elected");
      },
    },
  };
}

interface Emitter {
  on(type: "unhandledRejection", listener: (reason: unknown) => void): void;
  off(type: "unhandledRejection", listener: (reason: unknown) => void): void;
}

/** Rejections that nobody takes come to the process whose turn it is, as in a browser. */
function watchUncaught(world: World, realm: Realm): () => void {
  world.onUncaught((process, error) => {
    realm.dispatch(process, "error", { error, preventDefault: () => undefined });
  });
  const { process } = globalThis as { readonly process?: Partial<Emitter> };
  const hear = (reason: unknown): void => {
    const event = { reason, preventDefault: () => undefined };
    if (!realm.dispatch(world.current, "unhandledrejection", event)) world.uncaught(world.current, reason);
  };
  process?.on?.("unhandledRejection", hear);
  return () => process?.off?.("unhandledRejection", hear);
}
