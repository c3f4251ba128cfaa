/** What a worker's memory means: too much ends it at once, growth ends it after what it runs. */
import type { Engine } from "../core/engine.ts";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";

/** A megabyte of the limits, in bytes. */
const MB = 1_048_576;

/** What is kept of a worker's weighings: the first one, in bytes. */
export interface Weighed {
  first?: number;
}

/** Why the worker is to be ended, if its memory is over its agent's bound. One that has grown is noted for replacement. */
export function weigh(
  { state, submit }: Pick<Engine, "state" | "submit">,
  link: string,
  weighed: Weighed,
  bytes: number,
): ErrorData | undefined {
  const { agents, links } = state.agents;
  const { maxMemoryMB, maxMemoryGrowthMB = Infinity } = agents.get(links.get(link)?.agent ?? "")?.resourceLimits ?? {};
  const { first } = weighed;
  weighed.first ??= bytes;
  if (maxMemoryMB !== undefined && bytes > maxMemoryMB * MB)
    return encodeError(
      new RuntimeError("agent/memory-exceeded", { megabytes: Math.round(bytes / MB), limit: maxMemoryMB }),
    );
  if (bytes - (first ?? bytes) > maxMemoryGrowthMB * MB) submit([{ type: "link.wear", data: { link } }]);
  return undefined;
}
