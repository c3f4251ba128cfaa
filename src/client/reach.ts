/** Finds or starts the host, in the first way that the platform has, and finds it again when it goes. */
import { RuntimeError } from "../core/errors.ts";
import { PROTOCOL, type Wire } from "../core/protocol.ts";
import type { Mode } from "./runtime.ts";
import { createChannelWire, createPortWire, type WireEvents } from "./wires.ts";

/** How the places of a host are started; entries of the package fill it in. */
export interface Places {
  readonly shared?: ((name: string) => SharedWorker) | undefined;
  readonly elected?: ((name: string) => Worker) | undefined;
  /** Starts a host in this page; the returned function ends it. */
  readonly page?: ((name: string) => Promise<() => Promise<void>>) | undefined;
}

export interface ReachOptions {
  readonly name: string;
  readonly session: string;
  readonly places: Places;
  readonly modes: readonly Mode[];
  readonly onFrame: (frame: unknown) => void;
  /** A wire is there, or has a new host behind it: say hello. */
  readonly onWire: (wire: Wire, mode: Mode) => void;
  readonly onFailed: (error: RuntimeError) => void;
}

export interface Reach {
  /** Look for the host again; `gone` says that it is known to be gone, not only late. */
  again(gone: boolean): void;
  close(): Promise<void>;
}

export function createReach(options: ReachOptions): Reach {
  const { name, session, places, onFrame, onWire, onFailed } = options;
  const modes = options.modes.filter((mode) => places[mode] !== undefined);
  const failures: string[] = [];
  let at = 0;
  let wire: Wire | undefined;
  let channel: Wire | undefined;
  let election: Election | undefined;
  let closed = false;

  const overChannel = (mode: Mode): void => {
    channel ??= createChannelWire(name, session, {
      onFrame,
      onHere: () => {
        overChannel(mode);
      },
      onElsewhere: () => undefined,
    });
    onWire(channel, mode);
  };
  const fallBack = (mode: Mode, reason: string): void => {
    if (closed || modes[at] !== mode) return;
    failures.push(`${mode}: ${reason}`);
    at++;
    start();
  };
  const startShared = (): void => {
    const events: WireEvents = {
      onFrame,
      onHere: () => {
        channel?.close();
        channel = undefined;
        if (wire) onWire(wire, "shared");
      },
      onElsewhere: () => {
        overChannel("shared");
      },
    };
    try {
      const worker = places.shared?.(name);
      if (!worker) throw new Error("there is no SharedWorker here");
      wire?.close();
      wire = createPortWire(worker, events, (reason) => {
        fallBack("shared", reason);
      });
      onWire(wire, "shared");
    } catch (error) {
      fallBack("shared", error instanceof Error ? error.message : String(error));
    }
  };
  const start = (): void => {
    const mode = modes[at];
    if (mode === undefined) {
      onFailed(new RuntimeError("host/unavailable", { tried: failures }));
      return;
    }
    if (mode === "shared") {
      startShared();
      return;
    }
    election ??= stand(name, mode, places, (reason) => {
      election = undefined;
      fallBack(mode, reason);
    });
    overChannel(mode);
  };
  start();

  return {
    again(gone) {
      if (closed) return;
      const mode = modes[at];
      if (mode === "shared") startShared();
      else if (mode) {
        if (gone) election?.restart();
        overChannel(mode);
      }
    },
    async close() {
      closed = true;
      wire?.close();
      channel?.close();
      await election?.close();
    },
  };
}

interface Election {
  /** The host was found gone: if this tab is the elected one, it starts another. */
  restart(): void;
  close(): Promise<void>;
}

/** Queues for the office; the tab that holds it runs the host in a worker, or in the page itself. */
function stand(name: string, mode: "elected" | "page", places: Places, onFailed: (reason: string) => void): Election {
  const leaving = new AbortController();
  const left = new Promise<void>((resolve) => {
    leaving.signal.addEventListener("abort", () => {
      resolve();
    });
  });
  let end: (() => Promise<void> | void) | undefined;
  const startHost = async (): Promise<void> => {
    await end?.();
    if (mode === "page") {
      end = await places.page?.(name);
      return;
    }
    const worker = places.elected?.(name);
    if (!worker) return;
    worker.onerror = (event) => {
      event.preventDefault();
      onFailed(event.message === "" ? "its script could not be loaded" : event.message);
      leaving.abort();
    };
    end = () => {
      worker.terminate();
    };
  };
  const office = async (): Promise<void> => {
    try {
      await startHost();
    } catch (error) {
      onFailed(error instanceof Error ? error.message : String(error));
      return;
    }
    await left;
    await end?.();
  };
  navigator.locks.request(`troupe:${name}:office`, { signal: leaving.signal }, office).catch(() => undefined); // aborted while it waited
  return {
    restart() {
      if (end) void startHost();
    },
    async close() {
      leaving.abort();
      await end?.();
    },
  };
}

/** The name of a worker that hosts: two protocols never share one. */
export function workerName(name: string): string {
  return `troupe:${String(PROTOCOL)}:${name}`;
}
