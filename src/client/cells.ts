/** The workers that this page hosts: spawned when the host orders it, ended when it says so. */
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { Manifest } from "../core/agents/agent.ts";
import type { HostFrame } from "../core/protocol.ts";
import type { Connection } from "./connection.ts";
import type { AgentOptions } from "./runtime.ts";
import { spawnCell, type Cell } from "./spawner.ts";

export interface Cells {
  /** Starts the agent once, to learn what it is; the worker is then offered to the host. */
  load(options: AgentOptions): Promise<Manifest>;
  /** The manifest is accepted: the page can serve it from now on. */
  offer(manifest: Manifest): void;
  withdraw(agent: string): void;
  order(frame: Extract<HostFrame, { kind: "spawn" | "kill" | "relay" }>): void;
  /** Another host is there: it is told what this page has. */
  reintroduce(): void;
  close(): void;
}

interface Hosted {
  readonly agent: string;
  readonly cell: Cell;
  /** The page's end, where the host can't have the port itself. */
  relay?: MessagePort;
}

export function createCells(connection: () => Connection, cellURL: string, createId: () => string): Cells {
  const manifests = new Map<string, Manifest>();
  const loaded = new Map<string, Cell>();
  const hosted = new Map<string, Hosted>();
  const spawning = new Set<string>();

  const join = (link: string, host: Hosted): void => {
    const port = host.cell.serve();
    const { say, ports } = connection();
    if (ports) {
      say({ kind: "joined", link, agent: host.agent }, [port]);
      return;
    }
    host.relay?.close();
    host.relay = port;
    port.onmessage = ({ data }: MessageEvent<unknown>) => {
      connection().say({ kind: "relay", link, frames: data });
    };
    say({ kind: "joined", link, agent: host.agent });
  };
  const left = (link: string, agent: string, error?: ErrorData): void => {
    const cause = error ? "crashed" : "closed";
    connection().say({ kind: "left", link, agent, cause, ...(error && { error }) });
  };
  const take = (link: string, agent: string, cell: Cell): void => {
    const host: Hosted = { agent, cell };
    hosted.set(link, host);
    void cell.crashed.then((error) => {
      if (hosted.get(link) !== host) return;
      end(link);
      left(link, agent, error);
    });
    join(link, host);
  };
  const end = (link: string): void => {
    const host = hosted.get(link);
    hosted.delete(link);
    host?.relay?.close();
    host?.cell.kill();
  };
  const spawn = async (link: string, agent: string): Promise<void> => {
    const manifest = manifests.get(agent);
    spawning.add(link);
    try {
      if (!manifest) throw new RuntimeError("agent/unknown", { agent });
      const { url, trusted, network, integrity } = manifest;
      const cell = await spawnCell({ url, trusted, network, cellURL, ...(integrity !== undefined && { integrity }) });
      if (spawning.has(link)) take(link, agent, cell);
      else cell.kill(); // the order was withdrawn meanwhile
    } catch (error) {
      left(link, agent, encodeError(error, "agent/load-failed"));
    }
    spawning.delete(link);
  };

  return {
    async load(options) {
      const { trusted = false, network = [], workers = 1, slots = 1, integrity } = options;
      const url = new URL(options.url, location.href).href;
      const cell = await spawnCell({ url, trusted, network, cellURL, ...(integrity !== undefined && { integrity }) });
      const { name, version, capabilities, description } = cell.description;
      loaded.get(name)?.kill();
      loaded.set(name, cell);
      const proven = cell.integrity === "" ? {} : { integrity: cell.integrity };
      const described = description === undefined ? {} : { description };
      return {
        name,
        version,
        capabilities,
        ...described,
        url,
        ...proven,
        trusted,
        network: [...network],
        workers,
        slots,
      };
    },
    offer(manifest) {
      const { name } = manifest;
      manifests.set(name, manifest);
      const cell = loaded.get(name);
      loaded.delete(name);
      connection().say({ kind: "offer", agents: [...manifests.keys()] });
      if (cell) take(createId(), name, cell);
    },
    withdraw(agent) {
      manifests.delete(agent);
      for (const [link, host] of hosted) if (host.agent === agent) end(link);
    },
    order(frame) {
      if (frame.kind === "spawn") void spawn(frame.link, frame.agent);
      else if (frame.kind === "relay") hosted.get(frame.link)?.relay?.postMessage(frame.frames);
      else {
        spawning.delete(frame.link);
        end(frame.link);
      }
    },
    reintroduce() {
      spawning.clear(); // orders of the host before
      connection().say({ kind: "offer", agents: [...manifests.keys()] });
      for (const [link, host] of hosted) join(link, host);
    },
    close() {
      spawning.clear();
      for (const link of [...hosted.keys()]) end(link);
      for (const cell of loaded.values()) cell.kill();
      manifests.clear();
    },
  };
}
