import { RuntimeError } from "./errors.ts";
import type { Fact } from "./kernel.ts";
import type { Batch, Clock, Journal, Snapshot } from "./ports.ts";
import { applyEvent, encodeEvents, saveState, type CoreEvent } from "./runtime.ts";
import type { Stage } from "./stage.ts";

/** Where a writer goes on. */
export interface Start {
  readonly databaseId: string;
  readonly epoch: number;
  readonly head: number;
  /** The number of the snapshot that recovery began with. */
  readonly restored: number;
}

/** What a writer needs of the engine's options. */
export interface WriterOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly onCommitted?: (batch: Batch, events: readonly CoreEvent[]) => void;
  readonly snapshotEvery?: number;
}

type Waiter = (stopped: RuntimeError | undefined) => void;

/** Gathers what was decided, and writes it batch by batch (E2, E3). */
export interface Writer {
  readonly writing: boolean;
  /** Last durable number, and last decided one. */
  readonly head: number;
  readonly decided: number;
  readonly record: (fact: Fact, at: number) => void;
  wait(then: Waiter): void;
  /** Writes what was gathered; resolves with whether more has come meanwhile. */
  flush(): Promise<boolean>;
  stop(error: RuntimeError): void;
}

export function createWriter(
  { journal, clock, onCommitted, snapshotEvery = 20_000 }: WriterOptions,
  { state, finished }: Stage,
  start: Start,
): Writer {
  let { head } = start;
  let snapshotAt = start.restored;
  let decided = head;
  let writing = false;
  let stopped = false;
  let events: CoreEvent[] = [];
  let waiters: Waiter[] = [];
  let inFlight: Waiter[] = [];

  const cut = (): Batch => {
    const from = head + 1;
    const archive = finished.splice(0);
    return { from, to: decided, at: clock(), text: encodeEvents(events), archive };
  };
  const write = async (): Promise<Snapshot | undefined> => {
    if (events.length === 0) return undefined;
    const batch = cut();
    const written = events;
    events = [];
    // All that was decided is in this batch, so the state is the one after its last event.
    const isDue = batch.to - snapshotAt >= snapshotEvery;
    const snapshot = isDue ? { seq: batch.to, text: saveState(state) } : undefined;
    await journal.append(head, batch);
    if (stopped) return undefined;
    head = batch.to;
    onCommitted?.(batch, written);
    return snapshot;
  };

  return {
    get writing() {
      return writing;
    },
    get head() {
      return head;
    },
    get decided() {
      return decided;
    },
    record(fact, at) {
      const event = { ...fact, at } as CoreEvent;
      applyEvent(state, event);
      events.push(event);
      decided++;
    },
    wait(then) {
      waiters.push(then);
    },
    async flush() {
      if (writing) return false;
      writing = true;
      inFlight = waiters;
      waiters = [];
      const snapshot = await write();
      if (stopped) return false;
      const done = inFlight;
      inFlight = [];
      tell(done, undefined);
      if (snapshot) {
        snapshotAt = snapshot.seq; // also when there was no space: the next one is tried after as many events
        await compact(journal, snapshot);
      }
      writing = false;
      return events.length > 0 || waiters.length > 0;
    },
    stop(error) {
      stopped = true;
      const all = [...inFlight, ...waiters];
      inFlight = [];
      waiters = [];
      tell(all, error);
    },
  };
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
