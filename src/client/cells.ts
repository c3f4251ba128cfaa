/** The workers that this page hosts: spawned when the host orders it, ended when it says so. */
import { agentId } from "../core/agents/agent.ts";
import type { Manifest } from "../core/agents/manifest.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { HostFrame, Wire } from "../core/protocol.ts";
import type { Connection } from "./connection.ts";
import type { AgentOptions } from "./runtime.ts";
import type { Cell } from "./spawner.ts";

export interface Cells {
  /** Starts the agent once, to learn what it is; the worker is then offered to the host. */
  load(options: AgentOptions): Promise<Manifest>;
  /** The manifest is accepted: the page can serve it from now on. */
  offer(manifest: Manifest): void;
  /** The agent was unregistered: it isn't offered any more. Its workers end when the host says so. */
  withdraw(agent: string): void;
  order(frame: Extract<HostFrame, { kind: "spawn" | "kill" | "relay" }>): void;
  /** The registration was refused: its worker isn't needed. */
  discard(agent: string): void;
  /** A host has welcomed the page, and knows these of its workers: both sides learn what the other has missed. */
  welcomed(known: readonly string[], fresh: boolean): void;
  /** Ends the workers; what was offered is offered again. */
  leave(): void;
  close(): void;
}

interface Hosted {
  readonly agent: string;
  readonly cell: Cell;
  /** The page's end, where the host can't have the port itself. */
  relay?: MessagePort | undefined;
  /** What the host was told of it over. */
  wire?: Wire | undefined;
}

interface State {
  readonly connection: () => Connection;
  readonly cellURL: string;
  /** Accepted agents that this page can spawn, by id. */
  readonly manifests: Map<string, Manifest>;
  /** The first worker of an agent that isn't accepted yet, by id. */
  readonly loaded: Map<string, Cell>;
  readonly hosted: Map<string, Hosted>;
  /** Orders that are being carried out, by link. */
  readonly spawning: Set<string>;
}

export function createCells(connection: () => Connection, cellURL: string, createId: () => string): Cells {
  const state: State = {
    connection,
    cellURL,
    manifests: new Map(),
    loaded: new Map(),
    hosted: new Map(),
    spawning: new Set(),
  };
  const { manifests, loaded, hosted, spawning } = state;
  const leave = (): void => {
    spawning.clear();
    for (const link of [...hosted.keys()]) end(state, link);
    for (const id of [...loaded.keys()]) discard(id);
  };
  const discard = (id: string): void => {
    loaded.get(id)?.kill();
    loaded.delete(id);
  };
  const offerAll = (): void => {
    const { ready, say } = connection();
    if (ready) say({ kind: "offer", agents: [...manifests.keys()], cores: navigator.hardwareConcurrency }); // else with the welcome
  };
  return {
    load: (options) => load(state, options),
    offer(manifest) {
      const id = agentId(manifest);
      manifests.set(id, manifest);
      const cell = loaded.get(id);
      loaded.delete(id);
      if (cell) take(state, createId(), id, cell); // first: an offer may be taken up at once
      offerAll();
    },
    withdraw(agent) {
      if (manifests.delete(agent)) offerAll();
    },
    order(frame) {
      if (frame.kind === "spawn") void spawn(state, frame.link, frame.agent);
      else if (frame.kind === "relay") hosted.get(frame.link)?.relay?.postMessage(frame.frames);
      else {
        spawning.delete(frame.link);
        end(state, frame.link);
      }
    },
    discard,
    welcomed(known, fresh) {
      if (fresh) spawning.clear(); // orders of the host before
      reconcile(state, known);
      offerAll(); // last: for what has a worker none is ordered
    },
    leave,
    close() {
      leave();
      manifests.clear();
    },
  };
}

/** What the page hosts and what the host knows become the same. */
function reconcile(state: State, known: readonly string[]): void {
  const { hosted, connection } = state;
  const { wire, say } = connection();
  for (const [link, host] of hosted) {
    const isKnown = known.includes(link);
    // Frames that were relayed over a wire that is closed now may be lost: the worker is introduced anew.
    const isTorn = isKnown && host.relay !== undefined && host.wire !== wire;
    if (isTorn) say({ kind: "left", link, cause: "closed" });
    if (isTorn || !isKnown) join(state, link, host);
  }
  for (const link of known) if (!hosted.has(link)) left(state, link, lost());
}

