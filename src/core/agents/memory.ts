/**
 * What a browser tells of a page's memory: `performance.measureUserAgentSpecificMemory()`, which Chromium has in pages
 * that are isolated from other origins (Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy), and in frames
 * that such a page lets have it. It answers after the next garbage collection, which may take 20 s.
 */
export interface MemoryMeasurement {
  readonly breakdown: readonly {
    readonly bytes: number;
    readonly attribution: readonly { readonly url: string; readonly scope: string }[];
  }[];
}

/** A `performance` that may be able to measure. */
export interface MemoryMeter {
  measureUserAgentSpecificMemory?(): Promise<MemoryMeasurement>;
}

/** From an answer to the next question, in milliseconds. */
export const WEIGH_EVERY = 5_000;

/** What the workers take together whose script's address ends so, in bytes. */
export function workerBytes({ breakdown }: MemoryMeasurement, ending = ""): number {
  let sum = 0;
  for (const { bytes, attribution } of breakdown)
    if (attribution.some(({ url, scope }) => scope === "DedicatedWorkerGlobalScope" && url.endsWith(ending)))
      sum += bytes;
  return sum;
}
