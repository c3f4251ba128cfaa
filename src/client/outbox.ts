/**
 * Commands on their way. Each has a number of this session; it is kept until the host has answered it, and sent
 * again to every new host, which decides by the number what it has already decided. So a host that dies costs nothing.
 */
import { decodeError, type ErrorData, type RuntimeError } from "../core/errors.ts";
import type { PageRequest } from "../core/protocol.ts";

export interface Outbox {
  /** Takes a command; `id` is the id that it makes or is about. */
  push(id: string, command: PageRequest): void;
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
  readonly command: PageRequest;
}

interface Waiter {
  readonly id: string | undefined;
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (error: RuntimeError) => void;
}

/** So many refusals are remembered for a later `settled(id)`. */
const REMEMBERED = 1_000;

interface State {
  entries: Entry[];
  waiters: Waiter[];
  readonly refusals: Map<string, RuntimeError>;
  /** Numbers: of the last command made, the last one sent, and the last one answered. */
  last: number;
  sent: number;
  acknowledged: number;
  failure: RuntimeError | undefined;
}

export function createOutbox(
  send: (first: number, commands: readonly PageRequest[], acknowledged: number) => void,
  onRefused: (id: string, error: RuntimeError) => void,
): Outbox {
  const state: State = {
    entries: [],
    waiters: [],
    refusals: new Map(),
    last: 0,
    sent: 0,
    acknowledged: 0,
    failure: undefined,
  };
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    const due = state.entries.filter(({ number }) => number > state.sent);
    const [first] = due;
    if (!first) return;
    state.sent = state.last;
    const commands = due.map(({ command }) => command);
    send(first.number, commands, state.acknowledged);
  };
  const answered: Outbox["answered"] = (mark, refused) => {
    answer(state, mark, refused, onRefused);
  };
  return {
    push(id, command) {
      if (state.failure) throw state.failure;
      state.refusals.delete(id);
      state.entries.push({ number: ++state.last, id, command });
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(flush);
    },
    answered,
    resend(mark, refused) {
      answered(mark, refused);
      state.sent = mark;
      flush();
    },
    settled: (id) => settled(state, id),
    get pending() {
      return state.entries.length;
    },
    fail(error) {
      state.failure = error;
      for (const { reject } of state.waiters.splice(0)) reject(error);
    },
  };
}

/** Drops what is decided, remembers what was refused, and tells those who wait. */
function answer(
  state: State,
  mark: number,
  refused: readonly (readonly [number, ErrorData])[],
  onRefused: (id: string, error: RuntimeError) => void,
): void {
  if (mark <= state.acknowledged) return;
  const reasons = new Map(refused);
  const done = state.entries.filter(({ number }) => number <= mark);
  state.entries = state.entries.slice(done.length);
  state.acknowledged = mark;
  for (const { number, id } of done) {
    const reason = reasons.get(number);
    if (!reason) continue;
    const error = decodeError(reason);
    remember(state.refusals, id, error);
    onRefused(id, error);
  }
  const ready = state.waiters.filter(({ upTo }) => upTo <= mark);
  state.waiters = state.waiters.filter(({ upTo }) => upTo > mark);
  for (const { id, resolve, reject } of ready) {
    const error = id === undefined ? undefined : state.refusals.get(id);
    if (error) reject(error);
    else resolve();
  }
}

function remember(refusals: Map<string, RuntimeError>, id: string, error: RuntimeError): void {
  refusals.set(id, error);
  const [oldest] = refusals.keys();
  if (refusals.size > REMEMBERED && oldest !== undefined) refusals.delete(oldest);
}

function settled({ entries, waiters, refusals, failure }: State, id?: string): Promise<void> {
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
}