/** Starts a worker under the conditions of the manifest. What that takes is loaded by pages that host agents only. */
async function start(
  { cellURL }: State,
  {
    url,
    trusted,
    network,
    integrity,
    resourceLimits,
  }: Pick<Manifest, "url" | "trusted" | "network" | "integrity" | "resourceLimits">,
): Promise<Cell> {
  const { spawnCell } = await import("./spawner.ts");
  const proof = integrity === undefined ? {} : { integrity };
  return spawnCell({ url, trusted, network, cellURL, resourceLimits, ...proof });
}

async function load(state: State, options: AgentOptions): Promise<Manifest> {
  const { trusted = false, network = [], workers = 1, integrity, secrets, replace: _, ...rest } = options;
  const url = new URL(options.url, location.href).href;
  const grants = { url, trusted, network: [...network] };
  const cell = await start(state, { ...grants, integrity, resourceLimits: rest.resourceLimits });
  const { description } = cell;
  const id = agentId(description);
  state.loaded.get(id)?.kill();
  state.loaded.set(id, cell);
  const bounds = [description, rest].flatMap(({ maxConcurrentTasks }) => maxConcurrentTasks ?? []);
  return {
    ...without(description),
    ...without(rest),
    ...(bounds.length > 0 && { maxConcurrentTasks: Math.min(...bounds) }),
    ...grants,
    ...(cell.integrity !== "" && { integrity: cell.integrity }),
    ...(secrets && { secrets: [...secrets] }),
    workers,
    slots: options.slots ?? description.slots ?? 1,
  };
}

/** The same without fields that are undefined. */
function without<T extends object>(fields: T): T {
  return JSON.parse(JSON.stringify(fields)) as T;
}

async function spawn(state: State, link: string, agent: string): Promise<void> {
  const { manifests, spawning, hosted } = state;
  if (spawning.has(link) || hosted.has(link)) return; // a host says it again after every hello
  spawning.add(link);
  try {
    const manifest = manifests.get(agent);
    if (!manifest) throw new RuntimeError("agent/unknown", { agent });
    const cell = await start(state, manifest);
    if (spawning.has(link)) take(state, link, agent, cell);
    else cell.kill(); // the order was withdrawn meanwhile
  } catch (error) {
    left(state, link, encodeError(error, "agent/load-failed"));
  }
  spawning.delete(link);
}

/** Hosts the worker under the link, and tells the host when it dies by itself. */
function take(state: State, link: string, agent: string, cell: Cell): void {
  const host: Hosted = { agent, cell };
  state.hosted.set(link, host);
  cell.onMemory = (bytes) => {
    state.connection().say({ kind: "memory", link, bytes });
  };
  void cell.crashed.then((error) => {
    if (state.hosted.get(link) !== host) return;
    end(state, link);
    left(state, link, error);
  });
  join(state, link, host);
}

/** Gives the host a port to the worker; where ports can't travel, the page passes the frames on. */
function join({ connection }: State, link: string, host: Hosted): void {
  const { say, wire, ready } = connection();
  if (!ready) return; // the welcome tells whether the host knows it; a worker serves only the port it got last
  const port = host.cell.serve();
  host.relay?.close();
  host.relay = undefined;
  if (wire?.ports) {
    say({ kind: "joined", link, agent: host.agent }, [port]);
    return;
  }
  host.relay = port;
  host.wire = wire;
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    connection().say({ kind: "relay", link, frames: data });
  };
  say({ kind: "joined", link, agent: host.agent });
}

function left({ connection }: State, link: string, error: ErrorData): void {
  connection().say({ kind: "left", link, cause: "crashed", error });
}

/** Of a worker whose end the host didn't hear. */
function lost(): ErrorData {
  return encodeError(new RuntimeError("agent/gone", { reason: "it ended while its page looked for the host" }));
}

function end({ hosted }: State, link: string): void {
  const host = hosted.get(link);
  hosted.delete(link);
  host?.relay?.close();
  host?.cell.kill();
}
