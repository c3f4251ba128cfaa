/**
 * Commands on their way. Each has a number of this session; it is kept until the host has answered it, and sent
 * again to every new host, which decides by the number what it has already decided. So a host that dies costs nothing.
 */
import { decodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { PageCommand } from "../core/protocol.ts";

export interface Outbox {
  /** Takes a command; `id` is the id that it makes or is about. */
  push(id: string, command: PageCommand): void;
  /** The host has decided all up to `mark`. */
  answered(mark: number, refused: readonly (readonly [number, ErrorData])[]): void;
  /** A new host knows all up to `mark`; the rest is sent again. */
  resend(mark: number, refused: readonly (readonly [number, ErrorData])[]): void;
  /** Resolves when the commands of the id (or all) are durable; rejects with the first refusal. */
  settled(id?: string): Promise<void>;
  /** Commands that the host hasn't answered. */
  readonly pending: number;
  /** Nothing will be answered any more. */
  fail(error: RuntimeError): void;
}

interface Entry {
  readonly number: number;
  readonly id: string;
  readonly command: PageCommand;
}

interface Waiter {
  readonly id: string | undefined;
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (error: RuntimeError) => void;
}

/** So many refusals are remembered for a later `settled(id)`. */
const REMEMBERED = 1_000;

export function createOutbox(
  send: (first: number, commands: readonly PageCommand[], acknowledged: number) => void,
  onRefused: (id: string, error: RuntimeError) => void,
): Outbox {
  let entries: Entry[] = [];
  let waiters: Waiter[] = [];
  const refusals = new Map<string, RuntimeError>();
  let last = 0;
  let sent = 0;
  let acknowledged = 0;
  let scheduled = false;
  let failure: RuntimeError | undefined;

  const flush = (): void => {
    scheduled = false;
    const due = entries.filter(({ number }) => number > sent);
    const [first] = due;
    if (!first) return;
    sent = last;
    send(
      first.number,
      due.map(({ command }) => command),
      acknowledged,
    );
  };
  const answered: Outbox["answered"] = (mark, refused) => {
    if (mark <= acknowledged) return;
    const reasons = new Map(refused);
    const done = entries.filter(({ number }) => number <= mark);
    entries = entries.slice(done.length);
    acknowledged = mark;
    for (const { number, id } of done) {
      const reason = reasons.get(number);
      if (!reason) continue;
      const error = decodeError(reason);
      refusals.set(id, error);
      const [oldest] = refusals.keys();
      if (refusals.size > REMEMBERED && oldest !== undefined) refusals.delete(oldest);
      onRefused(id, error);
    }
    const ready = waiters.filter(({ upTo }) => upTo <= mark);
    waiters = waiters.filter(({ upTo }) => upTo > mark);
    for (const { id, resolve, reject } of ready) {
      const error = id === undefined ? undefined : refusals.get(id);
      if (error) reject(error);
      else resolve();
    }
  };

  return {
    push(id, command) {
      if (failure) throw failure;
      refusals.delete(id);
      entries.push({ number: ++last, id, command });
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(flush);
    },
    answered,
    resend(mark, refused) {
      answered(mark, refused);
      sent = mark;
      flush();
    },
    settled(id) {
      const own = id === undefined ? entries : entries.filter((entry) => entry.id === id);
      const upTo = own.at(-1)?.number;
      if (upTo === undefined) {
        const error = id === undefined ? undefined : refusals.get(id);
        return error ? Promise.reject(error) : Promise.resolve();
      }
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        waiters.push({ id, upTo, resolve, reject });
      });
    },
    get pending() {
      return entries.length;
    },
    fail(error) {
      failure = error;
      for (const { reject } of waiters.splice(0)) reject(error);
    },
  };
}
