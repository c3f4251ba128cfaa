/** A growing set of small numbers that finds its next member quickly: a word of 32 members, and a summary bit per word. */
export interface Bitset {
  readonly size: number;
  has(member: number): boolean;
  add(member: number): void;
  delete(member: number): void;
  /** The first member that is `from` or greater, else the first of all; -1 when there is none. */
  next(from: number): number;
}

export function createBitset(): Bitset {
  let words = new Uint32Array(2);
  let summary = new Uint32Array(1);
  let size = 0;

  const grow = (word: number): void => {
    let length = words.length;
    while (length <= word) length *= 2;
    if (length === words.length) return;
    const wider = new Uint32Array(length);
    wider.set(words);
    words = wider;
    const wideSummary = new Uint32Array((length + 31) >> 5);
    wideSummary.set(summary);
    summary = wideSummary;
  };
  const has = (member: number): boolean => (((words[member >> 5] ?? 0) >>> (member & 31)) & 1) === 1;
  /** The first member that is `from` or greater, or -1. */
  const seek = (from: number): number => {
    const start = from >> 5;
    const rest = (words[start] ?? 0) & (-1 << (from & 31));
    if (rest !== 0) return start * 32 + lowest(rest);
    let group = (start + 1) >> 5;
    let bits = (summary[group] ?? 0) & (-1 << ((start + 1) & 31));
    while (bits === 0 && ++group < summary.length) bits = summary[group] ?? 0;
    if (bits === 0) return -1;
    const word = group * 32 + lowest(bits);
    return word * 32 + lowest(words[word] ?? 0);
  };

  return {
    get size() {
      return size;
    },
    has,
    add(member) {
      if (has(member)) return;
      const word = member >> 5;
      grow(word);
      words[word] = (words[word] ?? 0) | (1 << (member & 31));
      summary[word >> 5] = (summary[word >> 5] ?? 0) | (1 << (word & 31));
      size++;
    },
    delete(member) {
      if (!has(member)) return;
      const word = member >> 5;
      const left = (words[word] ?? 0) & ~(1 << (member & 31));
      words[word] = left;
      if (left === 0) summary[word >> 5] = (summary[word >> 5] ?? 0) & ~(1 << (word & 31));
      size--;
    },
    next(from) {
      if (size === 0) return -1;
      const found = seek(from);
      return found === -1 && from > 0 ? seek(0) : found;
    },
  };
}

function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
