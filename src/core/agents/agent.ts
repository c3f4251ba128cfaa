/** Agents that are registered, and the links to the workers that serve them now. */
import * as v from "valibot";
import { AgentDescriptionSchema } from "../plugin.ts";
import type { ErrorData } from "../errors.ts";

const count = (max: number): v.GenericSchema<number> => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));

/** An agent's manifest: what its code says of itself, and what the registering page grants it. */
export const ManifestSchema = v.strictObject({
  ...AgentDescriptionSchema.entries,
  url: v.pipe(v.string(), v.maxLength(4_096)),
  /** SHA-256 of the code, as `sha256-` and base 64. Other bytes are refused. */
  integrity: v.optional(v.pipe(v.string(), v.regex(/^sha256-[A-Za-z0-9+/]{43}=$/u))),
  /** True: a plain worker of the page's own origin, which can reach all that the page can. Default: an isolated cell. */
  trusted: v.optional(v.boolean(), false),
  /** Hosts that an isolated agent may connect to, as `https://host[:port]`. Default none; never the own origin. */
  network: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.regex(/^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/u))), v.maxLength(32)),
    [],
  ),
  /** The most workers that serve it at once. Default 1. */
  workers: v.optional(count(64), 1),
  /** Attempts that one worker runs at once. Default 1. */
  slots: v.optional(count(10_000), 1),
});
export type Manifest = v.InferOutput<typeof ManifestSchema>;

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
