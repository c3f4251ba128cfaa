/** What an agent has done so far: counted from the journal's events, and by nobody else. */
import type { Agent, AgentStatistics } from "./agent.ts";

export const NO_STATISTICS: AgentStatistics = { completed: 0, failed: 0, time: 0, lastActiveAt: undefined };

/** What an agent that nothing is known of is taken for, as if it had been seen in so many attempts. */
export const PRIOR = { successRate: 1, weight: 10 } as const;

/**
 * The part of attempts that end well, from 0 to 1. The prior counts like `weight` attempts that were seen before, so
 * that one early failure doesn't condemn an agent, nor one success praise it.
 */
export function successRate({ statistics: { completed, failed }, prior }: Agent): number {
  const { successRate: expected = PRIOR.successRate, weight = PRIOR.weight } = prior ?? {};
  const seen = weight + completed + failed;
  return seen === 0 ? PRIOR.successRate : (expected * weight + completed) / seen;
}

/** The success rate in whole percents, rounded down: what matching goes by, so that it seldom changes. */
export function successPercent(agent: Agent): number {
  return Math.floor(successRate(agent) * 100 + 1e-9);
}

/** Mean milliseconds from start to end, with the prior's part; undefined when nothing is known. */
export function averageResponseTime({ statistics: { completed, failed, time }, prior }: Agent): number | undefined {
  const expected = prior?.averageResponseTime;
  const weight = expected === undefined ? 0 : (prior?.weight ?? PRIOR.weight);
  const seen = weight + completed + failed;
  return seen === 0 ? undefined : ((expected ?? 0) * weight + time) / seen;
}
