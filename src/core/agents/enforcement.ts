/** Which of an agent's resource limits are kept, and why others aren't: no limit is ignored in silence. */
import type { Manifest } from "./manifest.ts";

export interface Enforcement {
  readonly state: "enforced" | "not enforceable here";
  readonly reason: string;
}

export type Enforcements = { readonly [K in keyof NonNullable<Manifest["resourceLimits"]>]?: Enforcement };

/** For every limit that the manifest has; `tellsMemory`: the place where its workers run can measure their memory. */
export function enforcementOf(
  { resourceLimits = {} }: Pick<Manifest, "resourceLimits">,
  tellsMemory: boolean,
): Enforcements {
  const memory: Enforcement = tellsMemory
    ? { state: "enforced", reason: "measured after garbage collections" }
    : { state: "not enforceable here", reason: "told only by Chromium, to pages isolated by COOP and COEP" };
  const processor: Enforcement = { state: "enforced", reason: "estimated from pings: slices under 10 ms aren't seen" };
  const limits = Object.keys(resourceLimits);
  return Object.fromEntries(limits.map((limit) => [limit, limit === "maxCPUPercent" ? processor : memory]));
}
