import { RuntimeError } from "./errors.ts";
import type { Fact } from "./kernel.ts";
import type { Batch, Clock, Journal, Snapshot } from "./ports.ts";
import { applyEvent, saveState, type CoreEvent } from "./runtime.ts";
import { encodeActs, noted, type Act, type Noted } from "./audit/act.ts";
import { encodeEvents } from "./events.ts";
import type { Stage } from "./stage.ts";

/** Where a writer goes on. */
export interface Start {
  readonly databaseId: string;
  readonly epoch: number;
  readonly head: number;
  /** When the last event was recorded. */
  readonly time: number;
  /** The snapshot that recovery began with: its number and the length of its text, or 0. */
  readonly restored: { readonly seq: number; readonly size: number };
}

/** What a writer needs of the engine's options. */
export interface WriterOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly onCommitted?: (batch: Batch, events: readonly CoreEvent[]) => void;
  readonly snapshotEvery?: number | undefined;
  readonly audited?: boolean;
}

/** Commands that made no event make no batch: of more than so many only the first are told, and how many more there were. */
const MAX_ACTS = 10_000;

type Waiter = (stopped: RuntimeError | undefined) => void;

/** Gathers what was decided, and writes it batch by batch (E2, E3). */
export interface Writer {
  readonly writing: boolean;
  /** Last durable number, and last decided one. */
  readonly head: number;
  readonly decided: number;
  readonly record: (fact: Fact, now: number) => void;
  /** Keeps what is known of a command that was decided after the number `before`, for the next batch. */
  note(act: Act, before: number): void;
  wait(then: Waiter): void;
  /** Writes what was gathered; resolves with whether more has come meanwhile. */
  flush(): Promise<boolean>;
  stop(error: RuntimeError): void;
}

interface State {
  readonly options: WriterOptions;
  readonly stage: Stage;
  /** Last durable number, and last decided one. */
  head: number;
  decided: number;
  /** When the last event was recorded. */
  time: number;
  /** The number of the latest snapshot and its size, and what was written since. */
  snapshotAt: number;
  snapshotSize: number;
  writtenSince: number;
  writing: boolean;
  stopped: boolean;
  /** Decided and not yet cut into a batch. */
  events: CoreEvent[];
  acts: Noted[];
  omitted: number;
  waiters: Waiter[];
  /** They wait for the batch that is being written. */
  inFlight: Waiter[];
}

export function createWriter(options: WriterOptions, stage: Stage, start: Start): Writer {
  const state: State = {
    options,
    stage,
    head: start.head,
    decided: start.head,
    time: start.time,
    snapshotAt: start.restored.seq,
    snapshotSize: start.restored.size,
    writtenSince: 0,
    writing: false,
    stopped: false,
    events: [],
    acts: [],
    omitted: 0,
    waiters: [],
    inFlight: [],
  };
  return {
    get writing() {
      return state.writing;
    },
    get head() {
      return state.head;
    },
    get decided() {
      return state.decided;
    },
    record(fact, now) {
      state.time = Math.max(state.time, now); // a clock that was set back doesn't reorder facts
      const event = { ...fact, at: state.time } as CoreEvent;
      applyEvent(stage.state, event);
      state.events.push(event);
      state.decided++;
    },
    note(act, before) {
      const count = state.decided - before;
      const isIdle = count === 0 && !act.refused && act.by === "host"; // nobody asked, and nothing was to be done
      if (!options.audited || isIdle) return;
      if (count === 0 && state.acts.length >= MAX_ACTS) state.omitted++;
      else state.acts.push(noted(act, state.events.length - count, count));
    },
    wait(then) {
      state.waiters.push(then);
    },
    flush: () => flush(state),
    stop(error) {
      state.stopped = true;
      const all = [...state.inFlight, ...state.waiters];
      state.inFlight = [];
      state.waiters = [];
      tell(all, error);
    },
  };
}

async function flush(state: State): Promise<boolean> {
  if (state.writing) return false;
  state.writing = true;
  state.inFlight = state.waiters;
  state.waiters = [];
  const snapshot = await write(state);
  if (isStopped(state)) return false;
  const done = state.inFlight;
  state.inFlight = [];
  tell(done, undefined);
  if (snapshot) {
    state.snapshotAt = snapshot.seq; // also when there was no space: the next one is tried after as many events
    state.snapshotSize = snapshot.text.length;
    state.writtenSince = 0;
    await compact(state.options.journal, snapshot);
  }
  state.writing = false;
  return state.events.length > 0 || state.waiters.length > 0;
}

/** Writes what was gathered as one batch. Gives back the snapshot that is due with it, if one is. */
async function write(state: State): Promise<Snapshot | undefined> {
  const { options, stage, events } = state;
  if (events.length === 0) return undefined;
  const batch: Batch = {
    from: state.head + 1,
    to: state.decided,
    at: options.clock(),
    text: encodeEvents(events),
    archive: stage.finished.splice(0),
    ...(options.audited && { acts: encodeActs(state.acts, events, state.head + 1, state.omitted) }),
  };
  state.events = [];
  state.acts = [];
  state.omitted = 0;
  stage.picture.cut(batch.to);
  state.writtenSince += batch.text.length;
  // Not before as much was written as the last one weighed: so snapshots of a large state cost no more than the events.
  const isLarge = state.writtenSince < state.snapshotSize;
  const isDue = !isLarge && batch.to - state.snapshotAt >= (options.snapshotEvery ?? 20_000);
  // All that was decided is in this batch, so the state is the one after its last event.
  const snapshot = isDue ? { seq: batch.to, text: saveState(stage.state, state.time) } : undefined;
  await options.journal.append(state.head, batch);
  if (isStopped(state)) return undefined;
  state.head = batch.to;
  options.onCommitted?.(batch, events);
  return snapshot;
}

/** Asked anew after an await: somebody may have stopped it meanwhile. */
function isStopped({ stopped }: State): boolean {
  return stopped;
}

/** Tells everybody, also when one of them throws; then throws that. */
function tell(waiters: readonly Waiter[], stopped: RuntimeError | undefined): void {
  const broken: unknown[] = [];
  for (const then of waiters)
    try {
      then(stopped);
    } catch (error) {
      broken.push(error);
    }
  if (broken.length > 0) throw broken[0];
}

/** Keeps a snapshot. Without space for it the journal only stays longer. */
async function compact(journal: Journal, snapshot: Snapshot): Promise<void> {
  try {
    await journal.compact(snapshot);
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === "journal/quota")) throw error;
  }
}
