/** Chance that a seed rules, and what a sample says of the whole. */

/** `count` of `all`, drawn without putting back, as they were drawn: whatever the first of them are is a sample too. */
export function draw<T extends object>(all: readonly T[], count: number, seed: number): readonly T[] {
  const random = mulberry32(seed);
  const places = all.map((_one, at) => at);
  const drawn = Math.min(count, all.length);
  for (let at = 0; at < drawn; at++) {
    const other = at + Math.floor(random() * (places.length - at));
    [places[at], places[other]] = [places[other] ?? 0, places[at] ?? 0];
  }
  return places.slice(0, drawn).flatMap((place) => all[place] ?? []);
}

/**
 * Wilson's interval at 95 % for a share of which `killed` of `tried` were seen, in percent. The sample is simple (every
 * mutant of the core is as likely), so that no weights are needed; that it was drawn without putting back only makes the
 * true interval narrower. A whole count has none.
 */
export function interval(killed: number, tried: number, whole: number): readonly [low: number, high: number] {
  const share = tried === 0 ? 0 : killed / tried;
  if (tried === whole) return [100 * share, 100 * share];
  if (tried === 0) return [0, 100];
  const z = 1.959964;
  const middle = (share + z ** 2 / (2 * tried)) / (1 + z ** 2 / tried);
  const reach = (z / (1 + z ** 2 / tried)) * Math.sqrt((share * (1 - share)) / tried + z ** 2 / (4 * tried ** 2));
  return [100 * (middle - reach), 100 * (middle + reach)];
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
