/** Agents that are registered, and the links to the workers that serve them now. */
import type { ErrorData } from "../errors.ts";
import type { Manifest } from "./manifest.ts";

/** An agent is known by its name. */
export interface Agent extends Manifest {
  readonly id: string;
  readonly registeredAt: number;
  /** Why its last worker didn't come up; cleared when one does. */
  readonly fault?: ErrorData | undefined;
}

/** One worker that serves an agent now. */
export interface Link {
  readonly id: string;
  readonly agent: string;
  /** The page that hosts it. */
  readonly session: string;
  readonly slots: number;
  /** Slots that are taken. */
  readonly held: number;
  readonly joinedAt: number;
}

/** An attempt that takes a slot of a link. */
export interface Holding {
  readonly id: string;
  readonly task: string;
  readonly attempt: number;
  readonly link: string;
}

/** Why a link ended: its worker crashed by itself, it was killed for a hung attempt, its page went, or it was closed. */
export type LeaveCause = "crashed" | "killed" | "page-gone" | "closed";

export interface AgentEvents {
  "agent.registered": Manifest;
  "agent.unregistered": { readonly id: string };
  "agent.faulted": { readonly id: string; readonly error: ErrorData };
  "link.joined": {
    readonly link: string;
    readonly agent: string;
    readonly session: string;
    readonly slots: number;
  };
  "link.left": {
    readonly link: string;
    readonly agent: string;
    readonly cause: LeaveCause;
    readonly error?: ErrorData | undefined;
    readonly holdings: readonly (readonly [task: string, attempt: number])[];
  };
  /** An attempt that was already over gave its slot back. */
  "slot.released": { readonly link: string; readonly task: string; readonly attempt: number };
}

export interface AgentCommands {
  "agent.register": Manifest;
  "agent.unregister": { readonly id: string };
  "agent.fault": { readonly id: string; readonly error: ErrorData };
  "link.join": { readonly link: string; readonly agent: string; readonly session: string };
  "link.leave": {
    readonly link: string;
    readonly cause: LeaveCause;
    readonly error?: ErrorData | undefined;
  };
  "slot.release": AgentEvents["slot.released"];
}

export function holdingId(task: string, attempt: number): string {
  return `${task}#${String(attempt)}`;
}
