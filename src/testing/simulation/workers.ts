/** Workers and SharedWorkers of the simulation: a process each, which runs the script that is known by its URL. */
import { type SimulatedPort, createChannel, type Post, type SimulatedMessage } from "./ports.ts";
import type { Process } from "./world.ts";

/** What runs in a worker: called in its process, whose global object it finds. */
export interface Script {
  readonly kind: "host" | "agent";
  run(): void;
}

export interface Workshop extends Post {
  /** Undefined: there is no such script. */
  script(url: string): Script | undefined;
  /** Milliseconds until a worker runs. */
  startDelay(): number;
}

/** What a worker's process has in its scope. */
export const SCOPE = { port: "port", onconnect: "onconnect", name: "name" } as const;

interface FaultEvent {
  readonly type: "error";
  readonly message: string;
  preventDefault(): void;
}

export interface SimulatedWorker {
  onmessage: ((event: SimulatedMessage) => void) | null;
  onerror: ((event: FaultEvent) => void) | null;
  onmessageerror: (() => void) | null;
  postMessage(data: unknown, transfer?: readonly unknown[]): void;
  terminate(): void;
}

type WorkerClass = new (url: string, options?: { readonly name?: string }) => SimulatedWorker;

/** How a process was started as a worker: so that its page can be told of an error. */
const workers = new WeakMap<Process, (message: string) => void>();

/** Tells the owner of a worker that it broke, as its `error` event does. */
export function tellBroken(process: Process, message: string): void {
  workers.get(process)?.(message);
}

const fault = (message: string): FaultEvent => ({ type: "error", message, preventDefault: () => undefined });

/** The page's constructor of workers. */
export function createWorkerClass(workshop: Workshop): WorkerClass {
  const { world } = workshop;
  return function Worker(url: string, { name = "" } = {}) {
    const owner = world.current;
    const { port1, port2 } = createChannel(workshop);
    const worker: SimulatedWorker = {
      get onmessage() {
        return port1.onmessage;
      },
      set onmessage(handler) {
        port1.onmessage = handler;
      },
      onerror: null,
      onmessageerror: null,
      postMessage(data, transfer) {
        port1.postMessage(data, transfer);
      },
      terminate() {
        world.kill(process, "terminated by its page");
      },
    };
    const script = workshop.script(url);
    const label = script?.kind === "host" ? "host" : new URL(url).pathname;
    const process = world.start(script?.kind ?? "agent", `${label} of ${owner.name}, step ${world.steps}`, owner);
    workers.set(process, (message) => {
      world.plan(owner, workshop.delay(), `error of ${process.name}`, () => worker.onerror?.(fault(message)));
    });
    process.scope.set(SCOPE.port, port2).set(SCOPE.name, name);
    port2.owner = process;
    world.plan(process, workshop.startDelay(), `${process.name} starts`, () => {
      if (script) script.run();
      else tellBroken(process, "its script could not be loaded");
    });
    return worker;
  } as unknown as WorkerClass;
}

interface SimulatedSharedWorker {
  readonly port: SimulatedPort;
  onerror: unknown;
}

interface Shared {
  readonly process: Process;
  readonly pages: Set<Process>;
  /** Pages that came before its script ran. */
  readonly early: (() => void)[];
  isUp: boolean;
}

type SharedWorkerClass = new (url: string, options?: { readonly name?: string }) => SimulatedSharedWorker;

/** The origin's constructor of SharedWorkers: one process per name, until the last page is gone. */
export function createSharedWorkerClass(workshop: Workshop): SharedWorkerClass {
  const { world } = workshop;
  const shared = new Map<string, Shared>();
  const open = (url: string, name: string): Shared => {
    const known = shared.get(name);
    if (known?.process.alive) return known;
    const process = world.start("host", `host of step ${String(world.steps)}`);
    const made: Shared = { process, pages: new Set(), early: [], isUp: false };
    made.process.scope.set(SCOPE.name, name);
    shared.set(name, made);
    world.plan(made.process, workshop.startDelay(), `${made.process.name} starts`, () => {
      workshop.script(url)?.run();
      made.isUp = true;
      for (const connect of made.early.splice(0)) connect();
    });
    return made;
  };
  return function SharedWorker(url: string, { name = "" } = {}) {
    const page = world.current;
    const worker = open(url, name);
    const { process, pages, early } = worker;
    const { port1, port2 } = createChannel(workshop);
    pages.add(page);
    page.onEnd.add(() => {
      pages.delete(page);
      if (pages.size > 0) return;
      world.plan(process, workshop.startDelay(), "the last page is gone", () => {
        if (pages.size === 0) world.kill(process, "no page is left");
      });
    });
    const connect = (): void => {
      port2.arrive(process);
      (process.scope.get(SCOPE.onconnect) as ((event: object) => void) | undefined)?.({ ports: [port2] });
    };
    port2.owner = undefined;
    world.plan(process, workshop.delay(), `${page.name} connects`, () => {
      if (worker.isUp) connect();
      else early.push(connect);
    });
    return { port: port1, onerror: null };
  } as unknown as SharedWorkerClass;
}
