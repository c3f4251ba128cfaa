/** Whether this page's browser tells the memory of workers: Chromium does, to pages isolated from other origins. */
export function canWeigh(): boolean {
  return globalThis.crossOriginIsolated && "measureUserAgentSpecificMemory" in performance;
}
