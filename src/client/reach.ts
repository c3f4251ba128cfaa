/** Finds or starts the host, in the first way that the platform has, and finds it again when it goes. */
import { RuntimeError } from "../core/errors.ts";
import type { Wire } from "../core/protocol.ts";
import { stand, type Election } from "./election.ts";
import type { Places } from "./places.ts";
import type { Mode } from "./runtime.ts";
import { createChannelWire, createPortWire, type WireEvents } from "./wires.ts";

export interface ReachOptions {
  readonly name: string;
  readonly version: string;
  readonly session: string;
  readonly places: Places;
  readonly modes: readonly Mode[];
  readonly onFrame: (frame: unknown) => void;
  /** A wire is there, or has a new host behind it: say hello. */
  readonly onWire: (wire: Wire) => void;
  readonly onFailed: (error: RuntimeError) => void;
}

export interface Reach {
  /** Look for the host again; `gone` says that it is known to be gone, not only late. */
  again(gone: boolean): void;
  close(): Promise<void>;
}

interface State {
  readonly options: ReachOptions;
  readonly modes: readonly Mode[];
  readonly failures: string[];
  /** The place in `modes` of the way that is tried. */
  at: number;
  wire: Wire | undefined;
  channel: Wire | undefined;
  election: Election | undefined;
  closed: boolean;
}

export function createReach(options: ReachOptions): Reach {
  const state: State = {
    options,
    modes: options.modes.filter((mode) => options.places[mode] !== undefined),
    failures: options.modes.filter((mode) => options.places[mode] === undefined).map((mode) => `${mode}: not here`),
    at: 0,
    wire: undefined,
    channel: undefined,
    election: undefined,
    closed: false,
  };
  start(state);
  return {
    again(gone) {
      if (state.closed) return;
      void state.election?.restart(gone);
      start(state);
    },
    async close() {
      state.closed = true;
      state.wire?.close();
      state.channel?.close();
      await state.election?.close();
    },
  };
}

function start(state: State): void {
  const mode = state.modes[state.at];
  if (mode === undefined) {
    state.options.onFailed(new RuntimeError("host/unavailable", { tried: state.failures }));
    return;
  }
  if (mode === "shared") {
    startShared(state);
    return;
  }
  const { places } = state.options;
  state.election ??= stand(state.options, mode, places, (reason) => {
    state.election = undefined;
    fallBack(state, mode, reason);
  });
  overChannel(state);
}

function startShared(state: State): void {
  const { name, places, onFrame, onWire } = state.options;
  const events: WireEvents = {
    onFrame,
    onHere() {
      state.channel?.close();
      state.channel = undefined;
      if (state.wire) onWire(state.wire);
    },
    onElsewhere() {
      overChannel(state);
    },
  };
  try {
    const worker = places.shared?.(name);
    if (!worker) throw new Error("there is no SharedWorker here");
    state.wire?.close();
    state.channel?.close(); // the port says whether it is needed
    state.channel = undefined;
    state.wire = createPortWire(worker, events, (reason) => {
      fallBack(state, "shared", reason);
    });
    onWire(state.wire);
  } catch (error) {
    fallBack(state, "shared", error instanceof Error ? error.message : String(error));
  }
}

function overChannel(state: State): void {
  const { name, session, onFrame, onWire } = state.options;
  state.channel ??= createChannelWire(name, session, {
    onFrame,
    onHere() {
      overChannel(state);
    },
    onElsewhere: () => undefined,
  });
  onWire(state.channel);
}

function fallBack(state: State, mode: Mode, reason: string): void {
  if (state.closed || state.modes[state.at] !== mode) return;
  state.failures.push(`${mode}: ${reason}`);
  state.at++;
  start(state);
}
