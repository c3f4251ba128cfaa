/** What every door has in common: it is opened for an episode, gets inputs one after the other, and must hold. */
import { inspect } from "node:util";
import type { Tape } from "./tape.ts";

/** Something that must not be. `kind` is the same for the same fault, whatever the input. */
export class Finding extends Error {
  override readonly name = "Finding";
  readonly kind: string;

  constructor(kind: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Where a door tells what it is doing. */
export interface Look {
  /** An input, just before it is given. */
  input(value: unknown): void;
  /** What came of it: `taken`, or the code of the refusal. */
  outcome(code: string): void;
}

export interface Episode {
  /** Draws one input and gives it. */
  turn(): void | Promise<void>;
  /** What has to hold in the end. */
  close?(): void | Promise<void>;
  /** Lets go of what it holds, whatever has happened. */
  drop?(): void | Promise<void>;
}

export interface Door {
  readonly name: string;
  /** Inputs of an episode on average. */
  readonly length: number;
  open(tape: Tape, look: Look): Episode | Promise<Episode>;
}

/** So long may an input take, in milliseconds of the processor: what others do on the machine counts for nothing. */
export const PATIENCE = 1_000;

/** The latest inputs that a finding is shown with. */
const SHOWN = 6;

export interface Watched extends Look {
  readonly inputs: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** The latest inputs, as people read them. */
  shown(): string[];
  /** The longest that an input of this episode took, in milliseconds. */
  readonly slowest: number;
  begin(): void;
  end(): void;
}

/** Counts, times, and looks at the prototypes. */
export function createLook(): Watched {
  const outcomes = new Map<string, number>();
  let latest: unknown[] = [];
  let inputs = 0;
  let slowest = 0;
  let started = 0;
  const stop = (): void => {
    if (started > 0) slowest = Math.max(slowest, cpuTime() - started);
    started = 0;
  };
  return {
    get inputs() {
      return inputs;
    },
    get slowest() {
      return slowest;
    },
    outcomes,
    shown: () => latest.map(show),
    begin() {
      latest = [];
      slowest = 0;
      started = 0;
    },
    input(value) {
      stop();
      checkPrototypes(false);
      inputs++;
      if (latest.length >= SHOWN) latest.shift();
      latest.push(value);
      started = cpuTime();
    },
    outcome(code) {
      stop(); // what drawing the next one takes is our own time
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    },
    end() {
      stop();
      checkPrototypes(true);
    },
  };
}

/** Milliseconds that this thread has had a processor. */
function cpuTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function show(value: unknown): string {
  try {
    const text = inspect(value, { depth: 8, breakLength: 160, maxStringLength: 2_000, maxArrayLength: 50 });
    return text.length > 1_500 ? `${text.slice(0, 1_500)}…` : text;
  } catch {
    return "(can't be shown)";
  }
}

const PROTOTYPES: readonly object[] = [
  Object,
  Array,
  Function,
  String,
  Number,
  Boolean,
  Symbol,
  Error,
  Map,
  Set,
  Promise,
  Date,
  RegExp,
  Uint8Array,
].flatMap((type) => [type.prototype as object, type]);

const shapeOf = (holder: object): string =>
  Reflect.ownKeys(holder)
    .map((key) => {
      const known = Object.getOwnPropertyDescriptor(holder, key);
      return `${String(key)}:${typeof known?.value}:${String(!!known?.get)}:${String(!!known?.set)}`;
    })
    .join();

const before = PROTOTYPES.map(shapeOf);

/** @throws Finding when something was put on a prototype. */
function checkPrototypes(isThorough: boolean): void {
  for (const key in {}) throw new Finding("pollution", `Object.prototype has "${key}"`);
  if (!isThorough) return;
  for (const [place, prototype] of PROTOTYPES.entries())
    if (shapeOf(prototype) !== before[place])
      throw new Finding("pollution", `${String(place)}: ${shapeOf(prototype)} was ${before[place] ?? ""}`);
}
