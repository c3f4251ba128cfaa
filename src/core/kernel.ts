/**
 * The kernel's words. A slice is a room of the core:
 *   `decide(view, command, env) → events`   records facts, the only one that may refuse;
 *   `apply(state, event)`                    folds a fact, the same when it happens and in recovery;
 *   `react(view, event) → commands`          what follows from a fact.
 * The fold (`apply` and its state) stands apart from the rules (`decide`, `react`): whoever reads a journal needs only
 * the fold.
 */
import type { Calendar } from "./ports.ts";

/** What `decide` may know of the world: one moment, one source of chance, one source of ids. */
export interface Env {
  /** Milliseconds since 1970; the same throughout one command. */
  readonly now: number;
  readonly random: () => number;
  readonly id: () => string;
  readonly calendar: Calendar;
}

/** A fact. Its `type` is `noun.participle`; `data` is plain JSON that carries all a reader needs. */
export interface Fact<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** A fact with the moment at which it was recorded. */
export interface Recorded<Type extends string = string, Data = unknown> extends Fact<Type, Data> {
  readonly at: number;
}

/** A request. Its `type` is `noun.verb`. */
export interface Request<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** The union of the facts of a map `{type: data}`. */
export type FactOf<Map> = { [K in keyof Map & string]: Fact<K, Map[K]> }[keyof Map & string];

/** The union of the recorded facts of a map `{type: data}`. */
export type RecordedOf<Map> = {
  [K in keyof Map & string]: Recorded<K, Map[K]>;
}[keyof Map & string];

/** The union of the requests of a map `{type: data}`. */
export type RequestOf<Map> = { [K in keyof Map & string]: Request<K, Map[K]> }[keyof Map & string];

/** A keyed collection of immutable records: `apply` replaces records and never edits one. */
export interface Table<T> {
  readonly size: number;
  get(key: string): T | undefined;
  has(key: string): boolean;
  set(key: string, record: T): void;
  delete(key: string): void;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[string, T]>;
}

/** Keys by due time: the host asks it for what is due. */
export interface DueIndex {
  set(key: string, at: number): void;
  delete(key: string): void;
}

/** Takes what is finished out of the live state, into the archive. */
export interface FinishedSink<T> {
  add(id: string, record: T, at: number): void;
}

/** What a state is made of. */
export interface Kit {
  table<T>(): Table<T>;
  /** `wake` is the type of the command that is submitted with a key, as its `id`, when that is due. */
  due(wake: string): DueIndex;
  finished<T>(kind: "task" | "execution"): FinishedSink<T>;
}

/** The fold of one slice. `Events` maps each event type that it listens to onto its data. */
export interface Fold<State, Events> {
  create(kit: Kit): State;
  readonly apply: {
    readonly [K in keyof Events]?: (state: State, data: Events[K], at: number) => void;
  };
  /** The state as JSON; `restore` of it into a fresh state gives an equal state. */
  save(state: State): unknown;
  restore(state: State, saved: unknown): void;
}

/** A refusal that is recorded: the cause is what the caller is told, the facts stay in the journal. */
export class RecordedRefusal extends Error {
  readonly facts: readonly Fact[];

  constructor(facts: readonly Fact[], cause: unknown) {
    super("refused", { cause });
    this.facts = facts;
  }
}

/** The rules of one slice. `decide` may throw a RuntimeError only for a command from outside. */
export interface Rules<View, Commands, Own, Heard = Own> {
  readonly decide: {
    readonly [K in keyof Commands]?: (view: View, data: Commands[K], env: Env) => readonly FactOf<Own>[];
  };
  readonly react?: {
    readonly [K in keyof Heard]?: (view: View, data: Heard[K]) => readonly Request[];
  };
}
