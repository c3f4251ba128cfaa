/**
 * How much work the core does, as a number that no load of the machine changes: how often its blocks of code run, as
 * V8 counts them. Import it before the core: only what is compiled later is counted by blocks.
 */
import { Session, type Profiler } from "node:inspector";

const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/** Runs for every character of what is written, which is counted by its length. */
const BY_LENGTH = "digestOf";

/** The blocks that have run since the last call. What the runtime does itself (copies, JSON, sorting) isn't in it. */
export function takeWork(): number {
  let work = 0;
  session.post("Profiler.takePreciseCoverage", (error, { result }: Profiler.TakePreciseCoverageReturnType) => {
    if (error) throw error;
    for (const { url, functions } of result)
      if (url.includes("/src/core/"))
        for (const { functionName, ranges } of functions)
          if (functionName !== BY_LENGTH) for (const { count } of ranges) work += count;
  });
  return work;
}
