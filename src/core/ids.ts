/** Ids that sort by the time of their making: 10 characters of time and 12 of chance, in Crockford's base 32. */
import type { Clock, Random } from "./ports.ts";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Makes ids of 22 characters. Two makers collide with a chance of 2⁻⁶⁰ within one millisecond; one maker's ids
 * grow strictly, because its last digits count on when the millisecond is the same.
 */
export function createIds(clock: Clock, random: Random): () => string {
  let last = 0;
  let tail: number[] = [];
  return () => {
    const now = Math.max(clock(), last);
    if (now === last && tail.length > 0) increment(tail);
    else tail = Array.from({ length: 12 }, () => Math.floor(random() * 32));
    last = now;
    return timeDigits(now) + tail.map((digit) => DIGITS[digit]).join("");
  };
}

function timeDigits(now: number): string {
  let rest = Math.floor(now);
  let text = "";
  for (let at = 0; at < 10; at++) {
    text = (DIGITS[rest % 32] ?? "0") + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function increment(tail: number[]): void {
  for (let at = tail.length - 1; at >= 0; at--) {
    const digit = (tail[at] ?? 0) + 1;
    tail[at] = digit % 32;
    if (digit < 32) return;
  }
}
