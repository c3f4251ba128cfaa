/** The page of the benchmarks: what the runner calls, one benchmark at a time. */
import type { Row } from "../row.ts";
import { dispatch } from "./dispatch.ts";
import { document } from "./document.ts";
import { graphs } from "./graphs.ts";
import { idle } from "./idle.ts";
import { plot } from "./plot.ts";
import { calibrate, run, type Benchmark, type Scale } from "./measure.ts";
import { weight, type Weight } from "./memory.ts";
import { messages } from "./messages.ts";
import { consume, soak, type Soaked } from "./soak.ts";
import { storage } from "./storage.ts";
import { stream } from "./stream.ts";
import { tasks } from "./tasks.ts";
import { traffic } from "./traffic.ts";
import { workflows } from "./workflows.ts";

export interface Bench {
  /** The names of a suite's benchmarks. */
  open(suite: string, scale: Scale): readonly string[];
  run(place: number): Promise<readonly Row[]>;
  /** The same for drivers that don't wait: {@link found} gives the rows when they are there, and throws what went wrong. */
  begin(place: number): void;
  found(): readonly Row[] | undefined;
  calibrate(): number;
  readonly weight: Weight;
  soak(name: string, milliseconds: number, batched: boolean): Promise<Soaked>;
  consume(name: string, batched: boolean): Promise<void>;
  /** What was measured after so many others, as the address of a picture; undefined for suites without. */
  plot(rows: readonly Row[]): Promise<string | undefined>;
}

const suites: Readonly<Record<string, (scale: Scale) => Benchmark[]>> = {
  tasks,
  workflows,
  graphs,
  dispatch,
  messages,
  storage,
  stream,
  document,
  idle,
  traffic,
};
let opened: readonly Benchmark[] = [];
let rounds = 1;
let done: { readonly rows?: readonly Row[]; readonly error?: unknown } = {};

async function measure(place: number): Promise<readonly Row[]> {
  const benchmark = opened[place];
  return benchmark ? run(benchmark, rounds) : [];
}

const bench: Bench = {
  open(suite, scale) {
    opened = suites[suite]?.(scale) ?? [];
    rounds = scale.rounds;
    return opened.map(({ name }) => name);
  },
  run: measure,
  begin(place) {
    done = {};
    measure(place).then(
      (rows) => (done = { rows }),
      (error: unknown) => (done = { error }),
    );
  },
  found() {
    if ("error" in done) throw done.error;
    return done.rows;
  },
  calibrate,
  weight,
  soak,
  consume,
  plot,
};

Object.assign(globalThis, { bench });
