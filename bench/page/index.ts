/** The page of the benchmarks: what the runner calls, one benchmark at a time. */
import type { Row } from "../row.ts";
import { dispatch } from "./dispatch.ts";
import { graphs } from "./graphs.ts";
import { plot } from "./plot.ts";
import { calibrate, run, type Benchmark, type Scale } from "./measure.ts";
import { messages } from "./messages.ts";
import { consume, soak, type Soaked } from "./soak.ts";
import { storage } from "./storage.ts";
import { stream } from "./stream.ts";
import { tasks } from "./tasks.ts";
import { workflows } from "./workflows.ts";

export interface Bench {
  /** The names of a suite's benchmarks. */
  open(suite: string, scale: Scale): readonly string[];
  run(place: number): Promise<readonly Row[]>;
  calibrate(): number;
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
};
let opened: readonly Benchmark[] = [];
let rounds = 1;

const bench: Bench = {
  open(suite, scale) {
    opened = suites[suite]?.(scale) ?? [];
    rounds = scale.rounds;
    return opened.map(({ name }) => name);
  },
  async run(place) {
    const benchmark = opened[place];
    return benchmark ? run(benchmark, rounds) : [];
  },
  calibrate,
  soak,
  consume,
  plot,
};

Object.assign(globalThis, { bench });
