/** What the document of the system claims of itself, and at what scale; each is a figure of the suite `document`. */
import type { Figure } from "../page/measure.ts";

export interface Claim {
  /** As the document says it. */
  readonly says: string;
  readonly unit: string;
  readonly better: Figure["better"];
  readonly value: number;
  /** What is counted, and how many of it the document has: that is 1×. */
  readonly over: string;
  readonly scale: number;
}

export const CLAIMS = {
  assignment: { says: "< 10 ms", unit: "ms", better: "less", value: 10, over: "registered agents", scale: 100 },
  start: { says: "< 50 ms", unit: "ms", better: "less", value: 50, over: "nodes", scale: 200 },
  messages: {
    says: "~1000 messages/s",
    unit: "messages/s",
    better: "more",
    value: 1_000,
    over: "offered a second",
    scale: 1_000,
  },
  discovery: {
    says: "< 5 ms with 100+ agents",
    unit: "ms",
    better: "less",
    value: 5,
    over: "registered agents",
    scale: 100,
  },
  metrics: {
    says: "< 1 ms per task",
    unit: "ms",
    better: "less",
    value: 1,
    over: "metrics that are watched",
    scale: 1,
  },
  health: { says: "< 100 ms", unit: "ms", better: "less", value: 100, over: "registered agents", scale: 100 },
} as const satisfies Readonly<Record<string, Claim>>;

/** The most nodes that a definition has, so that there is no 100 × 200. */
const MOST_NODES = 10_000;

/** 1×, 10× and 100× of the document's scale; 100× is left out of a quick look. */
export function scalesOf(name: keyof typeof CLAIMS, quick: boolean): readonly number[] {
  const { scale } = CLAIMS[name];
  const all = [scale, 10 * scale, 100 * scale];
  return (quick ? all.slice(0, 2) : all).map((count) => (name === "start" ? Math.min(count, MOST_NODES) : count));
}

/** p50 and p99 of a claim that is about time. */
export function timesOf(name: keyof typeof CLAIMS, what: string, count: number): Figure[] {
  const { unit, better, value, over } = CLAIMS[name];
  return ["p50", "p99"].map((part) => ({
    figure: `${what}, ${count.toLocaleString("en")} ${over}, ${part}`,
    unit,
    better,
    claim: value,
    place: { line: `${what}, ${part}`, over, count },
  }));
}
