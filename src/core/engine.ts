/**
 * The engine: commands in, events out, one await.
 *
 * E1  Commands never interleave: a command, what follows from it, and the assignments it allows are one step.
 * E2  Nothing leaves before the journal has it: no reply, no event, and no refusal either.
 * E3  Appends go one at a time, in order.
 * E4  A failed append stops the engine; recovery is replay.
 * E5  Two hosts can't both append: the journal compares head and epoch.
 * E6  `apply` reads its slice and the event only, and keeps no alias into the event.
 * E7  The same commands, clock, ids and random give the same bytes, on every runtime.
 */
import { RuntimeError, type ErrorData } from "./errors.ts";
import type { Request } from "./kernel.ts";
import type { EncodedPart } from "./picture.ts";
import type { Batch, Calendar, Clock, Journal, Random, Snapshot } from "./ports.ts";
import { applyEvent, restoreState, saveState, type CoreCommand, type CoreEvent, type CoreState } from "./runtime.ts";
import { decodeEvents } from "./events.ts";
import { createScheduler, type Scheduler } from "./scheduling/scheduler.ts";
import { watchStalls } from "./scheduling/stalls.ts";
import { createStage, type Stage } from "./stage.ts";
import { createTurn } from "./turn.ts";
import { createWriter, type Start, type Writer } from "./writer.ts";

/** For each refused command its place among those submitted, and why. */
export type Refusals = readonly (readonly [place: number, error: ErrorData])[];

export interface EngineOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: () => string;
  /** Without one, schedules and timers with a date are refused. */
  readonly calendar?: Calendar | undefined;
  /** Runs `flush` soon; `busy` says that a commit has just ended, so that waiting a tick gathers more. */
  readonly defer: (flush: () => void, busy: boolean) => void;
  /** Called after each append with what is durable now, before those who wait for it. */
  readonly onCommitted?: (batch: Batch, events: readonly CoreEvent[]) => void;
  /** Called once, when the engine stops by itself. */
  readonly onStopped?: (error: RuntimeError) => void;
  /** Events between two snapshots, at least; and as much text as the last one has. Default 20,000. */
  readonly snapshotEvery?: number | undefined;
  /** Batches say who has asked for what. Default false. */
  readonly audited?: boolean;
}

/** The engine of one host. */
export interface Engine {
  readonly databaseId: string;
  readonly epoch: number;
  /** Sequence number of the last durable event. */
  readonly head: number;
  /** The state after all that was decided, durable or not: for deciding, never for showing. */
  readonly state: CoreState;
  readonly scheduler: Scheduler;
  /**
   * Decides commands one after the other. The refusals are for {@link Engine.whenDurable}: they must not leave
   * earlier (E2). The audit log tells `by` whom; default the host. @throws RuntimeError `host/stopped`
   */
  submit(commands: readonly CoreCommand[], by?: string): Refusals;
  /** Tells the audit log, with the next batch, of what was refused before it became a command. */
  refuse(by: string, command: Request, refused: ErrorData): void;
  /** Calls `then` when all that was decided so far is durable, with undefined, or with the error that stopped the engine. */
  whenDurable(then: (stopped: RuntimeError | undefined) => void): void;
  /** When `wake` is next needed, or undefined. */
  nextDue(): number | undefined;
  /** Decides all that is due by now. */
  wake(): void;
  /** All that was decided, as JSON, with its last number. */
  capture(): Snapshot;
  /** The same as pages are shown it, once that number is durable; from now on {@link Engine.changes} follow. */
  show(): Snapshot;
  /** How the picture changed up to a number. */
  changes(to: number): readonly EncodedPart[];
  /** Nobody looks any more. */
  hide(): void;
  stop(error?: RuntimeError): void;
}

/**
 * Opens the journal and recovers: snapshot, tail, and one command, `host.start`.
 * @throws what the journal throws; `journal/corrupt` when the tail doesn't reach the head.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { journal } = options;
  const opening = await journal.open();
  const stage = createStage();
  let head = 0;
  let time = 0;
  const { snapshot } = opening;
  if (snapshot) {
    head = snapshot.seq;
    readable(head, () => {
      time = restoreState(stage.state, snapshot.text);
    });
  }
  const restored = { seq: head, size: snapshot?.text.length ?? 0 };
  for await (const { from, to, text } of journal.read(head)) {
    readable(from, () => {
      for (const event of decodeEvents(text)) {
        applyEvent(stage.state, event);
        time = event.at;
        if (!(time >= 0)) throw new RangeError("an event without a time");
      }
    });
    head = to;
  }
  if (head !== opening.head) throw new RuntimeError("journal/corrupt", { reached: head, head: opening.head });
  stage.finished.length = 0; // the journal has archived them already
  const engine = readable(head, () => createEngine(options, stage, { ...opening, head, time, restored }));
  engine.submit([{ type: "host.start", data: { epoch: opening.epoch } }]);
  return engine;
}

/** Reads what the journal has from the event `seq` on: what nobody wrote so is told by a code, whatever it breaks. */
function readable<T>(seq: number, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    throw new RuntimeError("journal/corrupt", { seq, reason: reasonOf(cause) }, { cause });
  }
}

