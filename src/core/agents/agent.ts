/** Agents that are registered, and the links to the workers that serve them now. */
import type { ErrorData } from "../errors.ts";
import type { Manifest } from "./manifest.ts";

/** What an agent has done: counted from the journal's events, and by nobody else. */
export interface AgentStatistics {
  /** Attempts that ended well. */
  readonly completed: number;
  /** Attempts that ended with an error of the agent: it threw, timed out, or its worker crashed. */
  readonly failed: number;
  /** Milliseconds from start to end, over all of these. */
  readonly time: number;
  /** When it last began or ended an attempt. */
  readonly lastActiveAt?: number | undefined;
}

/** An agent is known by its name and version: several versions of one stand side by side. */
export interface Agent extends Manifest {
  /** See {@link agentId}. */
  readonly id: string;
  /** When it was registered first. */
  readonly registeredAt: number;
  readonly statistics: AgentStatistics;
  /** It is being unregistered: it gets no new work, and is gone when it has ended what it runs. */
  readonly draining?: true | undefined;
  /** Somebody has taken it off: it gets no new work until it is put on again. */
  readonly offline?: true | undefined;
  /** Why its last worker didn't come up; cleared when one does. */
  readonly fault?: ErrorData | undefined;
}

/** The id of an agent, as `translator@1.2.0`. */
export function agentId({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

/** The most attempts that the agent may run at once, over all of its workers. */
export function capacityOf({ maxConcurrentTasks = Infinity, workers, slots }: Manifest): number {
  return Math.min(maxConcurrentTasks, workers * slots);
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
  /** Attempts that it was given, where these are bounded. */
  readonly given?: number | undefined;
  /** It hasn't answered for a while: it gets no new work until it does. */
  readonly silent?: true | undefined;
  /** It uses more of its processor than its agent may: it gets no new work until it uses less. */
  readonly strained?: true | undefined;
  /** Its memory has grown by what its agent may grow by: it is ended after what it runs. */
  readonly worn?: true | undefined;
}

/** An attempt that takes a slot of a link. */
export interface Holding {
  readonly id: string;
  readonly task: string;
  readonly attempt: number;
  readonly link: string;
  readonly since: number;
  /** The attempt is over; only its slot is still taken. */
  readonly over?: true | undefined;
}

/** All that serves one agent now, in sums. */
export interface Load {
  /** The agent's. */
  readonly id: string;
  readonly links: number;
  /** Slots of them that are taken. */
  readonly held: number;
  /** Links that don't answer. */
  readonly silent: number;
  /** Pages that can start workers for it. */
  readonly offers: number;
}

/** The agents that a page can start workers for. */
export interface Offer {
  /** The page's session. */
  readonly id: string;
  readonly agents: readonly string[];
}

/** What is kept of an agent that was unregistered, for when it comes back. */
export interface Former {
  readonly id: string;
  readonly registeredAt: number;
  readonly statistics: AgentStatistics;
}

/** The most agents that are remembered after they were unregistered; the oldest are forgotten. */
export const MAX_FORMER = 1_000;

/**
 * How an agent is unregistered. drain: it gets no new work, ends what it runs, and is gone then; requeue: what it runs
 * is interrupted, told to stop, and queued again; kill: the same, and its workers are ended at once.
 */
export const UNREGISTER_MODES = ["drain", "requeue", "kill"] as const;
export type UnregisterMode = (typeof UNREGISTER_MODES)[number];

/** Why a link ended: its worker crashed by itself, it was killed for a hung attempt, its page went, or it was closed. */
export type LeaveCause = "crashed" | "killed" | "page-gone" | "closed";

export interface AgentEvents {
  /** It is new, has changed, or is wanted again after it was to be unregistered. */
  "agent.registered": Manifest;
  /** It is to be unregistered when it has ended what it runs. */
  "agent.withdrawn": { readonly id: string };
  "agent.unregistered": {
    readonly id: string;
    /** What becomes of the attempts that it runs; drain: there are none. */
    readonly mode: UnregisterMode;
    /** One that was unregistered long ago, whose history is no longer kept. */
    readonly forgotten?: string | undefined;
  };
  /** Somebody has taken it off, or put it on again. */
  "agent.switched": { readonly id: string; readonly offline: boolean };
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
  /** It hasn't answered a ping for two intervals. */
  "link.silenced": { readonly link: string; readonly agent: string };
  /** It answers again. */
  "link.heard": { readonly link: string; readonly agent: string };
  /** It uses more of its processor than its agent may, or no longer. */
  "link.strained": { readonly link: string; readonly agent: string; readonly strained: boolean };
  /** Its memory has grown by what its agent may grow by. */
  "link.worn": { readonly link: string; readonly agent: string };
  /** A page can start workers for these agents, and no others. */
  "page.offered": { readonly session: string; readonly agents: readonly string[] };
  /** An attempt that was already over gave its slot back. */
  "slot.released": { readonly link: string; readonly task: string; readonly attempt: number };
}

export interface AgentCommands {
  "agent.register": Manifest & { readonly replace?: boolean | undefined };
  /** By id, or by name for all versions. */
  "agent.unregister": { readonly id: string; readonly mode?: UnregisterMode | undefined };
  "agent.switch": { readonly id: string; readonly offline: boolean };
  /** The agent that was withdrawn runs nothing any more. */
  "agent.retire": { readonly id: string };
  "agent.fault": { readonly id: string; readonly error: ErrorData };
  "link.join": { readonly link: string; readonly agent: string; readonly session: string };
  "link.leave": {
    readonly link: string;
    readonly cause: LeaveCause;
    readonly error?: ErrorData | undefined;
  };
  "link.silence": { readonly link: string };
  "link.hear": { readonly link: string };
  "link.strain": { readonly link: string; readonly strained: boolean };
  "link.wear": { readonly link: string };
  "page.offer": AgentEvents["page.offered"];
  "slot.release": AgentEvents["slot.released"];
}

export function holdingId(task: string, attempt: number): string {
  return `${task}#${String(attempt)}`;
}
