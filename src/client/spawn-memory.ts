/** The memory of trusted workers, as far as the browser tells: one measurement for all of the page's. */
import { WEIGH_EVERY, workerBytes, type MemoryMeter } from "../core/agents/memory.ts";

type Told = (bytes: number) => void;

/** By what marks the worker's address. */
const watched = new Map<string, Told>();

const meter: MemoryMeter = performance as MemoryMeter;

let count = 0;

/** An address by which the worker's memory is found again: the same one, with a fragment that no other has. */
export function markURL(url: string): { readonly url: string; readonly mark: string } {
  const mark = `~${String(++count)}`;
  return { url: url + (url.includes("#") ? "" : "#") + mark, mark };
}

/** Tells the memory of the worker with that mark again and again, in bytes. */
export function watchMemory(mark: string, told: Told, signal: AbortSignal): void {
  const isFirst = watched.size === 0;
  watched.set(mark, told);
  signal.addEventListener("abort", () => watched.delete(mark));
  if (isFirst) void weighAll();
}

async function weighAll(): Promise<void> {
  while (watched.size > 0) {
    const measured = await meter.measureUserAgentSpecificMemory?.().catch(() => undefined);
    if (!measured) {
      watched.clear(); // it can't be told here after all
      return;
    }
    for (const [mark, told] of watched) told(workerBytes(measured, mark));
    await new Promise((resolve) => setTimeout(resolve, WEIGH_EVERY));
  }
}