interface State {
  readonly options: EngineOptions;
  readonly stage: Stage;
  readonly turn: ReturnType<typeof createTurn>;
  readonly writer: Writer;
  readonly scheduler: Scheduler;
  stopped: RuntimeError | undefined;
  /** A flush is on its way. */
  scheduled: boolean;
}

function createEngine(options: EngineOptions, stage: Stage, start: Start): Engine {
  const scheduler = watchStalls(stage.state, createScheduler(stage.state));
  const writer = createWriter(options, stage, start);
  const turn = createTurn(stage.state, scheduler);
  const state: State = { options, stage, turn, writer, scheduler, stopped: undefined, scheduled: false };
  return {
    databaseId: start.databaseId,
    epoch: start.epoch,
    get head() {
      return writer.head;
    },
    state: stage.state,
    scheduler,
    submit: (commands, by) => submit(state, commands, by),
    refuse(by, command, refused) {
      writer.note({ by, command, at: options.clock(), refused }, writer.decided);
    },
    whenDurable(then) {
      if (state.stopped) then(state.stopped);
      else {
        writer.wait(then);
        schedule(state, false);
      }
    },
    nextDue: () => nextDue(stage, scheduler),
    wake() {
      wake(state);
    },
    capture: () => ({ seq: writer.decided, text: saveState(stage.state) }),
    show: () => ({ seq: writer.decided, text: stage.picture.begin(writer.decided) }),
    changes: stage.picture.take,
    hide: stage.picture.end,
    stop(error = new RuntimeError("host/closed")) {
      stop(state, error);
    },
  };
}

/** Decides commands, each at its own moment unless one is given for all. */
function submit(state: State, commands: readonly CoreCommand[], by = "host", moment?: number): Refusals {
  if (state.stopped) throw state.stopped;
  const { clock, random, ids, calendar = noCalendar } = state.options;
  const refusals: [number, ErrorData][] = [];
  for (const [place, command] of commands.entries()) {
    try {
      const env = { now: moment ?? clock(), random, id: ids, calendar };
      const before = state.writer.decided;
      const refusal = state.turn(command, env, state.writer.record);
      state.writer.note({ by, command, at: env.now, refused: refusal }, before);
      if (refusal) refusals.push([place, refusal]);
    } catch (cause) {
      throw fail(state, cause); // a rule broke in the middle of a step: nothing of it may be written
    }
  }
  schedule(state, false);
  return refusals;
}

const refuse = (): never => {
  throw new RuntimeError("schedule/invalid", { reason: "this host has no calendar" });
};
const noCalendar: Calendar = { next: refuse, last: refuse, moment: refuse };

function schedule(state: State, busy: boolean): void {
  const { writer, options } = state;
  if (state.scheduled || writer.writing || state.stopped) return;
  state.scheduled = true;
  const onFailed = (cause: unknown): void => {
    fail(state, cause); // E4
  };
  options.defer(() => {
    state.scheduled = false;
    if (state.stopped) return;
    writer.flush().then((more) => {
      if (more) schedule(state, true);
    }, onFailed);
  }, busy);
}

function stop(state: State, error: RuntimeError): void {
  if (state.stopped) return;
  state.stopped = error;
  state.writer.stop(error);
}

/** Stops for a fault; gives back the error that everybody gets from now on. */
function fail(state: State, cause: unknown): RuntimeError {
  if (state.stopped) return state.stopped;
  const error = new RuntimeError("host/stopped", { reason: reasonOf(cause) }, { cause });
  try {
    stop(state, error);
  } finally {
    state.options.onStopped?.(error); // also when one of those who wait breaks
  }
  return error;
}

function nextDue({ due }: Stage, scheduler: Scheduler): number | undefined {
  const times = [...due.values(), { next: scheduler.nextDue }].flatMap((queue) => queue.next() ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function wake(state: State): void {
  const now = state.options.clock(); // one moment: what was taken as due must be due when it is decided on
  for (const [type, queue] of state.stage.due)
    for (const id of queue.take(now)) submit(state, [{ type, data: { id } } as CoreCommand], "host", now);
  if ((state.scheduler.nextDue() ?? Infinity) <= now)
    submit(state, [{ type: "limit.wake", data: { id: "" } }], "host", now);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
