/** From the first to be started to the last. */
export const PRIORITIES = ["critical", "high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a task gets that asks for nothing else. */
export const DEFAULTS = {
  priority: "medium",
  timeout: 60_000,
  retry: { maxAttempts: 3, base: 1_000, factor: 2, cap: 60_000, jitter: "full" },
} as const;
