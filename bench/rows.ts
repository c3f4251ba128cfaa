/** Rows of what was measured outside of a page. */
import { percentile, tidy } from "./page/measure.ts";
import type { Place, Row } from "./row.ts";

export interface Measured {
  readonly figure: string;
  readonly unit: string;
  readonly better: Row["better"];
  /** Ours, by round. */
  readonly values: readonly number[];
  /** Others', by name and round. */
  readonly peers?: Readonly<Record<string, readonly number[]>>;
  readonly place?: Place;
}

export function rowOf({ figure, unit, better, values, peers = {}, place }: Measured): Row {
  const middle = (all: readonly number[]): number => tidy(percentile(all, 0.5));
  const spread = (all: readonly number[]): readonly [number, number] => [
    tidy(Math.min(...all)),
    tidy(Math.max(...all)),
  ];
  const ours = middle(values);
  const ratioTo = (others: readonly number[]): number =>
    middle(others.map((value, round) => (values[round] ?? NaN) / value));
  const entries = Object.entries(peers);
  const ratios = Object.fromEntries(entries.map(([name, others]) => [name, ratioTo(others)]));
  const all = Object.values(ratios);
  return {
    figure,
    unit,
    better,
    ours,
    bound: null,
    peers: Object.fromEntries(entries.map(([name, others]) => [name, middle(others)])),
    limits: {},
    ratioToBound: null,
    ratioToBestPeer: all.length === 0 ? null : better === "more" ? Math.min(...all) : Math.max(...all),
    ratios,
    rounds: values.length,
    ...(place && { place }),
    spread: { ours: spread(values), ...Object.fromEntries(entries.map(([name, others]) => [name, spread(others)])) },
  };
}
