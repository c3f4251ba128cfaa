/** Profiles the host's SharedWorker and the page while a benchmark runs, over the browser's own DevTools protocol. */
import { attach, targetsOf } from "./devtools.ts";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** So many functions are shown. */
const SHOWN = 30;

/** Runs the work twice: once so that there is something to profile, then under the profiler. */
export async function profile<T>(folder: string, name: string, work: () => Promise<T>): Promise<T> {
  await work();
  const { send, close } = await attach(folder);
  const targets = await targetsOf(send);
  const sessions = await Promise.all(
    targets.map(async ({ targetId, type }) => {
      const attached = await send("Target.attachToTarget", { targetId, flatten: true });
      const { sessionId } = attached as { sessionId: string };
      await send("Profiler.enable", {}, sessionId);
      await send("Profiler.setSamplingInterval", { interval: 200 }, sessionId);
      await send("Profiler.start", {}, sessionId);
      return { type, sessionId };
    }),
  );
  const result = await work();
  console.log(`--- ${name}`);
  for (const { type, sessionId } of sessions) {
    const stopped = (await send("Profiler.stop", {}, sessionId)) as { profile: CpuProfile };
    show(type, stopped.profile);
  }
  close();
  return result;
}

function show(type: string, { nodes, samples, timeDeltas }: CpuProfile): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, number>();
  let busy = 0;
  let all = 0;
  for (const [at, id] of samples.entries()) {
    const frame = frames.get(id);
    const time = (timeDeltas[at] ?? 0) / 1_000;
    const { functionName = "", lineNumber = 0 } = frame ?? {};
    const key = functionName.startsWith("(") ? functionName : `${functionName}:${String(lineNumber + 1)}`;
    all += time;
    if (functionName !== "(idle)") busy += time;
    times.set(key, (times.get(key) ?? 0) + time);
  }
  if (busy < 20) return;
  console.log(`${type}: busy ${busy.toFixed(0)} of ${all.toFixed(0)} ms`);
  const top = [...times].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [key, time] of top)
    console.log(`  ${time.toFixed(0).padStart(6)} ms ${((100 * time) / busy).toFixed(1).padStart(5)} %  ${key}`);
}
