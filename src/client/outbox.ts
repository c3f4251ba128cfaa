/**
 * Commands on their way. Each has a number of this session; it is kept until the host has answered it, and sent
 * again to every new host, which decides by the number what it has already decided. So a host that dies costs nothing.
 */
import { decodeError, type ErrorData, type RuntimeError } from "../core/errors.ts";
import type { PageRequest } from "../core/protocol.ts";
import { unfit } from "./unfit.ts";

export interface Outbox {
  /**
   * Takes a command; `id` is the id that it makes or is about. With `later` what it resolves with is sent instead; until
   * then the command waits, and with it all that follow. When `later` rejects, the command is refused with that.
   */
  push(id: string, command: PageRequest, later?: Promise<PageRequest>): void;
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
  /** What goes to the host; undefined as long as it isn't known. */
  sent: PageRequest | undefined;
  error?: RuntimeError;
}

/** A command is durable, or was refused. */
export type OnAnswered = (entry: Entry, error: RuntimeError | undefined) => void;

interface Waiter {
  readonly id: string | undefined;
  readonly resolve: () => void;
  readonly reject: (error: RuntimeError) => void;
}

/** So many go in one frame. */
const MAX_SENT = 5_000;

/** So many refusals are remembered for a later `settled(id)`. */
const REMEMBERED = 1_000;

interface State {
  /** Unanswered, with consecutive numbers: the first follows `acknowledged`. */
  entries: Entry[];
  /** The number of the last unanswered command of an id. */
  readonly latest: Map<string, number>;
  /** Who waits for the answer to a number. */
  readonly waiters: Map<number, Waiter[]>;
  readonly refusals: Map<string, RuntimeError>;
  /** Numbers: of the last command made, the last one sent, and the last one answered. */
  last: number;
  sent: number;
  acknowledged: number;
  failure: RuntimeError | undefined;
}

type Send = (first: number, commands: readonly PageRequest[], acknowledged: number) => void;

export function createOutbox(send: Send, onAnswered: OnAnswered): Outbox {
  const state: State = {
    entries: [],
    latest: new Map(),
    waiters: new Map(),
    refusals: new Map(),
    last: 0,
    sent: 0,
    acknowledged: 0,
    failure: undefined,
  };
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    sendDue(state, takeDue(state), send);
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
  };
  const answered: Outbox["answered"] = (mark, refused) => {
    answer(state, mark, refused, onAnswered);
  };
  return {
    push(id, command, later) {
      if (state.failure) throw state.failure;
      state.refusals.delete(id);
      const entry: Entry = { number: ++state.last, id, command, sent: later ? undefined : command };
      state.entries.push(entry);
      state.latest.set(id, state.last);
      if (later) void complete(entry, later).then(schedule);
      else schedule();
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
      const all = [...state.waiters.values()].flat();
      state.waiters.clear();
      for (const { reject } of all) reject(error);
    },
  };
}

function sendDue({ sent, acknowledged }: State, due: readonly Entry[], send: Send): void {
  for (let at = 0; at < due.length; at += MAX_SENT) {
    const some = due.slice(at, at + MAX_SENT);
    const post = (): void => {
      send(sent - due.length + at + 1, some.map((entry) => entry.sent as PageRequest), acknowledged); // prettier-ignore
    };
    try {
      post();
    } catch {
      for (const entry of some)
        try {
          structuredClone(entry.sent);
        } catch (error) {
          giveUp(entry, error); // what a port can't carry must not hold up the others
        }
      post();
    }
  }
}

/** Those that haven't been sent, as far as they are known: the others are sent in their turn. */
function takeDue(state: State): Entry[] {
  const due: Entry[] = [];
  state.sent = Math.max(state.sent, state.acknowledged);
  for (let at = state.sent - state.acknowledged; at < state.entries.length; at++) {
    const entry = state.entries[at];
    if (!entry?.sent) break;
    due.push(entry);
  }
  state.sent += due.length;
  return due;
}

async function complete(entry: Entry, later: Promise<PageRequest>): Promise<void> {
  try {
    entry.sent = await later;
  } catch (error) {
    giveUp(entry, error);
  }
}

function giveUp(entry: Entry, error: unknown): void {
  entry.error = unfit(error);
  entry.sent = { type: "task.cancel", data: { id: "" } }; // every host refuses it: so its number is decided
}

/** Drops what is decided, remembers what was refused, and tells those who wait. */
function answer(
  state: State,
  mark: number,
  refused: readonly (readonly [number, ErrorData])[],
  onAnswered: OnAnswered,
): void {
  if (mark <= state.acknowledged) return;
  const reasons = new Map(refused);
  const done = state.entries.splice(0, mark - state.acknowledged);
  state.acknowledged = mark;
  const ready: (readonly [Waiter, RuntimeError | undefined])[] = [];
  for (const entry of done) {
    const { number, id } = entry;
    const reason = reasons.get(number);
    const error = entry.error ?? (reason && decodeError(reason));
    if (error) remember(state.refusals, id, error);
    if (state.latest.get(id) === number) state.latest.delete(id);
    for (const waiter of state.waiters.get(number) ?? [])
      ready.push([waiter, waiter.id === undefined ? undefined : state.refusals.get(waiter.id)]); // what comes later isn't its own
    state.waiters.delete(number);
    onAnswered(entry, error);
  }
  for (const [{ resolve, reject }, error] of ready)
    if (error) reject(error);
    else resolve();
}

function remember(refusals: Map<string, RuntimeError>, id: string, error: RuntimeError): void {
  refusals.set(id, error);
  const [oldest] = refusals.keys();
  if (refusals.size > REMEMBERED && oldest !== undefined) refusals.delete(oldest);
}

function settled({ latest, last, entries, waiters, refusals, failure }: State, id?: string): Promise<void> {
  const upTo = id === undefined ? last : latest.get(id);
  if (upTo === undefined || entries.length === 0) {
    const error = id === undefined ? undefined : refusals.get(id);
    return error ? Promise.reject(error) : Promise.resolve();
  }
  if (failure) return Promise.reject(failure);
  return new Promise((resolve, reject) => {
    const others = waiters.get(upTo) ?? [];
    waiters.set(upTo, [...others, { id, resolve, reject }]);
  });
}
