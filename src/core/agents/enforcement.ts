/** Which of an agent's resource limits are kept, and why others aren't: no limit is ignored in silence. */
import type { Manifest } from "./manifest.ts";

export interface Enforcement {
  readonly state: "enforced" | "not enforceable here";
  readonly reason: string;
}

export type Enforcements = { readonly [K in keyof NonNullable<Manifest["resourceLimits"]>]?: Enforcement };

const REASONS = {
  maxMemoryMB: "no browser tells the memory of one worker in an isolated frame",
  maxCPUPercent: "no browser tells the processor time of one worker",
} as const;

/** For every limit that the manifest has. */
export function enforcementOf({ resourceLimits = {} }: Pick<Manifest, "resourceLimits">): Enforcements {
  const limits = Object.keys(resourceLimits) as (keyof typeof REASONS)[];
  return Object.fromEntries(limits.map((limit) => [limit, { state: "not enforceable here", reason: REASONS[limit] }]));
}
