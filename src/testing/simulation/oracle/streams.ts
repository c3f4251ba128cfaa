/** Rules of streams: items of one attempt in order and none left out, none of an older attempt after a newer one's. */
import type { Claim } from "./rule.ts";

export interface StreamedItem {
  readonly attempt: number;
  readonly offset: number;
  readonly value: unknown;
}

export interface StreamRules {
  /** An agent streams an item; call back what it gives when the host has taken the item. */
  sent(task: string, attempt: number, value: unknown): () => void;
  /** A reader that begins at the beginning. */
  reader(who: string, task: string): StreamReader;
}

export interface StreamReader {
  take(item: StreamedItem): void;
  /** The stream has ended; `isWhole` when the reader has been at one host all the time. */
  end(isWhole: boolean): void;
}

interface Sent {
  readonly items: string[];
  /** So many of the first ones have come to the host. */
  taken: number;
}

/** `hasEnded` says whether the journal knows the end of a task. */
export function createStreamRules(claim: Claim, hasEnded: (task: string) => boolean): StreamRules {
  /** By task, and by attempt. */
  const streams = new Map<string, Map<number, Sent>>();
  return {
    sent(task, attempt, value) {
      const ofTask = streams.get(task) ?? new Map<number, Sent>();
      streams.set(task, ofTask);
      const sent = ofTask.get(attempt) ?? { items: [], taken: 0 };
      ofTask.set(attempt, sent);
      const place = sent.items.push(JSON.stringify(value));
      return () => void (sent.taken = Math.max(sent.taken, place));
    },
    reader(who, task) {
      let last = { attempt: 0, offset: -1 };
      return {
        take({ attempt, offset, value }) {
          const about = (): string => `${who} reads item ${offset} of attempt ${attempt} of ${task}`;
          const after = (): string => `${about()} after item ${last.offset} of attempt ${last.attempt}`;
          claim(attempt >= last.attempt, "streams", after);
          claim(offset === (attempt === last.attempt ? last.offset + 1 : 0), "streams", after);
          const item = streams.get(task)?.get(attempt)?.items[offset];
          const text = JSON.stringify(value);
          claim(item === text, "streams", () => `${about()} as ${text}; its agent sent ${item ?? "nothing"}`);
          last = { attempt, offset };
        },
        end(isWhole) {
          claim(hasEnded(task), "streams", () => `the stream of ${task} ends for ${who}, and the task goes on`);
          if (!isWhole) return;
          for (const [attempt, { taken }] of streams.get(task) ?? []) {
            const read = attempt < last.attempt ? Infinity : attempt === last.attempt ? last.offset + 1 : 0;
            const text = (): string =>
              `the host took ${taken} items of attempt ${attempt} of ${task}, ${who} read ${read}`;
            claim(read >= taken, "streams", text);
          }
        },
      };
    },
  };
}
